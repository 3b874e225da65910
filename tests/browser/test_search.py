"""Find a customer from any page by what one remembers of them."""

import re

import pytest
from playwright.sync_api import expect

from crm.models import User
from customers.models import Customer
from tests.browser.conftest import ONLY_ENGLISH

pytestmark = pytest.mark.browser


@pytest.fixture
def ouyang(site):
    """Return a customer of the manager, and take it away afterwards."""
    owner = User.objects.get(username="manager")
    one = Customer.objects.create(
        name="欧阳娜娜", phone="+86 131 5550 7788", owner=owner
    )
    yield one
    one.delete()


@ONLY_ENGLISH
def test_search_by_pinyin_and_by_phone_suffix_from_the_header(visit, ouyang):
    page = visit("manager")
    page.goto("/")
    page.keyboard.press("/")
    box = page.locator("#global-search")
    expect(box).to_be_focused()

    page.keyboard.type("ouyangna")
    hit = page.locator("#search-suggestions [role=option]").first
    expect(hit).to_contain_text("欧阳娜娜")
    page.keyboard.press("ArrowDown")
    expect(hit).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("欧阳娜娜")

    page.locator("#global-search").fill("5507788")
    expect(hit).to_contain_text("欧阳娜娜")
    page.keyboard.press("Escape")
    expect(page.locator("#search-suggestions")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search/\?q=5507788$"))
    expect(page.locator(".search-results .search-hit")).to_have_text(
        re.compile("欧阳娜娜")
    )
