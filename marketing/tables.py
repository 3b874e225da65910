"""The list of campaigns."""

from crm.generic.tables import (
    BadgeColumn,
    Column,
    DateColumn,
    MoneyColumn,
    RelatedColumn,
    Table,
)
from marketing.choices import CampaignState

STATE_COLOURS = {
    CampaignState.PLANNED: "blue",
    CampaignState.RUNNING: "green",
    CampaignState.FINISHED: "grey",
    CampaignState.CANCELLED: "red",
}


class CampaignTable(Table):
    """Campaigns, newest first."""

    columns = [
        Column("name", sort="name", link=True),
        Column("channel"),
        BadgeColumn("state", colours=STATE_COLOURS),
        DateColumn("starts_on", sort="starts_on"),
        DateColumn("ends_on", sort="ends_on"),
        MoneyColumn("budget"),
        MoneyColumn("spend", sort="spend"),
        RelatedColumn("owner"),
    ]
    default_order = ("-created_at", "-pk")
