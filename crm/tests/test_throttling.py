"""Attempts are counted by account and by address, and the wait is said."""

import pytest
from django.test import Client

from crm.tests.signing_in import (
    PASSWORD,
    is_signed_in,
    make_member,
    sign_in,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("ana", "clock"),
]
WAIT_FIVE = "Too many attempts. Please try again in 5 minutes."


def addresses():
    """Yield addresses, no two alike."""
    yield from (f"192.0.2.{number}" for number in range(1, 255))


def test_an_account_is_slowed_down_wherever_the_attempts_come_from():
    each = addresses()
    for _attempt in range(5):
        answer = sign_in(Client(), "ana", "wrong", REMOTE_ADDR=next(each))
        assert "The name or the password is wrong." in answer.text
    client = Client()
    answer = sign_in(client, "ana", REMOTE_ADDR=next(each))
    assert WAIT_FIVE in answer.text
    assert 'role="alert"' in answer.text
    assert not is_signed_in(client), "the right password does not help now"


def test_name_and_mail_are_one_account():
    each = addresses()
    for login in ("ana", "ana@example.com", "ANA@example.com", "ana", " ana "):
        sign_in(Client(), login, "wrong", REMOTE_ADDR=next(each))
    answer = sign_in(Client(), "ana@example.com", REMOTE_ADDR=next(each))
    assert WAIT_FIVE in answer.text


def test_others_are_not_held_up_by_it():
    make_member("ben")
    each = addresses()
    for _attempt in range(6):
        sign_in(Client(), "ana", "wrong", REMOTE_ADDR=next(each))
    client = Client()
    sign_in(client, "ben", REMOTE_ADDR=next(each))
    assert is_signed_in(client)


def test_an_address_is_slowed_down_whatever_the_names():
    for number in range(10):
        sign_in(Client(), f"name{number}", "wrong", REMOTE_ADDR="192.0.2.1")
    client = Client()
    answer = sign_in(client, "ana", REMOTE_ADDR="192.0.2.1")
    assert "Too many attempts. Please try again in 1 minute." in answer.text
    assert not is_signed_in(client)
    sign_in(client, "ana", REMOTE_ADDR="192.0.2.2")
    assert is_signed_in(client)


def test_the_wait_is_as_long_as_was_said(clock):
    for _attempt in range(5):
        sign_in(Client(), "ana", "wrong")
        clock.shift(20)
    # The first attempt was 100 seconds ago.
    client = Client()
    assert "try again in 4 minutes." in sign_in(client, "ana").text
    clock.shift(195)
    assert "try again in 1 minute." in sign_in(client, "ana").text
    clock.shift(6)
    sign_in(client, "ana")
    assert is_signed_in(client)


def test_signing_in_often_is_no_offence():
    for _time in range(8):
        client = Client()
        sign_in(client, "ana")
        assert is_signed_in(client)


def test_a_flood_of_forms_is_answered_with_the_waiting_time():
    client = Client()
    for _attempt in range(30):
        client.post("/accounts/login/", {"login": "", "password": ""})
    answer = sign_in(client, "ana")
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 60
    assert "Please try again in 1 minute." in answer.text
    assert not is_signed_in(client)


def test_it_is_said_in_chinese():
    for _attempt in range(5):
        sign_in(Client(), "ana", "wrong")
    answer = sign_in(Client(), "ana", headers={"accept-language": "zh-hans"})
    assert "尝试次数过多。请在 5 分钟后重试。" in answer.text


def test_mails_for_new_passwords_are_limited(mailoutbox):
    client = Client()
    for _attempt in range(5):
        client.post("/accounts/password/reset/", {"email": "ana@example.com"})
    answer = client.post("/accounts/password/reset/", {"email": "ana@example.com"})
    assert answer.status_code == 429
    assert len(mailoutbox) == 5


def test_the_password_that_is_asked_again_is_limited(clock):
    client = Client()
    sign_in(client, "ana")
    clock.shift(400)
    for _attempt in range(5):
        client.post("/accounts/reauthenticate/", {"password": "wrong"})
    answer = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert WAIT_FIVE in answer.text


def test_behind_a_proxy_each_visitor_has_an_own_address(settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(12):
        headers = {"x-forwarded-for": f"203.0.113.9, 192.0.2.{number}"}
        sign_in(Client(), f"name{number}", "wrong", headers=headers)
    client = Client()
    sign_in(client, "ana", headers={"x-forwarded-for": "192.0.2.200"})
    assert is_signed_in(client)
    # What a visitor writes into the header in front of it does not count.
    for number in range(12):
        headers = {"x-forwarded-for": f"203.0.113.{number}, 192.0.2.77"}
        answer = sign_in(Client(), f"other{number}", "wrong", headers=headers)
    assert "Too many attempts" in answer.text
