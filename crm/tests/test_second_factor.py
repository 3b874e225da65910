"""Authenticator apps, recovery codes, and roles that ask for a second factor."""

import json

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import Client
from django.urls import reverse

from crm.models import Grant, Role, User
from crm.security.factors import FactorAdapter
from crm.tests.signing_in import (
    PASSWORD,
    SECURITY,
    code_of,
    is_signed_in,
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
CODE = "/accounts/code/"
NOT_A_CODE = "000000"


@pytest.fixture
def secret(ana) -> str:
    """Return the secret of Ana's app."""
    secret = generate_totp_secret()
    TOTP.activate(ana, secret)
    return secret


def test_an_app_is_set_up_and_asked_for_from_then_on(client, ana):
    sign_in(client, "ana")
    secret, _codes = set_up_app(client)
    assert "Authenticator app" in client.get(SECURITY).text
    client.post("/accounts/logout/")

    answer = sign_in(client, "ana", headers={"accept-language": "en"})
    assert answer["Location"] == CODE
    assert not is_signed_in(client), "the password alone is not enough any more"
    assert client.get("/profile/").status_code == 302
    answer = client.post(CODE, {"code": code_of(secret)})
    assert answer["Location"] == "/"
    assert is_signed_in(client)


def test_the_page_asked_for_is_kept_through_the_second_step(client, secret):
    data = {"login": "ana", "password": PASSWORD, "next": "/profile/"}
    client.post("/accounts/login/", data)
    assert client.post(CODE, {"code": code_of(secret)})["Location"] == "/profile/"


@pytest.mark.parametrize("code", [NOT_A_CODE, "", "x" * 500, "０００００１"])
def test_a_wrong_code_is_said_beside_the_field(client, secret, code):
    sign_in(client, "ana")
    answer = client.post(CODE, {"code": code})
    assert answer.status_code == 200
    assert 'id="id_code_error"' in answer.text
    assert not is_signed_in(client)


def test_a_code_is_good_once(client, secret):
    code = code_of(secret)
    sign_in(client, "ana")
    client.post(CODE, {"code": code})
    assert is_signed_in(client)
    second = Client()
    sign_in(second, "ana")
    assert second.post(CODE, {"code": code}).status_code == 200
    assert not is_signed_in(second)


def test_an_old_code_is_refused(client, secret, clock):
    code = code_of(secret)
    clock.shift(60)
    sign_in(client, "ana")
    client.post(CODE, {"code": code})
    assert not is_signed_in(client)


def test_guessing_codes_is_slowed_down(client, secret):
    sign_in(client, "ana")
    for _attempt in range(5):
        client.post(CODE, {"code": NOT_A_CODE})
    answer = client.post(CODE, {"code": code_of(secret)})
    assert "Too many attempts. Please try again in 5 minutes." in answer.text
    assert not is_signed_in(client)
    assert latest("throttled").name == "ana"


def test_a_recovery_code_lets_in_once(client, ana):
    sign_in(client, "ana")
    _secret, codes = set_up_app(client)
    client.post("/accounts/logout/")
    for expected in (True, False):
        sign_in(client, "ana")
        client.post(CODE, {"code": codes[3]})
        assert is_signed_in(client) is expected
        client.post("/accounts/logout/")
    sign_in(client, "ana")
    client.post(CODE, {"code": codes[4]})
    assert "8 codes are left." in client.get(SECURITY).text


def test_secrets_are_shown_once(client, ana):
    sign_in(client, "ana")
    secret, codes = set_up_app(client)
    for address in (SECURITY, "/accounts/recovery-codes/", "/accounts/app/add/"):
        text = client.get(address, follow=True).text
        assert secret not in text
        assert not any(code in text for code in codes)
    assert client.get("/accounts/recovery-codes/download/").status_code == 404


def test_secrets_are_encrypted_in_the_database(client, ana, settings):
    sign_in(client, "ana")
    secret, codes = set_up_app(client)
    for factor in Authenticator.objects.filter(user=ana):
        stored = json.dumps(factor.data)
        assert secret not in stored
        assert not any(code in stored for code in codes)
    kept = Authenticator.objects.get(type="totp").data["secret"]
    assert FactorAdapter().decrypt(kept) == secret
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + "y" * 50
    assert FactorAdapter().decrypt(kept) == secret


def test_a_secret_of_a_lost_key_is_said_and_lets_nobody_in(client, secret, settings):
    settings.SECRET_KEY = "another-" + "y" * 50
    sign_in(client, "ana")
    answer = client.post(CODE, {"code": code_of(secret)})
    assert "cannot be read any more" in answer.text
    assert not is_signed_in(client)


def test_new_recovery_codes_replace_the_old(client, ana):
    sign_in(client, "ana")
    _secret, codes = set_up_app(client)
    page = client.get("/accounts/recovery-codes/new/").text
    assert "The 10 old codes that are left work no more." in page
    answer = client.post("/accounts/recovery-codes/new/", follow=True)
    assert not any(code in answer.text for code in codes)
    client.post("/accounts/logout/")
    sign_in(client, "ana")
    client.post(CODE, {"code": codes[0]})
    assert not is_signed_in(client)


def test_an_app_is_removed_with_its_codes(client, ana):
    sign_in(client, "ana")
    set_up_app(client)
    assert "Remove the authenticator app?" in client.get("/accounts/app/remove/").text
    client.post("/accounts/app/remove/")
    assert not Authenticator.objects.exists()
    client.post("/accounts/logout/")
    sign_in(client, "ana")
    assert is_signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_changes_are_told_by_mail_in_the_language_of_the_person(client, ana):
    sign_in(client, "ana")
    User.objects.filter(pk=ana.pk).update(language="zh-hans")
    set_up_app(client)
    client.post("/accounts/app/remove/")
    assert [one.to for one in mail.outbox] == [["ana@example.com"]] * 2
    assert [one.subject for one in mail.outbox] == [
        "您的账户：已添加身份验证器应用",
        "您的账户：已移除身份验证器应用",
    ]


def test_after_some_minutes_the_password_is_asked_for_again(
    client,
    ana,
    clock,
):
    sign_in(client, "ana")
    clock.shift(301)
    answer = client.get("/accounts/app/add/")
    assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
    wrong = client.post(answer["Location"], {"password": "not this"})
    assert wrong.status_code == 200
    assert latest("sign_in_failed").details == {"reason": "asked again"}
    again = client.post(answer["Location"], {"password": PASSWORD})
    assert again["Location"] == "/accounts/app/add/"
    assert client.get("/accounts/app/add/").status_code == 200


def test_factors_of_others_are_out_of_reach(client, ana):
    sign_in(client, "ana")
    other = make_member("ben")
    factor = Authenticator.objects.create(
        user=other, type="webauthn", data={"name": "Ben's key", "credential": {}}
    )
    for page in ("edit", "remove"):
        address = f"/accounts/passkeys/{factor.pk}/{page}/"
        assert client.get(address).status_code == 404
        assert client.post(address, {"name": "x"}).status_code == 404
    assert Authenticator.objects.get().data["name"] == "Ben's key"


def test_passkeys_are_for_those_who_signed_in(client, ana):
    for page in ("edit", "remove"):
        answer = client.get(f"/accounts/passkeys/1/{page}/")
        assert answer["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize(
    "credential", ["", "{}", "[]", "null", '{"response": {}}', "not json", '"x"']
)
def test_a_made_up_passkey_is_refused(client, secret, credential):
    """What a browser sends is an attacker's word until it is checked."""
    sign_in(client, "ana")
    answer = client.post(CODE, {"credential": credential})
    assert answer.status_code == 200
    assert not is_signed_in(client)
    alone = Client()
    answer = alone.post("/accounts/passkeys/sign-in/", {"credential": credential})
    assert answer.status_code in (200, 302)
    assert not is_signed_in(alone)
    client.post(CODE, {"code": code_of(secret)})
    answer = client.post("/accounts/passkeys/add/", {"credential": credential})
    assert answer.status_code == 200
    assert not Authenticator.objects.filter(type="webauthn").exists()


# --- Roles that ask for it ------------------------------------------------------------


@pytest.fixture
def rep(ana) -> User:
    """Return Ana with a role that asks for a second factor."""
    role = Role.objects.get(code="representative")
    role.requires_second_factor = True
    role.save()
    ana.roles.add(role)
    return ana


def test_without_a_factor_every_page_leads_to_its_set_up(client, rep):
    assert sign_in(client, "ana")["Location"] == "/"
    for address in ("/", "/profile/", "/people/", "/accounts/password/change/"):
        assert client.get(address)["Location"] == SECURITY, address
    page = client.get(SECURITY)
    assert page.status_code == 200
    assert "Set up a second factor to go on" in page.text
    assert "(Representative)" in page.text
    set_up_app(client)
    assert client.get("/profile/").status_code == 200
    assert "to go on" not in client.get(SECURITY).text


def test_a_write_is_held_back_too(client, rep):
    sign_in(client, "ana")
    client.post("/profile/", {"first_name": "Changed"})
    rep.refresh_from_db()
    assert rep.first_name == "Ana"


def test_parts_of_pages_and_programs_get_an_answer_that_they_understand(client, rep):
    sign_in(client, "ana")
    part = client.get("/people/", headers={"hx-request": "true"})
    assert part["HX-Redirect"] == SECURITY
    program = client.get("/people/", headers={"accept": "application/json"})
    assert program.status_code == 403
    assert program.text == "Set up a second factor first."


def test_one_can_still_sign_out_and_choose_a_language(client, rep):
    sign_in(client, "ana")
    answer = client.post("/language/", {"language": "zh-hans", "next": SECURITY})
    assert answer["Location"] == SECURITY
    client.post("/accounts/logout/")
    assert not is_signed_in(client)


def test_a_demand_made_meanwhile_counts_from_the_next_request(client, ana):
    sign_in(client, "ana")
    role = Role.objects.get(code="agent")
    ana.roles.add(role)
    assert client.get("/profile/").status_code == 200
    Role.objects.filter(pk=role.pk).update(requires_second_factor=True)
    assert client.get("/profile/")["Location"] == SECURITY


def test_the_last_factor_cannot_be_dropped_where_one_is_asked_for(client, rep):
    sign_in(client, "ana")
    set_up_app(client)
    page = client.get("/accounts/app/remove/").text
    assert "Your role asks for a second factor. Add a passkey first." in page
    client.post("/accounts/app/remove/")
    assert Authenticator.objects.filter(type="totp").exists()


def test_recovery_codes_alone_are_not_enough(client, rep):
    Authenticator.objects.create(user=rep, type="recovery_codes", data={})
    sign_in(client, "ana", "wrong")
    client.force_login(rep)
    assert client.get("/profile/")["Location"] == SECURITY


def test_an_administrator_takes_a_lost_factor_away(client, rep):
    sign_in(client, "ana")
    set_up_app(client)
    boss = make_member("dev")
    User.objects.filter(pk=boss.pk).update(is_staff=True, is_superuser=True)
    desk = Client()
    desk.force_login(boss)
    factor = Authenticator.objects.get(type="totp")
    change = reverse("admin:mfa_authenticator_change", args=[factor.pk])
    page = desk.get(change)
    assert page.status_code == 200
    assert factor.data["secret"] not in page.text
    delete = reverse("admin:mfa_authenticator_delete", args=[factor.pk])
    assert desk.post(delete, {"post": "yes"}).status_code == 302
    event = latest("factor_removed")
    assert (event.name, event.actor_id) == ("ana", boss.pk)
    client.post("/accounts/logout/")
    sign_in(client, "ana")
    assert is_signed_in(client)
    assert client.get("/profile/")["Location"] == SECURITY


def test_a_role_is_told_in_the_administration_to_ask_for_it(client, ana):
    User.objects.filter(pk=ana.pk).update(is_staff=True, is_superuser=True)
    client.force_login(ana)
    role = Role.objects.get(code="agent")
    grants = list(Grant.objects.filter(role=role).order_by("pk"))
    data = {
        "code": "agent",
        "name": "",
        "requires_second_factor": "on",
        "grants-TOTAL_FORMS": len(grants),
        "grants-INITIAL_FORMS": len(grants),
    }
    for place, one in enumerate(grants):
        for name in ("id", "model", "verb", "scope"):
            data[f"grants-{place}-{name}"] = getattr(one, name)
        data[f"grants-{place}-role"] = role.pk
    answer = client.post(reverse("admin:crm_role_change", args=[role.pk]), data)
    assert answer.status_code == 302
    role.refresh_from_db()
    assert role.requires_second_factor
    assert "grant_changed" not in kinds()
    assert latest("role_changed").details["requires_second_factor"] is True
