"""Change many rows at once, and single cells by the keyboard alone."""

import re

import pytest
from playwright.sync_api import expect

from crm.models import User
from customers.models import Customer
from tests.browser.conftest import ONLY_CHINESE, ONLY_ENGLISH
from tests.browser.doing import choose, press

pytestmark = pytest.mark.browser
CITY = "Bulkham"


def add(count, **values):
    """Add customers of the manager in a city of their own."""
    owner = User.objects.get(username="manager")
    return Customer.objects.bulk_create(
        Customer(name=f"Row {number:05d}", owner=owner, city=CITY, **values)
        for number in range(count)
    )


@pytest.fixture(autouse=True)
def _clean(site):
    yield
    Customer.objects.filter(name__startswith="Row ").delete()


@ONLY_CHINESE
def test_three_thousand_filtered_customers_are_assigned(visit, say):
    add(3000)
    rep = User.objects.get(username="rep")
    page = visit("manager")
    page.goto(f"/customers/?city={CITY}")
    page.locator("[data-select-page]").check()
    expect(page.locator("[data-bulk-count]")).to_contain_text("50")
    page.locator("[data-select-all]").click()
    expect(page.locator("[data-bulk-count]")).to_contain_text(re.compile("3,?000"))
    bar = page.locator("[data-bulk-bar]")
    bar.get_by_role("button", name=say("Assign")).click()
    choose(page, say("owner").capitalize(), str(rep))
    page.get_by_role("button", name=say("Continue")).click()
    page.get_by_role("button", name=re.compile(r"3,?000")).click()
    expect(page).to_have_url(re.compile(r"/jobs/\d+/$"))
    result = page.locator(".card").filter(has_text=say("What became of the rows"))
    expect(result).to_contain_text(re.compile("3,?000"))
    assert Customer.objects.filter(city=CITY, owner=rep).count() == 3000


@ONLY_ENGLISH
def test_a_choice_outlives_sorting_and_ends_with_another_filter(visit, say):
    add(60)
    page = visit("manager")
    page.goto(f"/customers/?city={CITY}")
    count = page.locator("[data-bulk-count]")
    boxes = page.locator("#list [data-select]")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(count).to_have_text("4 selected")
    page.locator("#list thead a").first.click()
    expect(page.locator("#list th[aria-sort=descending]")).to_have_count(1)
    expect(count).to_have_text("4 selected")
    page.locator("#list-search").fill("Row 0000")
    expect(boxes).to_have_count(10)
    expect(page.locator("[data-bulk-bar]")).to_be_hidden()


@ONLY_ENGLISH
def test_three_cells_are_edited_by_the_keyboard_alone(visit, say, watch):
    watch.expect(422)
    (row, _other) = add(2)
    page = visit("manager")
    page.goto(f"/customers/?city={CITY}&columns=name,kind,phone,city")
    page.keyboard.press("j")
    page.keyboard.press("F2")
    cell = page.locator(f"[data-pk='{row.pk}'] [data-edit]")
    expect(cell.nth(0).locator("input[name=name]")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    expect(cell.nth(0).locator(".field-error")).to_be_visible()
    page.keyboard.type("Row Renamed")
    page.keyboard.press("Tab")
    expect(cell.nth(1).locator("select")).to_be_focused()
    expect(cell.nth(0)).to_have_text("Row Renamed")
    page.keyboard.type("Comp")
    page.keyboard.press("Tab")
    expect(cell.nth(2).locator("input[name=phone]")).to_be_focused()
    page.keyboard.type("+44 20 7946 0001")
    page.keyboard.press("Enter")
    expect(cell.nth(2)).to_have_text("+44 20 7946 0001")
    expect(cell.nth(2)).to_be_focused()
    row.refresh_from_db()
    assert (row.name, row.kind, row.phone) == (
        "Row Renamed",
        "company",
        "+44 20 7946 0001",
    )
    page.keyboard.press("e")
    expect(cell.nth(2).locator("input[name=phone]")).to_be_focused()
    page.keyboard.type("5")
    page.keyboard.press("Escape")
    expect(cell.nth(2)).to_have_text("+44 20 7946 0001")


@ONLY_ENGLISH
def test_two_who_change_the_same_cell_are_told_of_each_other(visit, say, watch):
    watch.expect(409)
    (row,) = add(1)
    cells = []
    for username in ("manager", "admin"):
        page = visit(username)
        page.goto(f"/customers/?city={CITY}&columns=name,kind,city")
        cells.append(page.locator(f"[data-pk='{row.pk}'] [data-edit=city]"))
    first, second = cells

    def clash(early, late, kept, lost):
        for cell in (late, early):
            cell.click()
            expect(cell.locator("input[name=city]")).to_be_focused()
        for cell, text in ((early, kept), (late, lost)):
            cell.locator("input[name=city]").fill(text)
            cell.locator("input[name=city]").press("Enter")
        expect(early).to_have_text(kept)
        expect(late.locator(".cell-note")).to_contain_text(f"Now: {kept}")

    clash(first, second, "Leeds", "York")
    expect(second.locator(".cell-note")).to_contain_text(
        str(User.objects.get(username="manager"))
    )
    press(second, "Keep mine")
    expect(second).to_have_text("York")
    row.refresh_from_db()
    assert row.city == "York"

    clash(second, first, "Hull", "Bath")
    press(first, "Take theirs")
    expect(first).to_have_text("Hull")
    row.refresh_from_db()
    assert row.city == "Hull"


@ONLY_ENGLISH
def test_the_names_stay_while_the_other_columns_are_scrolled(visit, say):
    add(2)
    page = visit("manager", viewport={"width": 1000, "height": 800})
    columns = "name,kind,phone,email,city,country,owner,source,customer_since"
    page.goto(f"/customers/?city={CITY}&columns={columns},annual_income,created_at")
    place = page.locator("#list .table-scroll")
    cells = page.locator("#list tbody tr").first.locator("td[data-edit]")
    before = [cells.nth(number).bounding_box()["x"] for number in (0, 2)]
    place.evaluate("one => { one.scrollLeft = 150 }")
    after = [cells.nth(number).bounding_box()["x"] for number in (0, 2)]
    assert after == [before[0], before[1] - 150]
