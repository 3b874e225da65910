"""What happened at the doors: sign-ins, second factors, rights, refusals, exports."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.access import VisibleManager
from crm.models.users import ROLE_LABELS


class EventKind(models.TextChoices):
    """What happened. Impersonation is not among them: nobody can act as another."""

    SIGNED_IN = "signed_in", _("Signed in")
    SIGN_IN_FAILED = "sign_in_failed", _("Sign-in failed")
    THROTTLED = "throttled", _("Slowed down after too many attempts")
    SIGNED_OUT = "signed_out", _("Signed out")
    SESSION_ENDED = "session_ended", _("Session ended")
    PASSWORD_CHANGED = "password_changed", _("Password changed")
    RESET_ASKED = "reset_asked", _("New password asked for")
    RESET_DONE = "reset_done", _("Password set by link")
    FACTOR_ADDED = "factor_added", _("Authenticator app added")
    FACTOR_REMOVED = "factor_removed", _("Authenticator app removed")
    FACTOR_USED = "factor_used", _("Second factor used")
    FACTOR_FAILED = "factor_failed", _("Second factor failed")
    CODES_MADE = "codes_made", _("Recovery codes made")
    CODE_USED = "code_used", _("Recovery code used")
    PASSKEY_ADDED = "passkey_added", _("Passkey added")
    PASSKEY_REMOVED = "passkey_removed", _("Passkey removed")
    PERSON_ADDED = "person_added", _("Person added")
    PERSON_CHANGED = "person_changed", _("Account of a person changed")
    PERSON_REMOVED = "person_removed", _("Person removed")
    ROLES_CHANGED = "roles_changed", _("Roles of a person changed")
    TEAM_MOVED = "team_moved", _("Team moved")
    GRANT_CHANGED = "grant_changed", _("Right of a role changed")
    ROLE_CHANGED = "role_changed", _("Role changed")
    SHARED = "shared", _("Row shared, or no longer")
    DENIED = "denied", _("Refused for want of a right")
    EXPORTED = "exported", _("Rows taken away as a file")


# What the details of an event are called where people read them.
DETAIL_LABELS = {
    "active": _("may sign in"),
    "added": _("added"),
    "below": _("below"),
    "email": _("email"),
    "format": _("format"),
    "grant": _("grant"),
    "is_staff": _("opens the administration"),
    "is_superuser": _("may do everything"),
    "method": _("with"),
    "model": _("model"),
    "page": _("page"),
    "reason": _("reason"),
    "removed": _("removed"),
    "requires_second_factor": _("second factor required"),
    "role": _("role"),
    "sessions": _("sessions"),
    "team": _("team"),
    "username": _("username"),
}

# The same of values that are the program's own; all others are people's and systems'.
DETAIL_WORDS = {
    "account is switched off": _("account is switched off"),
    "asked again": _("asked for the password again"),
    "form without its token": _("form without its token"),
    "password": _("password"),
    "password_reset": _("link of a mail"),
    "recovery_codes": _("recovery code"),
    "totp": _("authenticator app"),
    "webauthn": _("passkey"),
    "wrong name or password": _("wrong name or password"),
    **ROLE_LABELS,
}


class SecurityEvent(models.Model):
    """One event; the database refuses to change it, or to delete it early.

    The people are no constraints: an event outlives them, with the name of the time.
    """

    at = models.DateTimeField(_("time"), default=timezone.now, editable=False)
    kind = models.CharField(_("event"), max_length=30, choices=EventKind.choices)
    # Whose account it is about; nobody's where the name that was tried is unknown.
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
    )
    name = models.CharField(_("account"), max_length=254, blank=True)
    # Who did it, where that is somebody else.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("done by"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
    )
    address = models.GenericIPAddressField(_("address"), null=True)
    browser = models.CharField(_("browser"), max_length=200, blank=True)
    details = models.JSONField(_("details"), default=dict)

    objects = VisibleManager()

    access_path = "person"

    class Meta:
        verbose_name = _("security event")
        verbose_name_plural = _("security events")
        ordering = ("-at", "-pk")
        indexes = (
            models.Index(fields=["-at", "-id"], name="security_by_time"),
            models.Index(fields=["person", "-at", "-id"], name="security_by_person"),
            models.Index(fields=["kind", "-at", "-id"], name="security_by_kind"),
        )

    def __str__(self) -> str:
        return ": ".join(filter(None, (str(self.get_kind_display()), self.name)))

    @property
    def details_text(self) -> str:
        """Return the details in words: "role: Agent; team: North"."""
        return "; ".join(
            f"{DETAIL_LABELS.get(key, key)}: {in_words(value)}"
            for key, value in self.details.items()
        )


def in_words(value: Any) -> str:
    """Return a detail as people read it; a pair is what was and what is."""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, list):
        return " → ".join(in_words(one) for one in value)
    if value in (None, ""):
        return "–"
    return ", ".join(str(DETAIL_WORDS.get(one, one)) for one in str(value).split(", "))
