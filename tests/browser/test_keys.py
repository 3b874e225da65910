"""The list, and what lies around it, by keyboard alone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ONLY_CHINESE, ONLY_ENGLISH

pytestmark = pytest.mark.browser


@ONLY_ENGLISH
def test_rows_are_walked_and_opened_by_keys(visit, say):
    page = visit("manager")
    page.goto("/customers/")
    row = page.locator("#list tbody tr")
    for key in "jjk":
        page.keyboard.press(key)
    expect(row.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(row.nth(1)).to_be_focused()
    name = row.nth(1).locator("a").first.inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile(r"/edit/$"))
    # While one types, the keys are letters.
    field = page.locator("[name=name]")
    field.fill("")
    field.press_sequentially("jke?")
    expect(field).to_have_value("jke?")


@ONLY_CHINESE
def test_the_help_names_the_keys_of_the_page(visit, say):
    page = visit("manager")
    page.goto("/customers/")
    page.keyboard.press("?")
    helped = page.get_by_role("dialog", name=say("Keys"))
    for words in ("Next row", "Search", "Show these keys"):
        expect(helped.get_by_text(say(words), exact=True)).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("#list tr.is-current")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(helped).to_be_hidden()
