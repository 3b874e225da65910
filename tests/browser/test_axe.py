"""No page has a serious fault for people who cannot see, or see little."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from analytics.models import AnalysisKey, Run
from crm.models import ImportRun
from sales.models import Lead, Opportunity, Order
from service.models import Ticket
from tests.browser.conftest import AXE, ONLY_ENGLISH, PHONE
from tests.browser.doing import press

pytestmark = pytest.mark.browser
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
# What can be different in the dark.
COLOURS = ["color-contrast", "link-in-text-block"]
CHECK = """
async (runOnly) => {
  const found = await axe.run({ runOnly, resultTypes: ["violations"] });
  return found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target).slice(0, 3)} `
      + one.nodes[0].failureSummary);
}
"""


def addresses() -> Iterator[str]:
    """Yield the pages that people use most."""
    yield from ("/", "/customers/", "/customers/new/", "/orders/new/", "/imports/new/")
    yield from ("/customers/?panel=filters", "/customers/?panel=columns")
    yield "/search/?q=an"
    yield from ("/opportunities/?layout=board", "/tickets/?layout=board")
    order = Order.objects.filter(state="shipped").earliest("pk")
    yield order.get_absolute_url()
    yield order.customer.get_absolute_url()
    yield Ticket.objects.filter(state="open").earliest("pk").get_absolute_url()
    yield Lead.objects.filter(state="new").earliest("pk").get_absolute_url()
    yield Opportunity.objects.earliest("pk").get_absolute_url()
    yield (
        Run.objects.filter(key=AnalysisKey.TICKET_CLASS).latest("pk").get_absolute_url()
    )
    for key in AnalysisKey.values:
        yield reverse("analytics:model", args=[key])
    for name in ("overview", "segments", "lifetime_value", "statistics"):
        yield reverse(f"analytics:{name}")
    yield from ("/sales/", "/profile/", "/jobs/", "/nowhere/", "/accounts/security/")
    yield from ("/notifications/", "/notifications/settings/", "/notes/")


def mapping_page(page: Page, say) -> str:
    """Upload a file and return the address of the page that assigns its columns."""
    page.goto("/imports/new/")
    page.locator("[name=importer]").select_option("customers.customer")
    page.locator("[name=file]").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": b"name,city\nAxe,Lyon\n"}
    )
    press(page, say("Look at the file"))
    page.wait_for_url("**/columns/")
    run = ImportRun.objects.latest("pk")
    return reverse("crm:import_map", args=[run.pk])


def faults_of(page: Page, address: str) -> list[str]:
    """Return what the checker finds serious or critical, in light and in dark."""
    page.emulate_media(color_scheme="light")
    page.goto(address)
    page.evaluate(AXE.read_text("utf-8"))
    light = page.evaluate(CHECK, TAGS)
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("[data-bs-theme=dark]")
    dark = page.evaluate(CHECK, COLOURS)
    return [
        *(f"{address}: {one}" for one in light),
        *(f"{address} in the dark: {one}" for one in dark),
    ]


@ONLY_ENGLISH
def test_no_page_has_a_serious_fault(visit, watch, say):
    watch.expect(404)
    found = faults_of(visit(bypass_csp=True), reverse("account_login"))
    page = visit("manager", bypass_csp=True)
    mapping = mapping_page(page, say)
    for address in [*addresses(), mapping]:
        found += faults_of(page, address)
    assert not found, "\n".join(found)


@ONLY_ENGLISH
def test_no_page_has_a_serious_fault_on_a_phone(visit):
    page = visit(
        "manager", viewport=PHONE, has_touch=True, is_mobile=True, bypass_csp=True
    )
    customer = Order.objects.filter(state="shipped").earliest("pk").customer
    addresses = ("/", "/customers/", customer.get_absolute_url())
    found = [one for address in addresses for one in faults_of(page, address)]
    assert not found, "\n".join(found)


@ONLY_ENGLISH
def test_the_checker_is_not_blind(visit):
    page = visit("manager", bypass_csp=True)
    page.goto("/customers/")
    page.evaluate("document.querySelector('h1').style.color = '#eee'")
    page.evaluate("document.querySelector('label[for=list-search]').remove()")
    page.evaluate("document.querySelector('#list-search').placeholder = ''")
    page.evaluate(AXE.read_text("utf-8"))
    names = [one.partition(":")[0] for one in page.evaluate(CHECK, TAGS)]
    assert sorted(names) == ["color-contrast", "label"]


@ONLY_ENGLISH
def test_what_lies_over_a_page_has_no_serious_fault(visit):
    page = visit("manager", bypass_csp=True)
    found = []
    for keys, shown in (
        (["?"], "#keys-help dl"),
        (["Control+k"], "#palette [role=option]"),
        (["n"], "#quick-add form"),
        (["j", "p"], "#peek-title"),
    ):
        page.goto("/customers/")
        page.evaluate(AXE.read_text("utf-8"))
        for key in keys:
            page.keyboard.press(key)
        page.locator(shown).first.wait_for()
        found += [f"{shown}: {one}" for one in page.evaluate(CHECK, TAGS)]
    assert not found, "\n".join(found)
