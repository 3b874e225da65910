"""The daily work goes on where no script runs."""

import re

import pytest
from playwright.sync_api import expect

from customers.models import Customer
from service.models import Ticket
from tests.browser.conftest import ONLY_CHINESE
from tests.browser.doing import press
from tests.browser.test_start import sign_in

pytestmark = pytest.mark.browser


@ONLY_CHINESE
def test_work_goes_on_without_scripts(visit, say):
    page = visit(java_script_enabled=False)
    page.goto("/customers/")
    sign_in(page, say, "agent", "demo-agent")
    expect(page.get_by_role("heading", level=1)).to_have_text(say("Customers"))
    page.locator("summary").filter(has_text=say("Filters")).click()
    page.get_by_role("link", name=say("Show the filters")).click()
    page.locator(".filters select[name=kind]").select_option("company")
    press(page.locator(".filters"), say("Apply"))
    expect(page).to_have_url(re.compile("kind=company"))
    companies = Customer.objects.filter(kind="company").count()
    expect(page.locator(".list-foot")).to_contain_text(f"{companies:,}")
    page.locator("#list tbody a").first.click()
    expect(page.locator(".heading-line .badge")).to_have_text(say("Company"))
    expect(page.locator("#timeline")).to_be_visible()

    page.goto("/tickets/new/")
    subject = f"Without any script ({say.language})"
    page.locator("[name=subject]").fill(subject)
    page.locator("[name=description]").fill("The parcel has not come.")
    press(page.locator("main form"), say("Save"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(subject)
    assert Ticket.objects.filter(subject=subject, owner__username="agent").exists()

    page.goto("/analytics/segments/")
    expect(page.locator("figure.chart table").first).to_be_attached()
