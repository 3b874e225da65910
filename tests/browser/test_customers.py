"""Find customers, read about one, and keep them up to date."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from customers.models import Customer
from sales.models import Order
from service.models import Ticket
from tests.browser.conftest import ONLY_CHINESE, ONLY_ENGLISH
from tests.browser.doing import choose, panel, press

pytestmark = pytest.mark.browser
LIST = "/customers/"


@pytest.fixture
def buyer(site) -> Customer:
    """Return a customer of the representative who has bought and written."""
    bought = Order.objects.filter(customer__owner__username="rep", state="completed")
    asked = Ticket.objects.filter(customer__in=bought.values("customer"))
    return Customer.objects.filter(pk__in=asked.values("customer")).earliest("pk")


def rows(page):
    return page.locator("#list tbody tr")


def test_the_list_is_searched_filtered_sorted_and_leafed_through(visit, say):
    page = visit("manager")
    page.goto(LIST)
    everything = page.locator("#list .list-foot .flex-fill").inner_text()
    assert rows(page).count() == 50

    page.keyboard.press("/")
    page.keyboard.type("garden")
    chip = page.locator(".chip")
    expect(chip).to_contain_text("garden")
    expect(page).to_have_url(re.compile(r"\?q=garden$"))
    found = Customer.objects.filter(name__icontains="garden").count()
    assert 0 < found <= 50
    expect(rows(page)).to_have_count(found)
    page.get_by_role("link", name=say("Remove the search")).click()
    expect(rows(page)).to_have_count(50)

    page.locator("summary").filter(has_text=say("Filters")).click()
    page.locator(".filters select[name=kind]").select_option("company")
    expect(page).to_have_url(re.compile(r"\?(.*&)?kind=company"))
    companies = Customer.objects.filter(kind="company").count()
    expect(page.locator("#list .list-foot")).to_contain_text(f"{companies:,}")
    page.locator(".chip a").first.click()
    expect(page.locator("#list .list-foot .flex-fill")).to_have_text(
        everything, use_inner_text=True
    )

    name = page.locator("#list thead a").first
    name.click()
    expect(page.locator("#list th[aria-sort=descending]")).to_have_count(1)
    first = rows(page).first.inner_text()
    pager = page.locator("nav.pager")
    pager.get_by_role("link", name=say("Next page")).click()
    expect(page).to_have_url(re.compile("page="))
    expect(rows(page).first).not_to_have_text(first, use_inner_text=True)
    pager.get_by_role("link", name=say("Previous page")).click()
    expect(rows(page).first).to_have_text(first, use_inner_text=True)


@ONLY_CHINESE
def test_a_customers_page_tells_everything_and_takes_a_call(visit, say, buyer):
    page = visit("rep")
    page.goto(buyer.get_absolute_url())
    expect(page.get_by_role("heading", level=1)).to_have_text(buyer.name)
    for title in ("Orders", "Customer group", "Lifetime value", "Tickets"):
        shown = panel(page, say(title))
        # What lies below the fold is loaded when it comes into sight.
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        expect(shown).to_contain_text(re.compile(r"\d"))
    value = panel(page, say("Lifetime value"))
    expect(value.locator(".reasons li").first).to_be_visible()

    page.get_by_text(say("Log a call or a note")).click()
    said = f"Asked for a catalogue ({say.language})"
    page.get_by_label(say("In a few words")).fill(said)
    press(page, say("Add to the timeline"))
    entry = page.locator("#timeline li").first
    expect(entry).to_contain_text(said)
    expect(entry).to_contain_text("Sofia Marino")

    page.locator("#timeline").get_by_role("link", name=say("Orders")).click()
    expect(page.locator("#timeline li").first).not_to_contain_text(said)
    expect(page.locator("#timeline [aria-current=true]")).to_have_text(say("Orders"))


@ONLY_ENGLISH
def test_a_customer_is_added_after_a_mistake_changed_and_deleted(visit, say, watch):
    watch.expect(422)
    page = visit("manager")
    page.goto(LIST)
    page.get_by_role("link", name=say("Add"), exact=True).click()
    form = page.locator("main form")
    form.get_by_label(say("phone").capitalize(), exact=True).fill("+44 20 7946 0000")
    form.locator("[name=email]").fill("no address")
    form.locator("[name=city]").fill("Leeds")
    form.locator("[name=source]").select_option("event")
    press(form, say("Save"))
    wrong = page.locator("main [aria-invalid=true]")
    expect(wrong).to_have_count(2)
    expect(wrong.first).to_be_focused()
    expect(page.locator("[data-form-errors]")).to_be_visible()
    expect(form.locator("[name=phone]")).to_have_value("+44 20 7946 0000")
    expect(form.locator("[name=email]")).to_have_value("no address")
    expect(form.locator("[name=city]")).to_have_value("Leeds")
    expect(form.locator("[name=source]")).to_have_value("event")

    name = f"Brook & Sons ({say.language})"
    form.locator("[name=name]").fill(name)
    form.locator("[name=email]").fill("office@brook.example")
    press(form, say("Save"))
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.locator("main")).to_contain_text("office@brook.example")
    page.get_by_role("link", name=say("Edit"), exact=True).click()
    page.locator("[name=city]").fill("York")
    press(page.locator("main form"), say("Save"))
    expect(page.locator("main .facts").first).to_contain_text("York")

    page.get_by_role("link", name=say("Delete"), exact=True).click()
    press(page.locator("main"), say("Delete"))
    expect(page).to_have_url(re.compile(rf"{LIST}$"))
    assert not Customer.objects.filter(name=name).exists()


@ONLY_ENGLISH
def test_a_customer_with_orders_is_kept(visit, say, buyer):
    page = visit("manager")
    page.goto(buyer.get_absolute_url())
    page.get_by_role("link", name=say("Delete"), exact=True).click()
    expect(page.locator("main")).to_contain_text(
        say("It cannot be deleted, because these belong to it and are kept:")
    )
    expect(page.locator("main button")).to_have_count(0)
    assert Customer.objects.filter(pk=buyer.pk).exists()


@ONLY_ENGLISH
def test_unsaved_words_are_not_lost_by_a_wrong_click(visit, say):
    page = visit("rep")
    page.goto(reverse("customers:customer_add"))
    page.locator("[name=name]").fill("Half a name")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name=say("Start page")).click(no_wait_after=True)
    expect(page.locator("[name=name]")).to_have_value("Half a name")
    assert asked == ["beforeunload"]


@ONLY_ENGLISH
def test_a_related_customer_is_found_by_typing(visit, say, buyer):
    page = visit("rep")
    page.goto(reverse("customers:contact_add"))
    choose(page, say("customer").capitalize(), buyer.name)
    page.locator("[name=name]").fill("Robin Vale")
    press(page.locator("main form"), say("Save"))
    expect(page.locator("main")).to_contain_text(buyer.name)
    assert buyer.contacts.filter(name="Robin Vale").exists()
