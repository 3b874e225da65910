"""Every security event is written when it happens, and stays as it was written."""

import pytest
from django.core import mail
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import (
    EventKind,
    Grant,
    Role,
    SecurityEvent,
    Tag,
    Team,
    User,
)
from crm.security import events
from crm.tasks import forget_security_events
from crm.tests.signing_in import (
    PASSWORD,
    SECURITY,
    code_of,
    kinds,
    latest,
    make_member,
    set_up_app,
    sign_in,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("ana", "clock"),
]
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Firefox/140.0"
CODE = "/accounts/code/"


@pytest.fixture
def desk() -> Client:
    """Return the browser of an administrator, named dev."""
    boss = make_member("dev")
    User.objects.filter(pk=boss.pk).update(is_staff=True, is_superuser=True)
    boss.roles.add(Role.objects.get(code="administrator"))
    browser = Client()
    browser.force_login(boss)
    return browser


# --- Signing in and out ---------------------------------------------------------------


def test_signed_in(client):
    headers = {"user-agent": FIREFOX}
    sign_in(client, "ana", headers=headers, REMOTE_ADDR="192.0.2.7")
    event = latest(EventKind.SIGNED_IN)
    assert (event.person.username, event.name, event.actor_id) == ("ana", "ana", None)
    assert (event.address, event.browser) == ("192.0.2.7", FIREFOX)
    assert event.details == {"method": "password"}
    assert abs((timezone.now() - event.at).total_seconds()) < 60


@pytest.mark.parametrize("name", ["ana", "ana@example.com", "nobody", "a\nforged line"])
def test_sign_in_failed(client, name):
    sign_in(client, name, "not this one")
    event = latest(EventKind.SIGN_IN_FAILED)
    assert event.name == name
    assert (event.person_id is None) == (not name.startswith("ana"))
    assert "not this one" not in str(event.__dict__), "passwords are never kept"
    assert event.details == {"reason": "wrong name or password"}


def test_sign_in_failed_of_one_who_is_switched_off(client):
    User.objects.filter(username="ana").update(is_active=False)
    sign_in(client, "ana")
    event = latest(EventKind.SIGN_IN_FAILED)
    assert event.details == {"reason": "account is switched off"}


def test_throttled(client):
    for _attempt in range(9):
        sign_in(client, "ana", "wrong")
    assert kinds().count("sign_in_failed") == 5
    assert kinds().count("throttled") == 1, "once a minute, however often they try"
    event = latest(EventKind.THROTTLED)
    assert event.person.username == "ana"
    assert event.details == {"page": "POST /accounts/login/"}


def test_signed_out(client):
    sign_in(client, "ana")
    client.post("/accounts/logout/")
    assert latest(EventKind.SIGNED_OUT).name == "ana"


def test_session_ended(client):
    other = Client()
    sign_in(other, "ana", headers={"user-agent": FIREFOX})
    sign_in(client, "ana")
    client.post("/accounts/sessions/end/", {"session": "others"})
    event = latest(EventKind.SESSION_ENDED)
    assert event.name == "ana"
    assert event.details == {"sessions": "Firefox, Windows"}


# --- Passwords ------------------------------------------------------------------------


def test_password_changed(client):
    sign_in(client, "ana")
    new = "eight loud mountains"
    data = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    client.post("/accounts/password/change/", data)
    assert latest(EventKind.PASSWORD_CHANGED).person.username == "ana"
    assert [one.subject for one in mail.outbox] == ["Your account: Password changed"]


def test_password_changed_by_an_administrator(desk):
    person = User.objects.get(username="ana")
    address = reverse("admin:auth_user_password_change", args=[person.pk])
    data = {"usable_password": "true", "password1": "x8-new-Words", "password2": ""}
    desk.post(address, data)
    assert "password_changed" not in kinds()
    desk.post(address, data | {"password2": "x8-new-Words"})
    event = latest(EventKind.PASSWORD_CHANGED)
    assert (event.name, event.actor.username) == ("ana", "dev")


