"""What hands do on a page, in words."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


def choose(place: Page | Locator, label: str, text: str, index: int = 0) -> None:
    """Type into a select that helps with finding, and take what it offers."""
    control = place.get_by_role("combobox", name=label).nth(index)
    # What was chosen before covers the place to type in.
    control.locator("xpath=..").click()
    control.press_sequentially(text)
    page = control.page
    offered = page.locator(".ts-dropdown:visible .option").filter(has_text=text)
    expect(offered.first).to_be_visible()
    offered.first.click()
    # On, as the keyboard would go: a list that was slow to close hides what lies below.
    control.press("Tab")


def press(place: Page | Locator, name: str) -> None:
    """Press a button by its name."""
    place.get_by_role("button", name=name, exact=True).click()


def panel(page: Page, title: str) -> Locator:
    """Return the card with a title."""
    heading = page.get_by_role("heading", name=title, exact=True)
    return page.locator("section.card, .card").filter(has=heading).last


def number(text: str) -> int:
    """Return the digits of a text as one number."""
    return int(re.sub(r"\D", "", text) or 0)
