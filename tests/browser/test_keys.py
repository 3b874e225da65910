"""The list, and what lies around it, by keyboard alone."""

import re

import pytest
from playwright.sync_api import expect

from crm.models import User
from customers.models import Customer
from tests.browser.conftest import ONLY_CHINESE, ONLY_ENGLISH

pytestmark = pytest.mark.browser
CITY = "Keyham"


@pytest.fixture
def pair(site):
    """Return two customers of the manager in a city of their own."""
    owner = User.objects.get(username="manager")
    yield [
        Customer.objects.create(
            name=f"{name} of Keyham",
            phone=f"+44 20 7946 070{number}",
            email=f"{name}@keyham.example".lower(),
            city=CITY,
            owner=owner,
        )
        for number, name in enumerate(("Alder", "Birch"))
    ]
    Customer.objects.filter(name__endswith="of Keyham").delete()


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
    page.keyboard.press("x")
    expect(row.nth(1).locator("[data-select]")).to_be_checked()
    expect(page.locator("[data-bulk-count]")).to_have_text("1 selected")
    name = row.nth(1).locator("a").first.inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.wait_for_load_state()
    edit = page.get_by_role("link", name="Edit", exact=True)
    expect(edit).to_have_attribute("aria-keyshortcuts", "e")
    expect(edit.locator(".key-hint")).to_be_visible()
    expect(edit.locator(".key-hint")).to_have_text("E")
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


@ONLY_ENGLISH
def test_rows_are_looked_at_beside_the_list(visit, say):
    page = visit("manager")
    page.goto("/customers/?sort=-name")
    rows = page.locator("#list tbody tr")
    peek = page.get_by_role("complementary", name=say("Quick view"))
    page.keyboard.press("j")
    page.keyboard.press("p")
    heading = peek.locator("#peek-title")
    expect(heading).to_have_text(rows.nth(0).locator("a").first.inner_text())
    page.keyboard.press("j")
    second = rows.nth(1).locator("a").first.inner_text()
    expect(heading).to_have_text(second)
    expect(rows.nth(1)).to_be_focused()
    page.go_back()
    expect(peek).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/customers/\?sort=-name$"))
    expect(rows.nth(1)).to_be_focused()
    # The record knows the list: on to the next one, and back to the same place.
    page.keyboard.press("Enter")
    title = page.get_by_role("heading", level=1)
    expect(title).to_have_text(second)
    expect(page.locator("[rel=next]")).to_be_visible()
    page.keyboard.press("]")
    expect(title).not_to_have_text(second)
    third = title.inner_text()
    page.get_by_role("link", name=say("Back to the list")).click()
    expect(page.locator("tr.is-current a").first).to_have_text(third)


