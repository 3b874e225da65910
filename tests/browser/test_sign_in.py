"""Signing in with an app and with passkeys, in a real browser under the real policy."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from playwright.sync_api import Page, expect

from crm.models import EventKind, Role, SecurityEvent, User
from crm.testing.world import make_person
from tests.browser.conftest import ONLY_ENGLISH, PHONE
from tests.browser.doing import press

pytestmark = pytest.mark.browser
PASSWORD = "seven quiet rivers"
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def member(site):
    """Return a person whose role asks for a second factor."""
    cache.clear()
    person = make_person("newcomer", None, "representative")
    person.set_password(PASSWORD)
    person.save()
    role = Role.objects.get(code="agent")
    Role.objects.filter(pk=role.pk).update(requires_second_factor=True)
    person.roles.set([role])
    yield person
    Role.objects.filter(pk=role.pk).update(requires_second_factor=False)
    person.delete()


def at_localhost(site) -> str:
    """Return the site's address by a name: passkeys belong to names, not numbers."""
    return site.url.replace("127.0.0.1", "localhost")


def plug_in_key(page: Page) -> None:
    """Give the browser a passkey device whose owner always agrees."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})


def sign_in(page: Page, say) -> None:
    """Fill in the first step."""
    page.goto("/accounts/login/")
    page.locator("[name=login]").fill("newcomer")
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name=say("Sign in"), exact=True).click()


def fresh_code(secret: str) -> str:
    """Return what the app shows, which does not run out while it is sent."""
    left = 30 - time.time() % 30
    if left < 15:
        time.sleep(left)
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def kinds_of(person: User) -> list[str]:
    """Return the kinds of the person's events, oldest first."""
    rows = SecurityEvent.objects.filter(person=person.pk).order_by("pk")
    return list(rows.values_list("kind", flat=True))


def test_an_app_is_set_up_on_demand_and_used(visit, site, member, say):
    page = visit(base_url=at_localhost(site), viewport=PHONE)
    sign_in(page, say)
    page.wait_for_url("**/accounts/security/")
    expect(page.get_by_role("alert")).to_contain_text(
        say("Set up a second factor to go on")
    )
    page.get_by_role("link", name=say("Set up an authenticator app")).click()
    expect(page.locator(".qr img")).to_be_visible()
    assert page.locator(".qr img").evaluate("image => image.naturalWidth") > 0
    secret = page.locator("code.secret").inner_text()
    page.locator("[name=code]").fill(fresh_code(secret))
    press(page, say("Set up"))
    page.wait_for_url("**/recovery-codes/")
    codes = page.locator(".recovery-codes code").all_inner_texts()
    assert len(set(codes)) == 10
    page.get_by_role("link", name=say("I have kept them")).click()
    page.goto("/profile/")
    expect(page).to_have_url(f"{at_localhost(site)}/profile/")

    other = visit(base_url=at_localhost(site))
    sign_in(other, say)
    other.wait_for_url("**/accounts/code/")
    other.locator("[name=code]").fill(codes[0])
    press(other, say("Go on"))
    other.wait_for_url(f"{at_localhost(site)}/")
    # It sees the session of the phone, and ends it.
    other.goto("/accounts/security/")
    rows = other.locator("#sessions li")
    expect(rows).to_have_count(2)
    rows.nth(1).get_by_role("button").click()
    expect(rows).to_have_count(1)
    page.goto("/profile/")
    assert "/accounts/login/" in page.url


@ONLY_ENGLISH
def test_a_passkey_is_added_used_and_removed(visit, site, member, say):
    page = visit(base_url=at_localhost(site))
    plug_in_key(page)
    sign_in(page, say)
    page.get_by_role("link", name=say("Add a passkey")).click()
    page.locator("[name=passwordless]").check()
    page.get_by_role("button", name=say("Add the passkey")).click()
    page.wait_for_url("**/recovery-codes/")
    assert kinds_of(member)[-2:] == [EventKind.PASSKEY_ADDED, EventKind.CODES_MADE]

    page.goto("/accounts/security/")
    page.locator("#sessions button").first.click()
    sign_in(page, say)
    page.wait_for_url("**/accounts/code/")
    page.get_by_role("button", name=say("Use a passkey")).click()
    page.wait_for_url(f"{at_localhost(site)}/")
    assert kinds_of(member)[-2:] == [EventKind.FACTOR_USED, EventKind.SIGNED_IN]

    page.goto("/accounts/security/")
    page.locator("#sessions button").first.click()
    page.get_by_role("button", name=say("Sign in with a passkey")).click()
    page.wait_for_url(f"{at_localhost(site)}/")
    latest = SecurityEvent.objects.filter(person=member.pk).latest("pk")
    assert latest.details == {"method": "webauthn"}

    page.goto("/accounts/security/")
    page.get_by_role("link", name="Rename Passkey 1").click()
    page.locator("[name=name]").fill("My laptop")
    press(page, say("Save"))
    page.get_by_role("link", name="Remove My laptop").click()
    press(page, say("Remove"))
    page.wait_for_url("**/accounts/security/")
    assert kinds_of(member)[-1] == EventKind.PASSKEY_REMOVED
    assert not Authenticator.objects.filter(user=member).exists()
    expect(page.get_by_role("alert").first).to_contain_text("Set up a second factor")


@ONLY_ENGLISH
def test_without_a_passkey_the_page_says_so(visit, site, member, say):
    page = visit(base_url=at_localhost(site))
    plug_in_key(page)
    page.goto("/accounts/login/")
    page.get_by_role("button", name=say("Sign in with a passkey")).click()
    expect(page.locator("[data-passkey-error]")).to_be_visible()
