"""Lists of the service app."""

from django.utils.translation import gettext_lazy as _

from crm.generic.tables import (
    BadgeColumn,
    BooleanColumn,
    Column,
    DateColumn,
    DateTimeColumn,
    RelatedColumn,
    Table,
)
from service.choices import TicketKind, TicketState, Urgency

STATE_COLOURS = {
    TicketState.NEW: "blue",
    TicketState.OPEN: "orange",
    TicketState.WAITING: "purple",
    TicketState.SOLVED: "green",
    TicketState.CLOSED: "grey",
}
URGENCY_COLOURS = {
    Urgency.LOW: "grey",
    Urgency.NORMAL: "blue",
    Urgency.HIGH: "orange",
    Urgency.URGENT: "red",
}
KIND_COLOURS = {
    TicketKind.INQUIRY: "blue",
    TicketKind.ISSUE: "orange",
    TicketKind.COMPLAINT: "red",
}


class TicketTable(Table):
    """Tickets, newest first."""

    columns = [
        Column("number", sort="number", link=True, default=False),
        Column("subject", link=True),
        BadgeColumn("state", colours=STATE_COLOURS),
        BadgeColumn("kind", colours=KIND_COLOURS, default=False),
        BadgeColumn("urgency", colours=URGENCY_COLOURS),
        RelatedColumn("category", link=False),
        RelatedColumn("customer"),
        RelatedColumn("owner", _("Agent")),
        DateColumn("opened_at", sort="opened_at"),
        DateTimeColumn("solved_at", default=False),
        Column("channel", default=False),
    ]
    default_order = ("-opened_at", "-pk")


class TicketCategoryTable(Table):
    """What tickets can be about."""

    columns = [
        Column("name", sort="name", link=True, value=str),
        Column("code", sort="code"),
        BooleanColumn("is_active"),
    ]
    default_order = ("name", "pk")
