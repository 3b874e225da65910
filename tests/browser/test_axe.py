"""No page has a serious fault for people who cannot see, or see little."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from analytics.models import AnalysisKey, Run
from crm.models import ImportRun
from sales.models import Lead, Opportunity, Order
from service.models import Ticket
from tests.browser.conftest import AXE
from tests.browser.doing import press

pytestmark = pytest.mark.browser
CHECK = """
async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
  const found = await axe.run({ runOnly: tags, resultTypes: ["violations"] });
  return found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target).slice(0, 3)} `
      + one.nodes[0].failureSummary);
}
"""


@pytest.fixture
def language() -> str:
    return "en"


def addresses() -> Iterator[str]:
    """Yield the pages that people use most."""
    yield from ("/", "/customers/", "/customers/new/", "/orders/new/", "/imports/new/")
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
    yield from ("/sales/", "/profile/", "/jobs/", "/nowhere/")


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
    """Return what the checker finds serious or critical."""
    page.goto(address)
    page.evaluate(AXE.read_text("utf-8"))
    return [f"{address}: {one}" for one in page.evaluate(CHECK)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_fault(visit, watch, say, scheme):
    watch.expect(404)
    look = {"color_scheme": scheme, "bypass_csp": True}
    found = faults_of(visit(**look), reverse("account_login"))
    page = visit("manager", **look)
    mapping = mapping_page(page, say)
    for address in [*addresses(), mapping]:
        found += faults_of(page, address)
    assert not found, "\n".join(found)


def test_the_checker_is_not_blind(visit):
    page = visit("manager", bypass_csp=True)
    page.goto("/customers/")
    page.evaluate("document.querySelector('h1').style.color = '#eee'")
    page.evaluate("document.querySelector('label[for=list-search]').remove()")
    page.evaluate("document.querySelector('#list-search').placeholder = ''")
    page.evaluate(AXE.read_text("utf-8"))
    names = " ".join(page.evaluate(CHECK))
    assert "color-contrast" in names
    assert "label" in names
