"""What the tests of sign-in share: a person with a password, an authenticator app."""

import re
import time

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from crm.models import SecurityEvent, User
from crm.testing.world import make_person

PASSWORD = "seven quiet rivers"
SECURITY = "/accounts/security/"


def make_member(name: str, *roles: str) -> User:
    """Return a person who can sign in with PASSWORD."""
    person = make_person(name, None, *roles)
    person.set_password(PASSWORD)
    person.save()
    return person


def sign_in(
    client: Client, login: str, password: str = PASSWORD, back: str = "", **options
):
    """Send the sign-in form; ``back`` is the page that was asked for."""
    data = {"login": login, "password": password, **({"next": back} if back else {})}
    return client.post("/accounts/login/", data, **options)


def is_signed_in(client: Client) -> bool:
    """Say whether the browser's session belongs to somebody."""
    return "_auth_user_id" in client.session


def code_of(secret: str, later: int = 0) -> str:
    """Return what an app with the secret shows now, or so many half minutes later."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later))


def set_up_app(client: Client) -> tuple[str, list[str]]:
    """Set up an authenticator app by the pages; return secret and recovery codes."""
    page = client.get("/accounts/app/add/").text
    secret = re.search(r'<code class="secret">([A-Z2-7]+)</code>', page)[1]
    answer = client.post("/accounts/app/add/", {"code": code_of(secret)})
    assert answer.status_code == 302, answer.text
    assert answer["Location"] == "/accounts/recovery-codes/"
    codes = re.findall(r"<code>(\d{10})</code>", client.get(answer["Location"]).text)
    assert len(codes) == 10
    return secret, codes


def kinds() -> list[str]:
    """Return the kinds of all events, oldest first, without those of set-up."""
    rows = SecurityEvent.objects.exclude(kind__in=("person_added", "role_changed"))
    return list(rows.order_by("pk").values_list("kind", flat=True))


def latest(kind: str) -> SecurityEvent:
    """Return the newest event of a kind."""
    return SecurityEvent.objects.filter(kind=kind).latest("pk")
