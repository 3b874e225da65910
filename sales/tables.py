"""Lists of the sales app."""

from django.utils.translation import gettext_lazy as _

from crm.generic.tables import (
    BadgeColumn,
    BooleanColumn,
    Column,
    DateColumn,
    DateTimeColumn,
    EmailColumn,
    MoneyColumn,
    NumberColumn,
    PhoneColumn,
    RelatedColumn,
    Table,
)
from sales.choices import LeadState, OrderKind, OrderState, StageKind

LEAD_COLOURS = {
    LeadState.NEW: "blue",
    LeadState.WORKING: "orange",
    LeadState.CONVERTED: "green",
    LeadState.LOST: "red",
}
ORDER_COLOURS = {
    OrderState.DRAFT: "grey",
    OrderState.CONFIRMED: "blue",
    OrderState.SHIPPED: "purple",
    OrderState.COMPLETED: "green",
    OrderState.CANCELLED: "red",
}
KIND_COLOURS = {OrderKind.SALE: "grey", OrderKind.RETURN: "orange"}
STAGE_COLOURS = {StageKind.OPEN: "blue", StageKind.WON: "green", StageKind.LOST: "red"}


class StageColumn(BadgeColumn):
    """The stage by name, coloured by what it means."""

    def __init__(self, key: str = "stage") -> None:
        super().__init__(key, colours=STAGE_COLOURS, select_related=("stage",))

    def cell(self, row, links, own_url=""):
        """Return the name of the stage; its meaning gives the colour."""
        cell = super().cell(row, links, own_url)
        cell.colour = self.colours[StageKind(row.stage.kind)]
        return cell


class CategoryTable(Table):
    """Groups of products."""

    columns = [Column("name", sort="name", link=True)]
    default_order = ("name", "pk")


class ProductTable(Table):
    """Products by name."""

    columns = [
        Column("name", sort="name", link=True),
        Column("sku", sort="sku"),
        RelatedColumn("category", link=False),
        MoneyColumn("unit_price", sort="unit_price"),
        BooleanColumn("is_active"),
    ]
    default_order = ("name", "pk")


class LeadTable(Table):
    """Leads, newest first."""

    columns = [
        Column("name", link=True),
        Column("company"),
        BadgeColumn("state", colours=LEAD_COLOURS),
        Column("source"),
        Column("landing_page", default=False),
        DateColumn("first_contact_on", sort="first_contact_on"),
        RelatedColumn("owner"),
        EmailColumn("email", default=False),
        PhoneColumn("phone", default=False),
        RelatedColumn("customer", default=False),
        DateTimeColumn("closed_at", default=False),
        Column("lost_reason", default=False),
    ]
    default_order = ("-first_contact_on", "-pk")


class OpportunityTable(Table):
    """Opportunities, newest first."""

    columns = [
        Column("name", link=True),
        StageColumn(),
        RelatedColumn("customer"),
        MoneyColumn("amount", sort="amount"),
        NumberColumn(
            "stage__probability",
            _("Expected chance in %"),
            decimals=0,
            select_related=("stage",),
            default=False,
        ),
        DateColumn("expected_close"),
        RelatedColumn("owner"),
        DateColumn("created_at", sort="created_at"),
        DateTimeColumn("closed_at", default=False),
        Column("lost_reason", default=False),
    ]
    default_order = ("-created_at", "-pk")


class OrderTable(Table):
    """Sales and returns, newest first."""

    columns = [
        Column("number", sort="number", link=True),
        RelatedColumn("customer"),
        BadgeColumn("kind", colours=KIND_COLOURS),
        BadgeColumn("state", colours=ORDER_COLOURS),
        DateTimeColumn("placed_at", sort="placed_at"),
        MoneyColumn("total", sort="total"),
        Column("country"),
        RelatedColumn("owner"),
        RelatedColumn("return_of", default=False),
    ]
    default_order = ("-placed_at", "-pk")
