"""How campaigns lie on a board."""

from __future__ import annotations

from crm.generic.board import Board, since_last_move
from crm.generic.tables import DateColumn, MoneyColumn
from crm.models import User
from marketing.choices import CAMPAIGN_MOVES, CampaignState
from marketing.models import Campaign
from marketing.services import move_campaign
from marketing.tables import STATE_COLOURS


def move(campaign: Campaign, state: str, actor: User, reason: str) -> None:
    """Move the campaign on."""
    move_campaign(campaign=campaign, actor=actor, state=state)


CAMPAIGNS = Board(
    field="state",
    moves=lambda campaign: CAMPAIGN_MOVES[CampaignState(campaign.state)],
    move=move,
    order=("-created_at", "-pk"),
    facts=("channel", MoneyColumn("budget"), DateColumn("ends_on"), "owner"),
    amount="budget",
    closed=lambda state: state in (CampaignState.FINISHED, CampaignState.CANCELLED),
    closed_at="updated_at",
    colour=STATE_COLOURS.get,
    since=since_last_move("created_at"),
    quick=("name", "channel", "budget"),
)
