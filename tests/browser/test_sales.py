"""Sell: an order from draft to return, a lead on its way to a sale."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from customers.models import Customer
from sales.models import Lead, Opportunity, Product
from tests.browser.conftest import ONLY_CHINESE, ONLY_ENGLISH
from tests.browser.doing import choose, panel, press

pytestmark = pytest.mark.browser


def test_an_order_goes_from_draft_to_return(visit, say):
    customer = Customer.objects.filter(owner__username="rep").earliest("pk")
    one, other = Product.objects.filter(is_active=True).order_by("pk")[:2]
    page = visit("rep")
    page.goto(reverse("sales:order_add"))
    choose(page, say("customer").capitalize(), customer.name)
    lines = page.locator("[data-formset-row]:visible")
    shown = lines.count()
    press(page, say("Add a row"))
    expect(lines).to_have_count(shown + 1)
    choose(lines.first, say("product").capitalize(), one.name)
    lines.first.locator("[data-factor=quantity]").fill("2")
    lines.first.locator("[data-factor=price]").fill("10.50")
    choose(lines.last, say("product").capitalize(), other.name)
    lines.last.locator("[data-factor=quantity]").fill("3")
    lines.last.locator("[data-factor=price]").fill("1000")
    expect(page.locator("[data-running-total-value]")).to_have_text("3,021.00")
    press(page.locator("main form"), say("Save"))

    total = page.locator("tfoot td")
    expect(total).to_contain_text("3,021.00")
    badge = page.locator(".heading-line .badge")
    expect(badge).to_have_text(say("Draft"))
    for action, state in (("Confirm", "Confirmed"), ("Ship", "Shipped")):
        press(page, say(action))
        expect(badge).to_have_text(say(state))
    expect(page.get_by_role("button", name=say("Confirm"))).to_have_count(0)

    order = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name=say("Return goods")).click()
    page.get_by_label(other.name).fill("1")
    press(page, say("Make the return"))
    expect(total).to_contain_text("1,000.00")
    expect(page.locator("main")).to_contain_text(say("Return of"))
    page.get_by_role("link", name=order, exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(order)
    expect(panel(page, say("Returns"))).to_contain_text("1,000.00")


@ONLY_CHINESE
def test_a_wrong_line_keeps_everything_that_was_typed(visit, say, watch):
    watch.expect(422)
    page = visit("rep")
    page.goto(reverse("sales:order_add"))
    line = page.locator("[data-formset-row]:visible").first
    line.locator("[name$=description]").fill("A lamp made to measure")
    line.locator("[data-factor=quantity]").fill("4")
    page.locator("[name=notes]").fill("By Friday")
    press(page.locator("main form"), say("Save"))
    expect(line.locator("[data-factor=price]")).to_be_focused()
    expect(line).to_contain_text(say("Enter a price."))
    expect(line.locator("[name$=description]")).to_have_value("A lamp made to measure")
    expect(line.locator("[data-factor=quantity]")).to_have_value("4")
    expect(page.locator("[name=notes]")).to_have_value("By Friday")


@ONLY_ENGLISH
def test_a_lead_shows_its_chance_and_becomes_a_sale(visit, say):
    page = visit("rep")
    page.goto(reverse("sales:lead_add"))
    name = f"Rowan Ashby ({say.language})"
    page.locator("[name=name]").fill(name)
    page.locator("[name=company]").fill("Ashby Interiors")
    page.locator("[name=email]").fill(f"rowan@{say.language}.ashby.example")
    page.locator("[name=source]").select_option("referral")
    page.locator("[name=landing_page]").fill("/request-a-sample")
    press(page.locator("main form"), say("Save"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    chance = page.locator("#lead-chance")
    expect(chance.locator(".meter, [role=meter]").first).to_be_visible()
    expect(chance).to_contain_text("%")
    expect(chance).not_to_have_attribute("hx-get", re.compile("."))
    expect(chance.locator(".reasons li").first).to_be_visible()

    page.get_by_role("link", name=say("Convert")).click()
    deal = f"Showroom ({say.language})"
    page.locator("[name=opportunity_name]").fill(deal)
    page.locator("[name=amount]").fill("12500")
    press(page.locator("main form"), say("Convert"))
    expect(page.get_by_role("heading", level=1)).to_have_text(deal)
    lead = Lead.objects.get(name=name)
    opportunity = Opportunity.objects.get(name=deal)
    assert lead.state == "converted"
    assert opportunity.customer.name in (name, "Ashby Interiors")

    steps = page.locator("ol.steps")
    before = steps.locator("[aria-current=step]").inner_text()
    page.locator("form[action$='/move/'] button").first.click()
    expect(steps.locator("[aria-current=step]")).not_to_have_text(before)
    stages = panel(page, say("Stage history")).locator("tbody tr")
    expect(stages).to_have_count(2)
    expect(stages.first).to_contain_text("Sofia Marino")
    page.goto(lead.get_absolute_url())
    expect(panel(page, say("Outcome"))).to_contain_text(deal)
