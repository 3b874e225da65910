"""Headers of every answer, limits of sessions, required factors, noted refusals."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from crm.models import EventKind
from crm.security.events import page_of, record
from crm.security.sessions import keep_within_limits

GetResponse = Callable[[HttpRequest], HttpResponse]

# What opens for those who have to set up a second factor first.
BEFORE_SET_UP = {
    "account_login",
    "account_logout",
    "account_reauthenticate",
    "healthz",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_index",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_view_recovery_codes",
    "set_language",
}


class HeadersMiddleware:
    """Set what Django and django-csp have no setting for."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


class SessionLimitsMiddleware:
    """End sessions that have lived too long, renew those in use."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            keep_within_limits(request)
        return self.get_response(request)


class SecondFactorMiddleware:
    """Have people whose role asks for a second factor set one up first."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict
    ) -> HttpResponse | None:
        """Answer in the place of the page that was asked for."""
        if not getattr(request.user, "lacks_second_factor", False):
            return None
        if request.resolver_match.view_name in BEFORE_SET_UP:
            return None
        if request.headers.get("HX-Request"):
            # django-htmx's middleware comes later, so the header is read here.
            return HttpResponseClientRedirect(reverse("mfa_index"))
        if request.accepts("text/html"):
            return redirect("mfa_index")
        text = _("Set up a second factor first.")
        return HttpResponse(text, status=403, content_type="text/plain; charset=utf-8")


class DenialMiddleware:
    """Note each refusal of somebody who has signed in."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 403 and request.user.is_authenticated:
            details = {"page": page_of(request)}
            # Django marks the requests whose token was right, or that need none.
            if not getattr(request, "csrf_processing_done", False):
                details["reason"] = "form without its token"
            record(EventKind.DENIED, request=request, details=details)
        return response
