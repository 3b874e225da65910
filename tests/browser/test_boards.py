"""Move cards by hand and by key, and add one inside a column."""

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from crm.testing.workers import wait_for
from sales.models import Opportunity, StageChange
from service.choices import TicketState
from service.models import Ticket
from tests.browser.conftest import ONLY_CHINESE, ONLY_ENGLISH
from tests.browser.doing import press

pytestmark = pytest.mark.browser


def column(page: Page, key: object) -> Locator:
    """Return a column of the board."""
    return page.locator(f'[data-column="{key}"]')


def drag(card: Locator, target: Locator) -> None:
    """Carry a card into a column, as a hand does: in small steps."""
    card.scroll_into_view_if_needed()
    start, end = card.bounding_box(), target.bounding_box()
    mouse = card.page.mouse
    mouse.move(start["x"] + 20, start["y"] + start["height"] - 8)
    mouse.down()
    mouse.move(start["x"] + 40, start["y"] + start["height"], steps=5)
    mouse.move(end["x"] + end["width"] / 2, end["y"] + 30, steps=15)
    mouse.up()


@ONLY_ENGLISH
def test_a_card_is_dragged_one_is_moved_by_key_and_one_is_lost_with_a_reason(
    visit, say
):
    page = visit("admin")
    page.goto(f"{reverse('sales:opportunity_list')}?layout=board")
    first, second = (
        page.locator("[data-column]").nth(0),
        page.locator("[data-column]").nth(1),
    )
    card = first.locator("[data-card]").first
    pk = card.get_attribute("data-card")
    stage = int(second.get_attribute("data-column"))
    drag(card, second.locator("[data-cards]"))
    expect(second.locator(f'[data-card="{pk}"]')).to_have_count(1)
    wait_for(lambda: Opportunity.objects.get(pk=pk).stage_id == stage)
    expect(page.locator("[data-board-status]")).to_contain_text(
        Opportunity.objects.get(pk=pk).name
    )

    title = first.locator("[data-card] .board-title").first
    other = first.locator("[data-card]").first.get_attribute("data-card")
    title.focus()
    page.keyboard.press("Shift+ArrowRight")
    moved = second.locator(f'[data-card="{other}"]')
    expect(moved.locator(".board-title")).to_be_focused()
    wait_for(lambda: Opportunity.objects.get(pk=other).stage_id == stage)
    assert StageChange.objects.filter(opportunity=other, to_stage=stage).count() == 1

    lost = page.locator("[data-column].is-closed").last
    moved.locator("[data-board-move]").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("select").select_option(lost.get_attribute("data-column"))
    press(dialog, say("Move"))
    dialog.locator("[name=reason]").fill("Too dear")
    press(dialog, say("Move"))
    expect(dialog).to_be_hidden()
    wait_for(lambda: Opportunity.objects.get(pk=other).lost_reason == "Too dear")


@ONLY_CHINESE
def test_a_card_is_added_in_its_column_and_two_people_do_not_collide(visit, say, watch):
    watch.expect(409, 422)
    board = f"{reverse('service:ticket_list')}?layout=board"
    page, other = visit("admin"), visit("admin")
    page.goto(board)
    new = column(page, TicketState.OPEN)
    new.locator(".board-head a").click()
    form = new.locator("form")
    press(form, say("Add"))
    expect(form.locator(".is-invalid").first).to_be_visible()
    form.locator("[name=subject]").fill("看板上的新工单")
    press(form, say("Add"))
    card = new.locator("[data-card]").filter(has_text="看板上的新工单")
    expect(card.locator(".board-title")).to_be_focused()
    ticket = Ticket.objects.get(subject="看板上的新工单")
    assert ticket.state == TicketState.OPEN

    other.goto(board)
    page.keyboard.press("Shift+ArrowRight")
    wait_for(lambda: Ticket.objects.get(pk=ticket.pk).state == TicketState.WAITING)
    stale = other.locator(f'[data-card="{ticket.pk}"]')
    stale.locator(".board-title").focus()
    other.keyboard.press("Shift+ArrowRight")
    expect(other.locator(".toasts .alert")).to_contain_text(
        str(TicketState.WAITING.label) if say.language == "en" else "等待"
    )
    there = column(other, TicketState.WAITING).locator(f'[data-card="{ticket.pk}"]')
    expect(there).to_have_count(1)
