"""Build a filter, keep it as a view, choose columns: all of it by hand."""

import re

import pytest
from playwright.sync_api import expect

from crm.models import ListLayout, SavedView, User
from customers.models import Customer
from tests.browser.conftest import ONLY_ENGLISH
from tests.browser.doing import choose, press

pytestmark = [pytest.mark.browser, ONLY_ENGLISH]
LIST = "/customers/"


def rows(page):
    return page.locator("#list tbody tr")


def test_two_groups_are_built_saved_for_the_team_and_opened_by_a_colleague(visit, say):
    rep = User.objects.get(username="rep")
    city = Customer.objects.filter(owner=rep).exclude(city="").first().city
    page = visit("rep")
    page.goto(LIST)
    page.locator(".filters > summary").click()
    builder = page.locator("[data-builder]")
    first = builder.locator("[data-condition]").first
    choose(first, "Field", "City")
    first.get_by_label("Comparison").wait_for()
    first.get_by_label("Value").fill(city)
    press(builder, "Add group (or)")
    expect(builder.locator("[data-builder-group]")).to_have_count(2)
    second = builder.locator("[data-condition]").nth(1)
    choose(second, "Field", "Owner")
    choose(second, "Value", "me")
    second.get_by_role("combobox", name="Value").press("Escape")
    press(builder, "Apply the conditions")
    expect(page.locator(".chip-or")).to_have_text("or")
    expect(page.locator(".chip").nth(0)).to_contain_text(f"City is {city}")
    expect(page.locator(".chip").nth(1)).to_contain_text("Owner any of me")

    page.locator(".save-view > summary").click()
    page.get_by_label("Name of the view").fill("Mine or near")
    page.get_by_label("For whom").select_option("team")
    press(page, "Save the view")
    tab = page.locator(".view-tabs [aria-current=page]")
    expect(tab).to_have_text("Mine or near")
    expect(page).to_have_url(re.compile(r"\?view=\d+$"))

    view = SavedView.objects.get(name="Mine or near")
    mate = User.objects.filter(team=rep.team, is_active=True).exclude(pk=rep.pk).first()
    other = visit(mate.username)
    other.goto(LIST)
    other.get_by_role("link", name="Mine or near").click()
    expect(other.locator(".chip").nth(1)).to_contain_text("Owner any of me")
    # A colleague may open it, not change it.
    expect(other.get_by_role("link", name="Edit this view")).to_have_count(0)
    other.locator(".chip a").first.click()
    expect(other.locator(".chip")).to_have_count(1)
    view.delete()


def test_columns_are_ordered_by_key_and_widened_by_hand(visit, say):
    rep = User.objects.get(username="rep")
    page = visit("rep")
    page.goto(LIST)
    heads = page.locator("#list thead th[data-col]")
    menu = page.locator(".layout-menu")
    menu.locator("summary").click()
    up = menu.get_by_role("button", name="Move Phone up")
    up.focus()
    page.keyboard.press("Enter")
    expect(up).to_be_focused()
    page.keyboard.press("Enter")
    menu.get_by_label("compact").check()
    press(menu, "Apply")
    expect(heads.first).to_have_text(re.compile("Phone"))
    expect(page.locator("#list table")).to_have_class(re.compile("table-compact"))

    edge = heads.nth(1).locator("[data-edge]")
    box = edge.bounding_box()
    with page.expect_response(lambda answer: "/layout/" in answer.url):
        page.mouse.move(box["x"] + 3, box["y"] + 5)
        page.mouse.down()
        page.mouse.move(box["x"] + 123, box["y"] + 5, steps=4)
        page.mouse.up()
    page.reload()
    kept = ListLayout.objects.get(person=rep, list_key="customers.customer")
    assert kept.widths["name"] == round(heads.nth(1).bounding_box()["width"])
    kept.delete()
