"""How people get in: by an account that an administrator made for them."""

import logging
import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from crm.models import EventKind, User
from crm.reader import read_person
from crm.security import throttling
from crm.security.browsers import browser_name
from crm.security.events import (
    address_of,
    browser_of,
    person_named,
    record,
    sender_of,
)

logger = logging.getLogger(__name__)

# What a mail says of a change, by allauth's name of that mail.
NOTICES = {
    "account/email/password_changed": EventKind.PASSWORD_CHANGED,
    "account/email/password_set": EventKind.PASSWORD_CHANGED,
    "account/email/password_reset": EventKind.RESET_DONE,
    "mfa/email/totp_activated": EventKind.FACTOR_ADDED,
    "mfa/email/totp_deactivated": EventKind.FACTOR_REMOVED,
    "mfa/email/webauthn_added": EventKind.PASSKEY_ADDED,
    "mfa/email/webauthn_removed": EventKind.PASSKEY_REMOVED,
    "mfa/email/recovery_codes_generated": EventKind.CODES_MADE,
}
RESET_MAILS = ("account/email/password_reset_key", "account/email/unknown_account")
WRONG_LOGIN = _("The name or the password is wrong. Capital letters count.")


class Backend(AuthenticationBackend):
    """Know people by name or mail; load them with what each page asks of them.

    That is their team, and for the bell which notifications they have not read.
    """

    def get_user(self, user_id: int) -> User | None:
        """Return a person who may sign in."""
        found = read_person(user_id)
        return found if found and self.user_can_authenticate(found) else None


class AccountAdapter(DefaultAccountAdapter):
    """Keep the door closed for those whom nobody invited, and speak plainly."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": WRONG_LOGIN,
        "email_password_mismatch": WRONG_LOGIN,
        "invalid_login": WRONG_LOGIN,
        "enter_current_password": _("This is not your current password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse sign-up: people are added in the administration."""
        return False

    # --- What went wrong --------------------------------------------------------

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt for the account and the address."""
        self.tried = credentials.get("username") or credentials.get("email") or ""
        super().pre_authenticate(request, **credentials)

    def _get_login_attempts_cache_key(
        self, request: HttpRequest, **credentials: Any
    ) -> str:
        """Count by the account, whether its username or its mail was typed."""
        name = credentials.get("username") or credentials.get("email") or ""
        person = person_named(name)
        return f"person:{person.pk}" if person else f"name:{name.lower()}"

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Note a wrong name or password."""
        reason = "asked again" if sender_of(request) else "wrong name or password"
        self.note_failure(request, self.tried, reason)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Note that somebody who is shut out knows the password."""
        self.note_failure(request, user.username, "account is switched off")
        return super().respond_user_inactive(request, user)

    def note_failure(self, request: HttpRequest, name: str, reason: str) -> None:
        """Note a sign-in that failed."""
        record(
            EventKind.SIGN_IN_FAILED,
            person=person_named(name),
            name=name,
            request=request,
            details={"reason": reason},
        )

    def validation_error(self, code: str, *args: object) -> ValidationError:
        """Return the error of a form; say how long to wait, and note it."""
        if code not in ("too_many_login_attempts", "rate_limited"):
            return super().validation_error(code, *args)
        request, name = context.request, getattr(self, "tried", "")
        pending = throttling.pending_person(request)
        key = f"mfa-auth-user-{pending.pk}" if pending else None
        if name:
            key = self._get_login_attempts_cache_key(request, username=name)
        elif pending:
            name = pending.username
        throttling.note(request, name)
        seconds = throttling.seconds_left(request, "login_failed", key)
        return ValidationError(throttling.sentence(seconds), code=code)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Take a sign-in of the last minutes for the proof that it is still them."""
        request = context.request
        records = get_authentication_records(request, request.user)
        latest = max((one["at"] for one in records), default=0)
        if time.time() - latest < app_settings.REAUTHENTICATION_TIMEOUT:
            return False
        return super().is_reauthentication_required(app=app, **kwargs)

    # --- Mail -------------------------------------------------------------------

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Write to people in the language that they chose."""
        person = context.get("user")
        if template_prefix in RESET_MAILS:
            record(
                EventKind.RESET_ASKED,
                person=person,
                name="" if person else email,
                request=context.get("request"),
            )
        language = getattr(person, "language", "")
        with translation.override(language or translation.get_language()):
            super().send_mail(template_prefix, email, context)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict | None = None,
        email: str | None = None,
    ) -> None:
        """Tell a person what was changed about how they sign in.

        The change is made already: a mail that cannot be sent is no reason to fail.
        """
        language = user.language or translation.get_language()
        with translation.override(language):
            what = str(NOTICES[template_prefix].label)
        request = self.request
        details = {
            "user": user,
            "what": what,
            "when": timezone.now(),
            "address": address_of(request) or "–",
            "browser": browser_name(browser_of(request)),
        }
        try:
            self.send_mail("account/email/notice", user.email, details)
        except OSError:
            logger.exception("The notice of a change could not be sent.")

    # --- Where to go ------------------------------------------------------------

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Go back to the settings; a person who was signed out signs in first."""
        return reverse("profile")