@ONLY_ENGLISH
def test_the_palette_goes_creates_and_warns_of_a_double(visit, say, watch):
    watch.expect(422)
    page = visit("manager")
    page.goto("/")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name=say("Go somewhere or do something"))
    box.fill("客户")
    first = page.locator("#palette [role=option]").first
    expect(first).to_contain_text(say("Customers"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/customers/$"))
    known = page.locator("#list tbody tr a").first.inner_text()

    page.wait_for_load_state()
    page.keyboard.press("Control+k")
    box.fill("add customer")
    expect(first).to_contain_text("Add")
    page.keyboard.press("Enter")
    form = page.get_by_role("dialog", name="Add customer")
    form.get_by_label("Name").fill(known)
    warning = form.locator(".similar")
    expect(warning.get_by_role("link", name=known).first).to_be_visible()
    # Closing asks; the answer of this browser is no, so the form stays.
    page.once("dialog", lambda dialog: dialog.dismiss())
    form.get_by_role("button", name=say("Close")).click()
    expect(form).to_be_visible()
    form.get_by_label("Name").fill("A quite new name")
    page.keyboard.press("Control+Enter")
    expect(form).to_be_hidden()
    toast = page.locator(".toasts .alert")
    expect(toast).to_contain_text("A quite new name")
    toast.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A quite new name")

    page.wait_for_load_state()
    page.keyboard.press("Control+k")
    box.fill(known)
    expect(first).to_contain_text(known)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(known)


@ONLY_ENGLISH
def test_a_phone_number_or_a_mail_alone_tells_of_a_double(visit, say, pair):
    known = pair[0]
    page = visit("manager")
    page.goto("/customers/")
    page.keyboard.press("n")
    form = page.get_by_role("dialog", name="Add customer")
    warning = form.locator(".similar")
    for field, value, reason in (
        ("phone", known.phone, "Same phone number"),
        ("email", known.email, "Same e-mail address"),
    ):
        box = form.locator(f"[name={field}]")
        box.fill(value)
        expect(warning.get_by_role("link", name=known.name)).to_be_visible()
        expect(warning.locator("li .muted")).to_have_text(reason)
        box.fill("")
        expect(warning).to_have_count(0)
    form.locator("[name=email]").fill(known.email)
    form.locator("[name=name]").fill("Cedar of Keyham")
    expect(warning).to_contain_text("Same e-mail address")
    page.keyboard.press("Control+Enter")
    expect(form).to_be_hidden()
    assert Customer.objects.get(name="Cedar of Keyham").email == known.email


@ONLY_ENGLISH
def test_forms_are_saved_by_keys_and_go_on_through_the_list(visit, say, pair):
    first, second = pair
    page = visit("manager")
    page.goto(f"/customers/?city={CITY}&sort=name")
    page.locator("#list tbody tr a").first.click()
    page.wait_for_load_state()
    page.keyboard.press("e")
    page.wait_for_url(f"**/{first.pk}/edit/")
    name = page.locator("[name=name]")
    name.fill("Ash of Keyham")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.keyboard.press("Control+s")
    expect(name).to_have_value("Ash of Keyham")
    expect(page).to_have_url(re.compile(rf"/{first.pk}/edit/$"))
    first.refresh_from_db()
    assert first.name == "Ash of Keyham"

    name.fill("Apple of Keyham")
    onward = page.get_by_role("button", name=say("Save and next"), exact=True)
    expect(onward).to_be_visible()
    page.keyboard.press("Control+Alt+Enter")
    expect(page).to_have_url(re.compile(rf"/{second.pk}/edit/$"))
    expect(name).to_have_value(second.name)
    first.refresh_from_db()
    assert first.name == "Apple of Keyham"


@ONLY_ENGLISH
def test_a_request_in_the_background_leaves_what_is_typed(visit, say):
    page = visit("manager")
    page.goto("/customers/new/")
    cookies = page.context.cookies()
    page.context.clear_cookies(name="sessionid")
    # Typing a name asks for customers like it.
    page.locator("[name=name]").press_sequentially("Typed when signed out")
    toast = page.locator(".toasts .alert")
    expect(toast).to_contain_text("You are signed out.")
    expect(page.locator("[name=name]")).to_have_value("Typed when signed out")
    toast.get_by_role("link", name=say("Sign in")).click()
    page.wait_for_url("**/login/**")
    page.context.add_cookies(cookies)
    page.goto("/customers/new/")
    page.get_by_role("button", name=say("Restore what you typed")).click()
    expect(page.locator("[name=name]")).to_have_value("Typed when signed out")


@ONLY_ENGLISH
def test_what_was_typed_outlives_the_session(visit, say):
    page = visit("manager")
    page.goto("/customers/new/")
    page.locator("[name=name]").fill("Typed before the session ended")
    cookies = page.context.cookies()
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name=say("Save"), exact=True).click()
    page.wait_for_url("**/login/**")
    page.context.add_cookies(cookies)
    page.goto("/customers/new/")
    page.get_by_role("button", name=say("Restore what you typed")).click()
    expect(page.locator("[name=name]")).to_have_value("Typed before the session ended")
    page.get_by_role("button", name=say("Save"), exact=True).click()
    title = page.get_by_role("heading", level=1)
    expect(title).to_have_text("Typed before the session ended")
    page.goto("/customers/new/")
    expect(page.locator("[name=name]")).to_have_value("")
    expect(page.locator(".draft-offer")).to_have_count(0)


@ONLY_ENGLISH
def test_the_palette_acts_on_the_chosen_rows(visit, say):
    page = visit("manager")
    page.goto("/customers/")
    page.wait_for_load_state()
    box = page.get_by_role("combobox", name=say("Go somewhere or do something"))
    page.keyboard.press("Control+k")
    box.fill("assign")
    expect(page.locator("#palette [role=option]", has_text="Assign")).to_have_count(0)
    page.keyboard.press("Escape")
    page.locator("#list tbody [data-select]").first.check()
    page.keyboard.press("Control+k")
    box.fill("assign")
    expect(page.locator("#palette [role=option]").first).to_have_text("Assign")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/customers/bulk/assign/"))


@ONLY_ENGLISH
def test_a_double_click_on_save_adds_one(visit, say):
    page = visit("manager")
    page.goto("/customers/new/")
    page.locator("main [name=name]").fill("Clicked twice")
    page.get_by_role("button", name=say("Save"), exact=True).dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clicked twice")
    page.goto("/customers/?q=clicked+twice")
    expect(page.locator("#list tbody tr")).to_have_count(1)
