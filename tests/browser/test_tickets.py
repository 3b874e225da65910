"""Answer tickets, and teach the model that reads them."""

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from crm.testing.workers import wait_for
from service.choices import CategoryOrigin
from service.models import Ticket, TicketCategory
from tests.browser.conftest import ONLY_CHINESE, ONLY_ENGLISH
from tests.browser.doing import choose, panel, press

pytestmark = pytest.mark.browser
TEXTS = {
    "en": "Please send me the invoice for order D-10234 as a PDF.",
    "zh-hans": "请把订单D-10234的发票发给我。",
}


def new_ticket(page: Page, say, subject: str) -> Ticket:
    """Write a ticket in the browser, without a category."""
    page.goto(reverse("service:ticket_add"))
    page.locator("[name=subject]").fill(subject)
    page.locator("[name=description]").fill(TEXTS[say.language])
    press(page.locator("main form"), say("Save"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(subject)
    return Ticket.objects.get(subject=subject)


def suggestion(page: Page, say) -> Locator:
    """Return the suggested category once the worker has read the text."""
    place = page.locator("#ticket-suggestion")
    category = TicketCategory.objects.get(code="invoice")
    expect(place.locator(".stat-value")).to_have_text(say(category.name))
    return place


@ONLY_CHINESE
def test_a_new_ticket_shows_its_category_and_one_click_takes_it(visit, say):
    page = visit("agent")
    ticket = new_ticket(page, say, f"Papers for the books ({say.language})")
    place = suggestion(page, say)
    expect(place.locator("q").first).to_be_visible()
    press(place, say("Accept"))
    expect(page.locator("#ticket-suggestion")).to_contain_text(
        say("Invoice and receipt")
    )
    expect(page.get_by_role("button", name=say("Accept"))).to_have_count(0)
    ticket.refresh_from_db()
    assert ticket.category.code == "invoice"
    assert ticket.category_origin == CategoryOrigin.ACCEPTED

    page.locator("[name=body]").fill("The invoice is on its way.")
    press(page, say("Send"))
    conversation = panel(page, say("Conversation"))
    expect(conversation).to_contain_text("The invoice is on its way.")
    expect(conversation).to_contain_text("Grace Bennett")


@ONLY_ENGLISH
def test_a_wrong_suggestion_is_corrected_and_handed_over(visit, say):
    page = visit("agent")
    ticket = new_ticket(page, say, f"A paper, or is it? ({say.language})")
    place = suggestion(page, say)
    place.get_by_text(say("Choose another category")).click()
    choose(place, say("Category"), say("Payment"))
    press(place, say("Use this category"))
    expect(page.locator("#ticket-suggestion p").first).to_contain_text(say("Payment"))
    ticket.refresh_from_db()
    assert ticket.category.code == "payment"
    assert ticket.category_origin == CategoryOrigin.CORRECTED

    work = panel(page, say("Next step"))
    choose(work, say("Agent"), "Marco Ruiz")
    press(work, say("Hand over"))
    wait_for(lambda: Ticket.objects.get(pk=ticket.pk).owner.username == "marco.ruiz")
    expect(page.locator("main")).to_contain_text("Marco Ruiz")