def test_password_set_by_link(client):
    client.post("/accounts/password/reset/", {"email": "ana@example.com"})
    assert latest(EventKind.RESET_ASKED).person.username == "ana"
    link = mail.outbox[0].body.partition("http://testserver")[2].split()[0]
    address = client.get(link, follow=True).redirect_chain[-1][0]
    new = "eight loud mountains"
    client.post(address, {"password1": new, "password2": new})
    assert latest(EventKind.RESET_DONE).person.username == "ana"


def test_reset_asked_for_an_unknown_mail(client):
    client.post("/accounts/password/reset/", {"email": "no@example.com"})
    event = latest(EventKind.RESET_ASKED)
    assert (event.person_id, event.name) == (None, "no@example.com")


# --- Second factors -------------------------------------------------------------------


def test_factor_added_and_codes_made(client):
    """They stand in the transaction that makes them, not after it."""
    sign_in(client, "ana")
    set_up_app(client)
    assert latest(EventKind.FACTOR_ADDED).name == "ana"
    assert latest(EventKind.CODES_MADE).name == "ana"
    client.post("/accounts/recovery-codes/new/")
    assert kinds().count("codes_made") == 2


def test_factor_used_failed_and_removed(client):
    sign_in(client, "ana")
    secret, codes = set_up_app(client)
    client.post("/accounts/logout/")
    sign_in(client, "ana")
    client.post(CODE, {"code": "000000"})
    assert latest(EventKind.FACTOR_FAILED).person.username == "ana"
    client.post(CODE, {"code": code_of(secret)})
    assert latest(EventKind.FACTOR_USED).details == {"method": "totp"}
    assert latest(EventKind.SIGNED_IN).details == {"method": "password, totp"}
    client.post("/accounts/logout/")
    sign_in(client, "ana")
    client.post(CODE, {"code": codes[0]})
    assert latest(EventKind.CODE_USED).details == {"method": "recovery_codes"}
    client.post("/accounts/app/remove/")
    assert latest(EventKind.FACTOR_REMOVED).name == "ana"


# Passkeys are made by a browser: tests/browser/test_sign_in.py reads their events.


# --- People and rights ----------------------------------------------------------------


def person_data(person: User, **changes) -> dict:
    """Return what the administration's form of a person sends."""
    data = {
        "username": person.username,
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "is_active": "on" if person.is_active else "",
        "roles": list(person.roles.values_list("pk", flat=True)),
        "team": person.team_id or "",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
    } | changes
    return {key: value for key, value in data.items() if value != ""}


def test_person_added(desk):
    word = "a-long-Passw0rd"
    data = {"username": "new", "email": "new@example.com", "usable_password": "true"}
    desk.post(
        reverse("admin:crm_user_add"), data | {"password1": word, "password2": word}
    )
    event = latest(EventKind.PERSON_ADDED)
    assert (event.name, event.actor.username) == ("new", "dev")


def test_person_changed_and_roles_changed(desk):
    person = User.objects.get(username="ana")
    team = Team.objects.create(name="North")
    role = Role.objects.get(code="agent")
    address = reverse("admin:crm_user_change", args=[person.pk])
    data = person_data(person, team=team.pk, roles=[role.pk], is_active="")
    assert desk.post(address, data).status_code == 302
    event = latest(EventKind.PERSON_CHANGED)
    assert (event.name, event.actor.username) == ("ana", "dev")
    assert event.details == {"team": ["", "North"], "active": [True, False]}
    assert event.details_text == "team: – → North; may sign in: yes → no"
    event = latest(EventKind.ROLES_CHANGED)
    assert (event.name, event.details) == ("ana", {"added": "agent"})
    assert event.details_text == "added: Agent"


