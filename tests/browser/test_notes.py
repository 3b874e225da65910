"""Somebody is mentioned by keyboard, and sees it at the bell."""

import re

import pytest
from playwright.sync_api import expect

from crm.models import Note, User
from customers.models import Customer
from tests.browser.conftest import ONLY_CHINESE, ONLY_ENGLISH, PHONE

pytestmark = pytest.mark.browser


def notes_of(page, customer):
    """Open a customer's page at its notes."""
    page.goto(f"/customers/{customer.pk}/")
    text = page.locator("[data-mentions]")
    page.locator("[hx-get$='/panel/notes/']").scroll_into_view_if_needed()
    expect(text).to_be_visible()
    return text


@ONLY_ENGLISH
def test_a_mention_by_keyboard_rings_the_others_bell(visit, say):
    customer = Customer.objects.filter(owner__username="rep").latest("pk")
    reader = User.objects.get(username="manager")
    theirs = visit("manager")
    theirs.goto("/")
    bell = theirs.locator("#bell-side")
    count = bell.locator("[data-bell-count]")
    before = int(count.inner_text() or 0)

    page = visit("rep")
    text = notes_of(page, customer)
    text.focus()
    page.keyboard.type("Please ask @whit")
    options = page.locator("[data-mention-list] [role=option]")
    expect(options).to_have_count(1)
    expect(options).to_contain_text("Daniel Whitmore")
    page.keyboard.press("Enter")
    expect(text).to_have_value("Please ask @Daniel Whitmore ")
    expect(text).to_be_focused()
    page.keyboard.type("for the price.")
    page.get_by_role("button", name=say("Add note"), exact=True).press("Enter")
    chip = page.locator(".note .mention").first
    expect(chip).to_have_text("@Daniel Whitmore")
    note = Note.objects.latest("pk")
    assert note.text == f"Please ask @[{reader.pk}] for the price."

    theirs.reload()
    expect(count).to_have_text(str(before + 1))
    summary = bell.locator("summary")
    summary.focus()
    theirs.keyboard.press("Enter")
    first = bell.locator(".notice").first
    expect(first).to_contain_text(customer.name)
    expect(first).to_contain_text("Sofia Marino")
    theirs.keyboard.press("Escape")
    expect(first).not_to_be_visible()
    expect(summary).to_be_focused()
    theirs.keyboard.press("Enter")
    expect(first).to_be_visible()
    first.get_by_role("link").click()
    expect(theirs).to_have_url(re.compile(rf"/customers/{customer.pk}/$"))
    expect(count).to_have_text(str(before or ""))


@ONLY_CHINESE
def test_a_mention_by_touch_on_a_phone(visit, say):
    customer = Customer.objects.filter(owner__username="rep").earliest("pk")
    page = visit("rep", viewport=PHONE, has_touch=True, is_mobile=True)
    text = notes_of(page, customer)
    text.tap()
    page.keyboard.type("请看@whit")
    page.locator("[data-mention-list] [role=option]").first.tap()
    expect(text).to_have_value("请看@Daniel Whitmore ")
    page.get_by_role("button", name=say("Add note"), exact=True).tap()
    expect(page.locator(".note .mention").first).to_have_text("@Daniel Whitmore")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    page.locator("#bell-top summary").tap()
    expect(page.locator("#bell-top .bell-foot")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@ONLY_ENGLISH
def test_the_bell_asks_only_while_the_tab_is_seen(visit):
    page = visit("rep")
    page.clock.install()
    asked = []
    page.on(
        "request",
        lambda one: asked.append(one.url) if "/count/" in one.url else None,
    )
    page.goto("/notifications/")
    page.clock.fast_forward(61_000)
    page.wait_for_timeout(300)
    assert len(asked) == 1
    page.evaluate(
        "Object.defineProperty(document, 'visibilityState', {value: 'hidden'})"
    )
    page.clock.fast_forward(185_000)
    page.wait_for_timeout(300)
    assert len(asked) == 1
