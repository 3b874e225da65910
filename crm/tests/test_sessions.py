"""Sessions: a new key at sign-in, limits, the list of one's own, ending them."""

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from crm.models import User
from crm.security.browsers import browser_name
from crm.tasks import forget_sessions
from crm.tests.signing_in import (
    PASSWORD,
    SECURITY,
    is_signed_in,
    latest,
    make_member,
    sign_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ana")]
END = "/accounts/sessions/end/"
DAY = 24 * 3600
AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Firefox/140.0": (
        "Firefox, Windows"
    ),
    "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36": "Chrome, Linux",
    "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0": (
        "Edge, Windows"
    ),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604": (
        "Safari, iPhone"
    ),
    "my-program/1.0": "my-program/1.0",
    "": "",
}


@pytest.mark.parametrize("agent", AGENTS)
def test_browsers_are_named_in_words(agent):
    assert browser_name(agent) == AGENTS[agent]


def browsers(*names: str) -> list[Client]:
    """Return browsers in each of which Ana has signed in."""
    found = []
    for name in names:
        browser = Client(headers={"user-agent": name})
        sign_in(browser, "ana")
        found.append(browser)
    return found


def test_the_key_of_a_session_changes_at_sign_in_and_sign_out(client):
    client.post("/language/", {"language": "en"})
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    sign_in(client, "ana")
    inside = client.session.session_key
    assert inside != session.session_key
    assert not Session.objects.filter(pk=session.session_key).exists()
    client.post("/accounts/logout/")
    assert not Session.objects.filter(pk=inside).exists()


def test_own_sessions_are_listed_this_one_first(client):
    browsers("Firefox/1 Windows", "Chrome/1 Linux")
    sign_in(client, "ana", headers={"user-agent": "Safari/1 iPhone"})
    make_member("ben")
    sign_in(Client(headers={"user-agent": "curl/8"}), "ben")
    lines = client.get(SECURITY).context["sessions"]
    assert [line.browser for line in lines][0] == "Safari, iPhone"
    assert {line.browser for line in lines} == {
        "Safari, iPhone",
        "Firefox, Windows",
        "Chrome, Linux",
    }
    assert [line.is_current for line in lines] == [True, False, False]


def test_many_sessions_cost_no_more_queries_than_one(
    client, django_assert_max_num_queries
):
    sign_in(client, "ana")
    client.get(SECURITY)
    for count in (0, 5):
        browsers(*(["Firefox/1 Windows"] * count))
        with django_assert_max_num_queries(8):
            lines = client.get(SECURITY).context["sessions"]
        assert len(lines) == count + 1


def test_a_new_password_ends_all_sessions_and_leaves_no_line(client):
    (other,) = browsers("Firefox/1 Windows")
    sign_in(client, "ana")
    new = "eight loud mountains"
    data = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    client.post("/accounts/password/change/", data)
    assert other.get("/profile/").status_code == 302
    assert not UserSession.objects.exists()
    sign_in(client, "ana", new)
    (line,) = client.get(SECURITY).context["sessions"]
    assert line.is_current


def test_one_session_is_ended(client):
    lost, kept = browsers("Firefox/1 Windows", "Chrome/1 Linux")
    sign_in(client, "ana")
    lines = client.get(SECURITY).context["sessions"]
    pk = next(line.pk for line in lines if line.browser == "Firefox, Windows")
    assert client.post(END, {"session": pk})["Location"] == SECURITY
    assert lost.get("/profile/").status_code == 302
    assert kept.get("/profile/").status_code == 200
    assert client.get("/profile/").status_code == 200


def test_all_other_sessions_are_ended(client):
    others = browsers("Firefox/1 Windows", "Chrome/1 Linux")
    sign_in(client, "ana")
    client.post(END, {"session": "others"})
    assert [one.get("/profile/").status_code for one in others] == [302, 302]
    assert client.get("/profile/").status_code == 200


def test_ending_this_session_signs_out(client):
    sign_in(client, "ana")
    (line,) = client.get(SECURITY).context["sessions"]
    assert client.post(END, {"session": line.pk})["Location"] == "/accounts/login/"
    assert not is_signed_in(client)
    assert latest("signed_out").name == "ana"


@pytest.mark.parametrize("session", ["", "x", "0", "-1", "9" * 40, "None"])
def test_a_session_that_is_not_there_is_not_found(client, session):
    sign_in(client, "ana")
    assert client.post(END, {"session": session}).status_code == 404
    assert is_signed_in(client)


