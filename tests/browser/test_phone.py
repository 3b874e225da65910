"""Everything can be done on a phone."""

import pytest
from playwright.sync_api import expect

from customers.models import Customer
from tests.browser.conftest import ONLY_CHINESE, ONLY_ENGLISH, PHONE
from tests.browser.doing import press

pytestmark = pytest.mark.browser


@ONLY_CHINESE
def test_a_customer_is_found_and_a_call_is_logged_on_a_phone(visit, say):
    customer = Customer.objects.filter(owner__username="rep").latest("pk")
    page = visit("rep", viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto("/")
    menu = page.locator("#navigation")
    expect(menu).not_to_be_in_viewport()
    page.get_by_role("button", name=say("Menu"), exact=True).tap()
    expect(menu).to_be_in_viewport()
    menu.get_by_role("link", name=say("Customers"), exact=True).tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(say("Customers"))
    expect(menu).not_to_be_in_viewport()
    page.locator("#list-search").fill(customer.name)
    rows = page.locator("#list tbody tr")
    expect(page.locator(".chip")).to_contain_text(customer.name)
    expect(rows.first).to_contain_text(customer.name)
    rows.first.get_by_role("link", name=customer.name).tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(customer.name)
    page.get_by_text(say("Log a call or a note")).tap()
    said = f"Called back on the way ({say.language})"
    page.get_by_label(say("In a few words")).fill(said)
    press(page, say("Add to the timeline"))
    expect(page.locator("#timeline li").first).to_contain_text(said)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]


@ONLY_ENGLISH
def test_the_menu_is_closed_again_by_key_and_by_tap(visit, say):
    page = visit("rep", viewport=PHONE)
    page.goto("/")
    opener = page.get_by_role("button", name=say("Menu"), exact=True)
    menu = page.locator("#navigation")
    opener.click()
    expect(menu).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(menu).not_to_be_in_viewport()
    expect(opener).to_be_focused()
    opener.click()
    page.mouse.click(340, 400)
    expect(menu).not_to_be_in_viewport()


@ONLY_ENGLISH
def test_a_call_is_logged_with_three_taps_from_the_list(visit, say):
    own = Customer.objects.filter(owner__username="rep")
    customer = own.exclude(phone="").earliest("pk")
    page = visit("rep", viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto(f"/customers/?q={customer.name}")
    row = page.locator("#list tbody tr").first
    expect(row.locator("a[href^='tel:']").first).to_be_visible()
    row.get_by_role("link", name=customer.name).tap()
    page.get_by_role("link", name=say("Log a call"), exact=True).tap()
    form = page.locator("#quick-add")
    expect(form.locator("[name=subject]")).to_be_focused()
    page.keyboard.type("Rang from the train")
    form.get_by_role("button", name=say("Save"), exact=True).tap()
    expect(page.locator("#timeline li").first).to_contain_text("Rang from the train")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]


@ONLY_ENGLISH
def test_rows_are_cards_as_wide_as_the_screen(visit, say):
    page = visit("rep", viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto("/customers/")
    expect(page.locator("#list tbody td").nth(1)).to_be_visible()
    shown = page.locator("#list tbody td").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).display)"
    )
    assert "flex" in shown
    assert "table-cell" not in shown
    wider = page.locator("#list .table-scroll, #list tbody tr").evaluate_all(
        "all => all.filter((one) => one.scrollWidth > one.clientWidth).length"
    )
    assert wider == 0


@ONLY_ENGLISH
def test_the_menu_of_columns_stays_on_the_screen(visit, say):
    page = visit("rep", viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto("/customers/")
    page.locator(".layout-menu > summary").click()
    first = page.locator(".layout-columns input").first
    expect(first).to_be_visible()
    menu = page.locator(".layout-menu .menu-body").bounding_box()
    assert menu["x"] >= 0
    assert menu["x"] + menu["width"] <= PHONE["width"]
