"""Signing in and out, passwords, and what people set for themselves."""

import re
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from model_bakery import baker

from crm.models import User
from crm.tests.signing_in import PASSWORD, is_signed_in, sign_in

NEW_PASSWORD = "eight loud mountains"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_and_fresh")]


@pytest.fixture
def ana(quick_and_fresh) -> User:
    """Return a person who can sign in."""
    person = baker.make(
        User,
        username="ana",
        email="ana@example.org",
        first_name="Ana",
        last_name="Ruiz",
        is_active=True,
    )
    person.set_password(PASSWORD)
    person.save()
    return person


@pytest.mark.parametrize("login", ["ana", "ana@example.org", "ANA@example.org"])
def test_sign_in_by_username_or_email(client, ana, login):
    answer = sign_in(client, login)
    assert answer.status_code == 302
    assert answer["Location"] == "/"
    assert client.session["_auth_user_id"] == str(ana.pk)


def test_sign_in_leads_back_to_the_page_that_was_asked_for(client, ana):
    answer = client.get("/profile/?tab=1")
    assert answer["Location"] == f"/accounts/login/?next={quote('/profile/?tab=1')}"
    page = client.get(answer["Location"])
    assert 'name="next" value="/profile/?tab=1"' in page.content.decode()
    answer = sign_in(client, "ana", back="/profile/?tab=1")
    assert answer["Location"] == "/profile/?tab=1"


def test_sign_in_leads_to_no_foreign_site(client, ana):
    answer = sign_in(client, "ana", back="https://evil.example/")
    assert answer["Location"] == "/"


@pytest.mark.parametrize(
    ("login", "password"),
    [("ana", "not-this-one"), ("nobody", PASSWORD), ("a@b.example", "nor-that")],
)
def test_wrong_sign_in_says_the_same_beside_the_form(client, ana, login, password):
    answer = sign_in(client, login, password)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "The name or the password is wrong." in text
    assert 'role="alert"' in text
    assert password not in text
    assert not is_signed_in(client)


def test_missing_password_is_said_beside_the_field(client, ana):
    text = sign_in(client, "ana", "").content.decode()
    assert re.search(r'<input[^>]*name="password"[^>]*aria-invalid="true"', text)
    described = re.search(r'name="password"[^>]*aria-describedby="([^"]+)"', text)[1]
    assert "id_password_error" in described.split()
    assert 'id="id_password_error"' in text


def test_many_wrong_attempts_are_slowed_down(client, ana):
    for _attempt in range(15):
        sign_in(client, "ana", "wrong")
    answer = sign_in(client, "ana", PASSWORD)
    assert answer.status_code in (200, 429)
    assert not is_signed_in(client)
    assert "Too many attempts" in answer.content.decode()


def test_switched_off_account_stays_outside(client, ana):
    User.objects.filter(pk=ana.pk).update(is_active=False)
    answer = client.post(
        "/accounts/login/", {"login": "ana", "password": PASSWORD}, follow=True
    )
    assert not is_signed_in(client)
    assert answer.status_code == 200


def test_sign_out(client, ana):
    client.force_login(ana)
    assert "Sign out?" in client.get("/accounts/logout/").content.decode()
    assert is_signed_in(client), "looking at the page must not sign out"
    client.post("/accounts/logout/")
    assert not is_signed_in(client)


def test_nobody_signs_up(client):
    page = client.get("/accounts/signup/")
    assert "Accounts are made by an administrator" in page.content.decode()
    answer = client.post(
        "/accounts/signup/",
        {
            "username": "eve",
            "email": "eve@example.org",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )
    assert answer.status_code == 200
    assert not User.objects.filter(username="eve").exists()
    assert not is_signed_in(client)


def test_forgotten_password_from_mail_to_sign_in(client, ana):
    answer = client.post("/accounts/password/reset/", {"email": "ana@example.org"})
    assert answer["Location"] == "/accounts/password/reset/done/"
    assert client.get(answer["Location"]).status_code == 200
    (message,) = mail.outbox
    assert message.to == ["ana@example.org"]
    assert message.subject == "Choose a new password"
    assert "Your username is ana." in message.body
    link = re.search(r"http://testserver(/\S+)", message.body)[1]

    page = client.get(link, follow=True)
    assert "Choose a new password" in page.content.decode()
    form_url = page.redirect_chain[-1][0]
    answer = client.post(
        form_url, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}, follow=True
    )
    assert "Your new password is set" in answer.content.decode()
    assert sign_in(Client(), "ana", PASSWORD).status_code == 200
    assert sign_in(Client(), "ana", NEW_PASSWORD).status_code == 302

    again = Client().get(link, follow=True).content.decode()
    assert "This link works no more" in again