def test_sessions_of_others_are_not_found(client):
    make_member("ben")
    other = Client()
    sign_in(other, "ben")
    sign_in(client, "ana")
    theirs = UserSession.objects.get(user__username="ben")
    assert client.post(END, {"session": theirs.pk}).status_code == 404
    assert other.get("/profile/").status_code == 200


def test_a_session_without_a_line_gets_one(client):
    client.force_login(User.objects.get(username="ana"))
    (line,) = client.get(SECURITY).context["sessions"]
    assert line.is_current


def test_a_session_ends_after_two_weeks_without_a_visit(client, clock):
    sign_in(client, "ana")
    clock.shift(13 * DAY)
    assert client.get("/profile/").status_code == 200
    clock.shift(13 * DAY)
    assert client.get("/profile/").status_code == 200, "a visit renews it"
    clock.shift(15 * DAY)
    assert client.get("/profile/").status_code == 302


def test_a_session_ends_after_thirty_days_whatever_happens(client, clock):
    sign_in(client, "ana")
    for _week in range(4):
        clock.shift(7 * DAY)
        assert client.get("/profile/").status_code == 200
    clock.shift(3 * DAY)
    answer = client.get("/profile/")
    assert answer["Location"].startswith("/accounts/login/?next=")
    assert not is_signed_in(client)


def test_a_session_is_written_once_an_hour(client, clock):
    sign_in(client, "ana")
    seen = UserSession.objects.get().last_seen_at
    client.get("/healthz")
    assert UserSession.objects.get().last_seen_at == seen
    clock.shift(3601)
    client.get("/profile/")
    assert UserSession.objects.get().last_seen_at > seen


@pytest.mark.parametrize("remember", ["", "on"])
def test_the_cookie_stays_only_if_one_asks_for_it(client, remember):
    data = {"login": "ana", "password": PASSWORD, "remember": remember}
    client.post("/accounts/login/", data)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["max-age"] == (settings.SESSION_COOKIE_AGE if remember else "")
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_sessions_of_one_who_is_switched_off_end_at_once_and_for_good(client):
    sign_in(client, "ana")
    person = User.objects.get(username="ana")
    person.is_active = False
    person.save()
    assert client.get("/profile/").status_code == 302
    assert not UserSession.objects.exists()
    User.objects.filter(pk=person.pk).update(is_active=True)
    assert client.get("/profile/").status_code == 302, "the session is gone"


def test_administrators_end_sessions_of_others(client):
    sign_in(client, "ana")
    boss = make_member("dev")
    User.objects.filter(pk=boss.pk).update(is_staff=True, is_superuser=True)
    desk = Client()
    desk.force_login(boss)
    session = UserSession.objects.get(user__username="ana")
    data = {"action": "end", "_selected_action": [session.pk]}
    desk.post(reverse("admin:usersessions_usersession_changelist"), data)
    assert client.get("/profile/").status_code == 302
    event = latest("session_ended")
    assert (event.name, event.actor.username) == ("ana", "dev")


def test_ended_sessions_are_forgotten_with_their_addresses(client, clock):
    sign_in(Client(), "ana")
    clock.shift(15 * DAY)
    sign_in(client, "ana")
    lost = Client()
    sign_in(lost, "ana")
    Session.objects.filter(pk=lost.session.session_key).delete()
    forget_sessions()
    (line,) = UserSession.objects.all()
    assert line.session_key == client.session.session_key
    assert client.get("/profile/").status_code == 200
    assert Session.objects.count() == 1


# --- One door -------------------------------------------------------------------------


def test_the_administration_has_no_door_of_its_own(client):
    answer = client.get("/admin/login/?next=/admin/crm/")
    assert answer["Location"] == "/accounts/login/?next=%2Fadmin%2Fcrm%2F"
    data = {"username": "ana", "password": PASSWORD, "next": "/admin/"}
    answer = client.post("/admin/login/", data)
    assert answer["Location"].startswith("/accounts/login/")
    assert not is_signed_in(client)
    sign_in(client, "ana")
    assert client.get("/admin/login/").status_code == 403


def test_passwords_are_changed_where_all_others_are(client):
    sign_in(client, "ana")
    answer = client.get("/admin/password_change/")
    assert answer["Location"] == "/accounts/password/change/"
