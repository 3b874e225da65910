"""Nothing is seen by strangers, and everyone reads in their language and time."""

import zoneinfo
from collections.abc import Callable
from urllib.parse import quote

from django.contrib.auth import middleware as auth_middleware
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone, translation
from django.utils.http import MAX_URL_REDIRECT_LENGTH, urlencode
from django_htmx.http import HttpResponseClientRedirect

# Django refuses to send anybody to a longer address; the rest of it is short.
LONGEST_WAY_BACK = MAX_URL_REDIRECT_LENGTH - 1_000


class AuthenticationMiddleware(auth_middleware.AuthenticationMiddleware):
    """Read the person at once: every page asks, and a lazy one costs at each look."""

    def process_request(self, request: HttpRequest) -> None:
        """Set the person, or somebody unknown."""
        super().process_request(request)
        request.user = auth_middleware.get_user(request)


class LoginRequiredMiddleware(auth_middleware.LoginRequiredMiddleware):
    """Send a stranger to the sign-in page, and from there back to where they were.

    Views that are for everyone carry Django's ``login_not_required``.
    """

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable
    ) -> HttpResponse:
        """Let htmx load the sign-in page as a page, not as a part of one."""
        url = resolve_url(self.get_login_url(view_func))
        if not request.headers.get("HX-Request"):
            if len(quote(request.build_absolute_uri())) > LONGEST_WAY_BACK:
                return redirect(url)
            return super().handle_no_permission(request, view_func)
        # This runs before django-htmx's middleware, so the header is read here.
        back = request.headers.get("HX-Current-URL", "")
        origin = f"{request.scheme}://{request.get_host()}/"
        if back.startswith(origin):
            url += "?" + urlencode({"next": "/" + back.removeprefix(origin)})
        return HttpResponseClientRedirect(url)


class PersonalSettingsMiddleware:
    """Answer in the person's language and time zone; blank means the site's own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        if user.language:
            translation.activate(user.language)
            request.LANGUAGE_CODE = translation.get_language()
        if not user.time_zone:
            return self.get_response(request)
        try:
            zone = zoneinfo.ZoneInfo(user.time_zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            # The name may come from another machine whose zone table is newer.
            return self.get_response(request)
        with timezone.override(zone):
            return self.get_response(request)