def test_weak_or_different_new_password_is_refused_beside_the_field(client, ana):
    client.post("/accounts/password/reset/", {"email": "ana@example.org"})
    link = re.search(r"http://testserver(/\S+)", mail.outbox[0].body)[1]
    form_url = client.get(link, follow=True).redirect_chain[-1][0]
    text = client.post(
        form_url, {"password1": "12345678", "password2": "12345678"}
    ).content.decode()
    assert 'id="id_password1_error"' in text
    text = client.post(
        form_url, {"password1": NEW_PASSWORD, "password2": "other"}
    ).content.decode()
    assert 'id="id_password2_error"' in text
    ana.refresh_from_db()
    assert ana.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("password", "is_taken"),
    [
        ("elevenchars", False),
        ("twelve chars", True),
        ("只有汉字也可以作为密码使用", True),
        ("x y" * 60, True),
    ],
)
def test_short_passwords_are_refused_and_long_ones_taken(
    client, ana, password, is_taken
):
    client.force_login(ana)
    data = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    answer = client.post("/accounts/password/change/", data)
    assert answer.status_code == (302 if is_taken else 200)
    ana.refresh_from_db()
    assert ana.check_password(password) is is_taken


def test_reset_tells_nobody_which_addresses_exist(client, ana):
    known = client.post("/accounts/password/reset/", {"email": "ana@example.org"})
    unknown = client.post("/accounts/password/reset/", {"email": "no@example.org"})
    assert known.status_code == unknown.status_code
    assert known["Location"] == unknown["Location"]
    assert "no account has this address" in mail.outbox[1].body
    assert "/key/" not in mail.outbox[1].body


def test_mail_is_written_in_the_language_of_its_reader(client, ana):
    client.post(
        "/accounts/password/reset/",
        {"email": "ana@example.org"},
        headers={"accept-language": "zh-hans"},
    )
    User.objects.filter(pk=ana.pk).update(language="en")
    client.post(
        "/accounts/password/reset/",
        {"email": "ana@example.org"},
        headers={"accept-language": "zh-hans"},
    )
    assert mail.outbox[1].subject == "Choose a new password"


def test_change_password(client, ana):
    client.force_login(ana)
    other = Client()
    other.force_login(ana)
    answer = client.post(
        "/accounts/password/change/",
        {
            "oldpassword": PASSWORD,
            "password1": NEW_PASSWORD,
            "password2": NEW_PASSWORD,
        },
    )
    assert answer.status_code == 302
    ana.refresh_from_db()
    assert ana.check_password(NEW_PASSWORD)
    assert other.get("/profile/").status_code == 302, "other devices are signed out"


