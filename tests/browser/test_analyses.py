"""Run an analysis from its page, and read what the analyses found."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from analytics.models import AnalysisKey, Run, RunState
from tests.browser.conftest import ONLY_CHINESE, ONLY_ENGLISH
from tests.browser.doing import number, panel, press
from tests.browser.site import TODAY

pytestmark = pytest.mark.browser


def model(key: str) -> str:
    return reverse("analytics:model", args=[key])


@ONLY_ENGLISH
def test_an_analysis_is_run_and_its_result_opened(visit, say):
    page = visit("analyst")
    page.goto(model(AnalysisKey.SEGMENTATION))
    before = set(Run.objects.values_list("pk", flat=True))
    page.locator("[name=as_of]").fill(TODAY.isoformat())
    press(page, say("Run now"))
    expect(page).to_have_url(re.compile(r"/jobs/\d+/"))
    expect(page.locator(".log")).to_be_visible()
    result = page.get_by_role("link", name=say("Open the result"))
    expect(result).to_be_visible()
    expect(page.locator(".job-state")).to_contain_text(say("done"))
    result.click()
    run = Run.objects.exclude(pk__in=before).get()
    assert run.state == RunState.PUBLISHED
    assert run.is_current
    expect(page.get_by_role("main")).to_be_visible()
    page.goto(run.get_absolute_url())
    expect(page.locator(".heading-line")).to_contain_text(say("in use"))
    page.goto(reverse("analytics:run_list"))
    expect(page.locator("tbody tr").first).to_contain_text(str(run.pk))


@ONLY_CHINESE
def test_the_groups_are_drawn_and_lead_to_their_customers(visit, say):
    page = visit("manager")
    page.goto(reverse("analytics:segments"))
    expect(page.locator("[data-chart=scatter] canvas")).to_be_visible()
    groups = panel(page, say("Groups")).locator("tbody tr")
    expect(groups.first).to_be_visible()
    assert groups.count() >= 2
    link = groups.first.locator("td").nth(1).locator("a")
    size = number(link.inner_text())
    assert size > 0
    link.click()
    expect(page.locator(".chip").first).to_be_visible()
    expect(page.locator(".list-foot")).to_contain_text(f"{size}")


@ONLY_CHINESE
def test_behind_every_chart_stands_a_table(visit, say):
    page = visit("manager")
    for name in ("segments", "lifetime_value", "statistics"):
        page.goto(reverse(f"analytics:{name}"))
        figures = page.locator("figure.chart")
        expect(figures.first).to_be_visible()
        for figure in figures.all():
            if figure.locator("details").count():
                figure.get_by_text(say("Show the numbers")).click()
            assert figure.locator("tbody tr").count() > 0


@ONLY_ENGLISH
def test_a_model_page_shows_how_good_the_model_is(visit, say):
    page = visit("manager")
    page.goto(model(AnalysisKey.TICKET_CLASS))
    expect(page.locator("[data-chart=calibration] canvas")).to_be_visible()
    figures = panel(page, say("Figures"))
    expect(figures).to_contain_text(say("this model"))
    expect(figures).to_contain_text(say("simple rule"))
    expect(figures).to_contain_text(say("The model is better than the simple rule."))
    assert figures.locator("tbody tr").count() >= 4
    confusion = page.locator("figure.chart").last
    assert confusion.locator("tbody tr").count() >= 10
    facts = panel(page, say("Data and method"))
    expect(facts).to_contain_text("2026")

    page.goto(model(AnalysisKey.CONVERSION))
    expect(page.locator("[data-chart=calibration] canvas")).to_be_visible()
    expect(panel(page, say("Figures"))).to_contain_text("AUC")
    expect(
        panel(page, say("What it looks at")).locator("tbody tr").first
    ).to_be_visible()


@ONLY_CHINESE
def test_lifetime_value_is_run_with_other_numbers(visit, say):
    page = visit("analyst")
    page.goto(model(AnalysisKey.LTV))
    page.locator("[name=as_of]").fill(TODAY.isoformat())
    page.locator("[name=years]").fill("5")
    page.locator("[name=discount_rate]").fill("7.5")
    press(page, say("Run now"))
    result = page.get_by_role("link", name=say("Open the result"))
    expect(result).to_be_visible()
    page.goto(reverse("analytics:lifetime_value"))
    expect(page.locator("[data-chart] canvas").first).to_be_visible()
    how = panel(page, say("How it is computed"))
    expect(how).to_contain_text("7.5%")
    expect(how).to_contain_text("5")
