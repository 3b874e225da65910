"""Sign in, choose a language, and follow the figures of the start page."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ONLY_CHINESE, ONLY_ENGLISH
from tests.browser.site import TODAY

pytestmark = pytest.mark.browser
# The clock goes on; the rows stay where they were seeded.
SEEDED_YEAR = f"/?period=custom&start={TODAY.year - 1}-07-01&end={TODAY}"


def sign_in(page: Page, say, username: str, password: str) -> None:
    page.get_by_label(say("Username or email")).fill(username)
    page.get_by_label(say("Password")).fill(password)
    page.get_by_role("button", name=say("Sign in"), exact=True).click()


def figure(text: str) -> int:
    """Return the number that a text consists of."""
    return int(re.sub(r"\D", "", text))


def rows_of_list(page: Page) -> int:
    """Return the number of rows that the foot of a list tells."""
    text = page.locator(".list-foot .flex-fill").inner_text()
    return figure(re.findall(r"[\d,]+", text)[-1])


def test_a_wrong_password_is_told_and_the_right_one_opens_the_door(visit, say):
    page = visit()
    page.goto("/customers/")
    expect(page).to_have_url(re.compile(r"/accounts/login/\?next="))
    sign_in(page, say, "manager", "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label(say("Username or email"))).to_have_value("manager")
    sign_in(page, say, "manager", "demo-manager")
    expect(page).to_have_url(re.compile(r"/customers/$"))
    page.locator("#user-menu summary").click()
    page.get_by_role("button", name=say("Sign out")).click()
    expect(page).to_have_url(re.compile(r"/accounts/login/"))


@ONLY_ENGLISH
def test_the_language_is_switched_with_one_click(visit):
    page = visit("executive")
    page.goto("/customers/")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.locator("#user-menu summary").click()
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("客户")
    expect(page).to_have_url(re.compile(r"/customers/$"))
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    page.locator("#user-menu summary").click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Start page")


@ONLY_CHINESE
def test_every_count_of_the_start_page_leads_to_as_many_rows(visit, say):
    page = visit("manager")
    page.goto(SEEDED_YEAR)
    expect(page.get_by_role("heading", level=1)).to_have_text(say("Start page"))
    expect(page.locator("[data-chart] canvas").first).to_be_visible()
    links = page.locator(".tile a[href*='/?'], .tile a[href$='/']").all()
    counts = {
        link.get_attribute("href"): figure(link.inner_text())
        for link in links
        if re.fullmatch(r"[\d,]+", link.inner_text().strip())
    }
    assert len(counts) > 8
    wrong = {}
    for address, count in counts.items():
        page.goto(address)
        expect(page.locator("#list")).to_be_visible()
        if count == 0:
            expect(page.locator("#list table")).to_have_count(0)
        elif rows_of_list(page) != count:
            wrong[address] = (count, rows_of_list(page))
    assert not wrong


@ONLY_ENGLISH
def test_the_sum_of_the_start_page_is_the_sum_of_the_report(visit, say):
    page = visit("manager")
    page.goto(SEEDED_YEAR)
    chart = page.locator("figure").first
    chart.get_by_text(say("Show the numbers")).click()
    expect(chart.locator("tbody tr").first).to_be_visible()
    page.get_by_role("main").get_by_role("link", name=say("Sales report")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(say("Sales report"))
    expect(page.locator("[data-chart] canvas").first).to_be_visible()
    net = page.locator("a.stat").first
    amount = net.locator(".stat-value").inner_text()
    total = page.locator("tbody th strong").locator("xpath=../..")
    years = [
        int(re.sub(r"\D", "", row.locator("td").first.inner_text()))
        for row in total.all()
    ]
    assert sum(years) == int(re.sub(r"\D", "", amount))