def test_change_password_needs_the_current_one(client, ana):
    client.force_login(ana)
    answer = client.post(
        "/accounts/password/change/",
        {"oldpassword": "no", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    )
    text = answer.content.decode()
    assert "This is not your current password." in text
    assert 'id="id_oldpassword_error"' in text
    ana.refresh_from_db()
    assert ana.check_password(PASSWORD)


def test_addresses_of_accounts_are_not_changed_by_their_owners(client, ana):
    client.force_login(ana)
    assert client.get("/accounts/email/").status_code == 404
    client.post(
        "/profile/", {"first_name": "Ana", "email": "new@example.org", "is_staff": "on"}
    )
    ana.refresh_from_db()
    assert ana.email == "ana@example.org"
    assert not ana.is_staff


def test_settings_are_saved_and_used(client, ana):
    client.force_login(ana)
    answer = client.post(
        "/profile/",
        {
            "first_name": "Anna",
            "last_name": "Ruiz",
            "language": "zh-hans",
            "time_zone": "Asia/Shanghai",
        },
    )
    assert answer["Location"] == "/profile/"
    ana.refresh_from_db()
    assert (ana.first_name, ana.language) == ("Anna", "zh-hans")
    assert ana.time_zone == "Asia/Shanghai"
    page = Client()
    page.force_login(ana)
    answer = page.get("/profile/", headers={"accept-language": "en"})
    assert '<html lang="zh-hans"' in answer.content.decode()
    assert answer["Content-Language"] == "zh-hans"


def test_unknown_language_or_zone_is_refused_beside_the_field(client, ana):
    client.force_login(ana)
    answer = client.post("/profile/", {"language": "tlh", "time_zone": "Mars/Base"})
    text = answer.content.decode()
    assert 'id="id_language_error"' in text
    assert 'id="id_time_zone_error"' in text
    ana.refresh_from_db()
    assert (ana.language, ana.time_zone) == ("", "")


def test_language_switch_stays_with_the_person(client, ana):
    client.force_login(ana)
    answer = client.post("/language/", {"language": "zh-hans", "next": "/profile/"})
    assert answer["Location"] == "/profile/"
    ana.refresh_from_db()
    assert ana.language == "zh-hans"
    elsewhere = Client()
    elsewhere.force_login(ana)
    text = elsewhere.get("/profile/").content.decode()
    assert '<html lang="zh-hans"' in text
    assert "简体中文" in text


def test_language_switch_before_signing_in(client):
    assert '<html lang="en"' in client.get("/accounts/login/").content.decode()
    client.post("/language/", {"language": "zh-hans", "next": "/accounts/login/"})
    text = client.get("/accounts/login/").content.decode()
    assert '<html lang="zh-hans"' in text


@pytest.mark.parametrize("language", ["no-such", "de", "zh-cn", "", "x" * 500])
def test_language_switch_refuses_what_the_pages_do_not_speak(client, ana, language):
    client.force_login(ana)
    client.post("/language/", {"language": language, "next": "https://evil.example/"})
    ana.refresh_from_db()
    assert ana.language == ""
    assert client.get("/language/").status_code == 405


def test_times_are_shown_in_the_person_s_zone(rf, ana):
    from crm.middleware import PersonalSettingsMiddleware

    seen = {}

    def view(request):
        seen["zone"] = timezone.get_current_timezone_name()

    for zone, expected in [
        ("Asia/Shanghai", "Asia/Shanghai"),
        ("", settings.TIME_ZONE),
        ("No/Where", settings.TIME_ZONE),
    ]:
        ana.time_zone = zone
        request = rf.get("/")
        request.user = ana
        PersonalSettingsMiddleware(view)(request)
        assert seen["zone"] == expected
    assert timezone.get_current_timezone_name() == settings.TIME_ZONE


def addresses(resolver: URLResolver, prefix: str = "") -> list[tuple[str, URLPattern]]:
    """Return every address of the site without parts that vary."""
    found = []
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += addresses(pattern, route)
        else:
            found.append((route, pattern))
    return found


OPEN_ADDRESSES = {
    "healthz",
    "language/",
    "accounts/login/",
    "accounts/logout/",
    "accounts/inactive/",
    "accounts/signup/",
    # For those whose password was right, and for the key that stands for it.
    "accounts/code/",
    "accounts/passkeys/sign-in/",
    "accounts/password/reset/",
    "accounts/password/reset/done/",
    "accounts/password/reset/key/done/",
    "admin/login/",
}


def test_every_other_page_sends_strangers_to_the_sign_in_page(client):
    fixed = [
        route
        for route, _pattern in addresses(get_resolver())
        if "<" not in route and "(" not in route
    ]
    closed = [route for route in fixed if route not in OPEN_ADDRESSES]
    assert len(closed) > 20
    for route in closed:
        answer = client.get(f"/{route}")
        assert answer.status_code == 302, route
        assert "/login/?next=" in answer["Location"], route


def test_a_part_of_a_page_sends_strangers_to_a_whole_sign_in_page(client):
    answer = client.get(
        "/profile/",
        headers={
            "hx-request": "true",
            "hx-current-url": "http://testserver/profile/?a=1",
        },
    )
    assert (
        answer["HX-Redirect"]
        == f"/accounts/login/?next={quote('/profile/?a=1', safe='')}"
    )
    answer = client.get(
        "/profile/",
        headers={"hx-request": "true", "hx-current-url": "https://evil.example/x"},
    )
    assert answer["HX-Redirect"] == "/accounts/login/"