def test_roles_changed_from_either_end():
    person, role = User.objects.get(username="ana"), Role.objects.get(code="agent")
    role.users.add(person)
    person.roles.remove(role)
    person.roles.add(role)
    person.roles.clear()
    found = SecurityEvent.objects.filter(kind=EventKind.ROLES_CHANGED, person=person)
    assert [one.details for one in found.order_by("pk")] == [
        {"added": "agent"},
        {"removed": "agent"},
        {"added": "agent"},
        {"removed": "agent"},
    ]


def test_what_is_no_right_is_no_event(client):
    sign_in(client, "ana")
    before = kinds()
    client.post("/profile/", {"first_name": "Anna"})
    assert kinds() == before


def test_person_removed(desk):
    person = User.objects.get(username="ana")
    address = reverse("admin:crm_user_delete", args=[person.pk])
    assert desk.post(address, {"post": "yes"}).status_code == 302
    event = latest(EventKind.PERSON_REMOVED)
    assert (event.name, event.actor.username) == ("ana", "dev")


def test_team_moved(desk):
    north, south = (Team.objects.create(name=name) for name in ("North", "South"))
    team = Team.objects.create(name="Desk", parent=north)
    address = reverse("admin:crm_team_change", args=[team.pk])
    desk.post(address, {"name": "Front desk", "parent": north.pk})
    assert "team_moved" not in kinds()
    desk.post(address, {"name": "Front desk", "parent": south.pk})
    event = latest(EventKind.TEAM_MOVED)
    assert event.details == {"team": "Front desk", "below": ["North", "South"]}
    assert event.name == "dev"


def test_grant_changed():
    role = Role.objects.get(code="agent")
    grant = Grant.objects.create(role=role, model="crm.tag", verb="add", scope="own")
    grant.save()
    grant.scope = "all"
    grant.save()
    grant.delete()
    found = SecurityEvent.objects.filter(kind=EventKind.GRANT_CHANGED).order_by("pk")
    assert [one.details for one in found] == [
        {"role": "agent", "added": "add crm.tag (own)"},
        {"role": "agent", "grant": ["add crm.tag (own)", "add crm.tag (all)"]},
        {"role": "agent", "removed": "add crm.tag (all)"},
    ]


def test_role_changed(desk):
    role = Role.objects.create(code="guest")
    role.requires_second_factor = True
    role.save()
    role.save()
    role.delete()
    found = SecurityEvent.objects.filter(kind=EventKind.ROLE_CHANGED).order_by("pk")
    assert [one.details for one in found] == [
        {"added": "guest", "requires_second_factor": False},
        {"role": "guest", "requires_second_factor": True},
        {"removed": "guest", "requires_second_factor": True},
    ]


# --- Refusals and exports -------------------------------------------------------------


def test_denied(client):
    sign_in(client, "ana")
    assert client.get("/tags/?q=a%00b").status_code == 403
    event = latest(EventKind.DENIED)
    assert event.name == "ana"
    assert event.details == {"page": "GET /tags/?q=a%00b"}


def test_denied_for_a_forged_form():
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="ana"))
    assert client.post("/profile/", {"first_name": "Mallory"}).status_code == 403
    details = {"page": "POST /profile/", "reason": "form without its token"}
    assert latest(EventKind.DENIED).details == details


def test_strangers_are_sent_to_sign_in_and_hidden_rows_are_no_refusal(client):
    client.get("/tags/")
    sign_in(client, "ana")
    client.get("/tags/999999/nowhere/")
    assert "denied" not in kinds()


def test_exported(desk):
    Tag.objects.create(name="One")
    for ending in ("csv", "xlsx"):
        b"".join(desk.get(f"/tags/export/?format={ending}&q=One").streaming_content)
        assert latest(EventKind.EXPORTED).details == {
            "model": "crm.tag",
            "format": ending,
            "page": f"GET /tags/export/?format={ending}&q=One",
        }
    answer = desk.post("/tags/bulk/export/", {"ids": Tag.objects.get().pk})
    b"".join(answer.streaming_content)
    event = latest(EventKind.EXPORTED)
    assert event.name == "dev"
    assert event.details["page"] == "POST /tags/bulk/export/"


