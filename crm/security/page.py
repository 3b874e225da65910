"""The page on which people look after how they sign in."""

from __future__ import annotations

from allauth.mfa.app_settings import RECOVERY_CODE_COUNT
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from crm.models import Role, SecurityEvent
from crm.security import sessions
from crm.security.browsers import browser_name

# The newest events of the person's own account.
SHOWN = 20
# What a bigint holds; a longer number names no session.
LONGEST_NUMBER = 18


@require_GET
@never_cache
def security(request: HttpRequest) -> HttpResponse:
    """Show the person's factors, sessions and latest events."""
    person = request.user
    factors = list(Authenticator.objects.filter(user=person).order_by("created_at"))
    kinds = Authenticator.Type
    alone = {one.type: one for one in factors}
    events = list(SecurityEvent.objects.filter(person=person.pk)[:SHOWN])
    for event in events:
        event.browser_text = browser_name(event.browser)
    context = {
        "title": _("Sign-in and security"),
        "breadcrumbs": [{"label": _("Your settings"), "url": reverse("profile")}],
        "must_set_up": person.lacks_second_factor,
        "asking_roles": Role.objects.filter(users=person, requires_second_factor=True),
        "app": alone.get(kinds.TOTP),
        "passkeys": [one for one in factors if one.type == kinds.WEBAUTHN],
        "codes": alone.get(kinds.RECOVERY_CODES),
        "codes_left": codes_left(alone.get(kinds.RECOVERY_CODES)),
        "sessions": sessions.of(request),
        "events": events,
    }
    return render(request, "crm/security.html", context)


def codes_left(codes: Authenticator | None) -> int:
    """Return how many recovery codes are unused, without reading any."""
    if codes is None:
        return 0
    return RECOVERY_CODE_COUNT - int(codes.data.get("used_mask", 0)).bit_count()


@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """End one of the person's sessions, or all but this one."""
    chosen = request.POST.get("session", "")
    if chosen == "others":
        sessions.end_others(request)
        messages.success(request, _("All other sessions are ended."))
        return redirect("mfa_index")
    number = chosen if chosen.isdecimal() and len(chosen) <= LONGEST_NUMBER else 0
    session = get_object_or_404(UserSession, user=request.user, pk=number)
    if session.session_key == request.session.session_key:
        logout(request)
        return redirect("account_login")
    sessions.end(session)
    messages.success(request, _("The session is ended."))
    return redirect("mfa_index")
