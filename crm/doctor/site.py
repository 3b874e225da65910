"""Settings that a site for real work must have."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.doctor.findings import Finding, check, fail, ok, warn

LOOPBACK = {"127.0.0.1", "localhost", "[::1]", "testserver"}
KEY_LENGTH, KEY_LETTERS = 50, 5


@check("settings", gettext_lazy("Settings"), needs_database=False)
def site() -> Iterator[Finding]:
    """Look for settings of a first run where others can come in."""
    found = list(_problems())
    yield from found or [ok(_("They are those of a site for real work."))]


def _problems() -> Iterator[Finding]:
    key = settings.SECRET_KEY
    if settings.DEBUG:
        yield fail(
            _("DEBUG is on: errors show the inside of the program to everybody."),
            _("Take DEBUG out of the environment."),
        )
    if len(key) < KEY_LENGTH or len(set(key)) < KEY_LETTERS:
        yield fail(
            _("SECRET_KEY is too short or too simple: sessions can be forged."),
            "python -c 'import secrets; print(secrets.token_urlsafe(64))'",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield fail(
            _("ALLOWED_HOSTS takes every name."),
            _("Name the hosts of the site in ALLOWED_HOSTS."),
        )
    if settings.INSECURE_HTTP:
        text = _("CRM_INSECURE_HTTP is on: passwords and sessions travel unencrypted.")
        mend = _("Put a proxy with TLS in front; set BEHIND_TLS_PROXY=1 instead.")
        is_private = set(settings.ALLOWED_HOSTS) <= LOOPBACK
        yield (warn if is_private else fail)(text, mend)
    if settings.EMAIL_BACKEND.endswith(("console.EmailBackend", "dummy.EmailBackend")):
        yield warn(_("Mail is not sent."), _("Name a mail server in EMAIL_URL."))