def test_nobody_can_act_as_another():
    """So there is no event for it; a page that lets one would have to add it."""
    assert not any("impersonat" in kind for kind in EventKind.values)


# --- The log itself -------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE crm_securityevent SET name = 'mallory'",
        "UPDATE crm_securityevent SET at = '2000-01-01'",
        "DELETE FROM crm_securityevent",
    ],
)
def test_the_database_refuses_to_change_or_delete_events(client, statement):
    sign_in(client, "ana")
    before = list(SecurityEvent.objects.values())
    with (
        pytest.raises(DatabaseError, match="neither changed nor deleted"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert list(SecurityEvent.objects.values()) == before


def test_old_events_are_forgotten_but_none_younger_than_90_days(settings):
    for days in (10, 80, 100, 500):
        at = timezone.now() - timezone.timedelta(days=days)
        SecurityEvent.objects.create(kind=EventKind.DENIED, name=str(days), at=at)
    known = SecurityEvent.objects.filter(kind=EventKind.DENIED)
    settings.SECURITY_EVENT_KEEP_DAYS = 400
    forget_security_events()
    assert set(known.values_list("name", flat=True)) == {"10", "80", "100"}
    settings.SECURITY_EVENT_KEEP_DAYS = 1
    forget_security_events()
    assert set(known.values_list("name", flat=True)) == {"10", "80"}


def test_an_event_goes_with_the_change_that_is_undone():
    person = User.objects.get(username="ana")
    with transaction.atomic():
        person.roles.add(Role.objects.get(code="agent"))
        transaction.set_rollback(True)
    assert "roles_changed" not in kinds()


def test_what_a_browser_says_is_cut_and_never_fatal(client):
    sign_in(client, "ana", headers={"user-agent": "x" * 5000})
    assert latest(EventKind.SIGNED_IN).browser == "x" * 200
    event = events.record(EventKind.DENIED, name="a\x00b" + "y" * 500)
    assert event.name == ("ab" + "y" * 500)[:254]
    assert (event.address, event.browser) == (None, "")


def test_people_see_the_events_of_their_own_account_alone(client):
    make_member("ben")
    sign_in(client, "ben", "wrong")
    sign_in(client, "ana", "wrong", REMOTE_ADDR="192.0.2.99")
    sign_in(client, "ana", REMOTE_ADDR="192.0.2.7")
    text = client.get(SECURITY).text
    assert "Sign-in failed" in text
    assert "192.0.2.99" in text
    assert text.count("Sign-in failed") == 1


def test_the_administration_shows_events_to_read_only(desk, client):
    sign_in(client, "nobody", "wrong")
    page = desk.get(reverse("admin:crm_securityevent_changelist"))
    assert "nobody" in page.text
    event = latest(EventKind.SIGN_IN_FAILED)
    for name in ("change", "delete"):
        address = reverse(f"admin:crm_securityevent_{name}", args=[event.pk])
        assert desk.post(address, {"post": "yes"}).status_code == 403
    assert SecurityEvent.objects.filter(pk=event.pk).exists()


def test_administrators_filter_the_list_of_events(desk, client):
    sign_in(client, "ana", "wrong", REMOTE_ADDR="192.0.2.99")
    sign_in(client, "ben", "wrong")
    person = User.objects.get(username="ana")
    for query, count in (
        ("kind=sign_in_failed", 2),
        (f"kind=sign_in_failed&person={person.pk}", 1),
        ("name=BEN", 1),
        ("address=192.0.2.", 1),
        ("kind=exported", 0),
    ):
        page = desk.get(f"/settings/security/?{query}")
        assert len(page.context["rows"]) == count, query
