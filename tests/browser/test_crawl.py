"""Every page in Chinese: no English word, nothing broken, nothing too wide."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, TimeoutError

from analytics.models import AnalysisKey, Run
from crm.generic.registry import registry
from crm.models import Job
from tests.browser.conftest import DESK, ONLY_CHINESE, PHONE
from tests.browser.english import Data, find_english

pytestmark = [pytest.mark.browser, ONLY_CHINESE]
FITS = "() => document.documentElement.scrollWidth <= innerWidth"
OTHERS = (
    "start",
    "profile",
    "account_change_password",
    "mfa_index",
    "account_reauthenticate",
    "crm:job_list",
    "crm:import_list",
    "crm:import_new",
    "sales:report",
    "analytics:overview",
    "analytics:run_list",
    "analytics:segments",
    "analytics:lifetime_value",
    "analytics:statistics",
)


@pytest.fixture(scope="module")
def data(site) -> Data:
    return Data()


def addresses() -> Iterator[str]:
    """Yield every kind of page: of each model, and the special ones."""
    yield from map(reverse, OTHERS)
    for key in AnalysisKey.values:
        yield reverse("analytics:model", args=[key])
        yield Run.objects.filter(key=key).earliest("pk").get_absolute_url()
    # The log of a job is in the language of the one who started it.
    yield Job.objects.filter(owner__language="zh-hans").first().get_absolute_url()
    for model, pages in registry.pages.items():
        row = model._base_manager.order_by("-pk").first()
        for page in ("list", "add", "detail", "edit", "delete"):
            if page not in pages.routes():
                continue
            if page in ("list", "add"):
                yield pages.url(page)
            elif row is not None:
                yield pages.url(page, row)


def faults_of(page: Page, data: Data, address: str) -> list[str]:
    """Return what is wrong with a page."""
    answer = page.goto(address)
    if answer.status not in (200, 403, 404):
        return [f"{address}: {answer.status}"]
    found = [f"{address}: {one}" for one in find_english(page, data)]
    page.set_viewport_size(PHONE)
    try:
        # Charts are drawn anew for the new width, so it may take a moment.
        page.wait_for_function(FITS, timeout=3000)
    except TimeoutError:
        found.append(f"{address}: wider than a phone")
    page.set_viewport_size(DESK)
    return found


def test_an_administrator_reads_chinese_alone(visit, data):
    page = visit("admin")
    found = [fault for each in addresses() for fault in faults_of(page, data, each)]
    assert not found, "\n".join(found)


def test_strangers_and_the_refused_read_chinese_too(visit, watch, data):
    watch.expect(403, 404)
    stranger, agent = visit(), visit("agent")
    found = []
    for name in ("account_login", "account_reset_password", "account_signup"):
        found += faults_of(stranger, data, reverse(name))
    for address in ("/nowhere/", reverse("customers:customer_detail", args=[10**9])):
        found += faults_of(agent, data, address)
    found += faults_of(agent, data, reverse("performance:target_add"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "script",
    [
        "document.querySelector('h1').append('Planted words')",
        "document.querySelector('.nav-label').textContent = 'Sales'",
        "document.querySelector('td .badge, td').append(' not translated')",
        "document.querySelector('input').placeholder = 'Search'",
        "document.querySelector('a').setAttribute('aria-label', 'Remove the filter')",
        "document.title = 'Customers'",
        "document.querySelector('details').append('Apply')",
    ],
)
def test_the_reader_is_not_blind(visit, data, script):
    page = visit("admin")
    page.goto(reverse("customers:customer_list"))
    before = find_english(page, data)
    page.evaluate(script)
    assert len(find_english(page, data)) == len(before) + 1
