"""Lists of customers, contacts and interactions."""

from django.utils.translation import gettext_lazy as _

from crm.generic.tables import (
    BadgeColumn,
    BooleanColumn,
    Column,
    DateColumn,
    DateTimeColumn,
    EmailColumn,
    MoneyColumn,
    PercentColumn,
    PhoneColumn,
    RelatedColumn,
    Table,
)
from customers.choices import InteractionKind, Kind, PairState
from customers.duplicates import TOLD, why

KIND_COLOURS = {Kind.PERSON: "blue", Kind.COMPANY: "purple"}
INTERACTION_COLOURS = {
    InteractionKind.CALL: "green",
    InteractionKind.EMAIL: "blue",
    InteractionKind.MEETING: "purple",
    InteractionKind.CHAT: "teal",
    InteractionKind.WEB: "grey",
    InteractionKind.NOTE: "yellow",
}


class CustomerTable(Table):
    """Customers by name."""

    columns = [
        Column("name", sort="name", link=True),
        BadgeColumn("kind", colours=KIND_COLOURS),
        PhoneColumn("phone"),
        EmailColumn("email", default=False),
        Column("city", sort="city"),
        Column("region", default=False),
        Column("country", sort="country", default=False),
        RelatedColumn("owner"),
        BadgeColumn("source", default=False),
        DateColumn("customer_since", sort="customer_since"),
        MoneyColumn("annual_income", default=False),
        DateColumn("birth_date", default=False),
        Column("gender", default=False),
        DateTimeColumn("created_at", sort="created_at", default=False),
    ]
    default_order = ("name", "pk")


class ContactTable(Table):
    """People at customers, by name."""

    columns = [
        Column("name", sort="name", link=True),
        RelatedColumn("customer"),
        Column("job_title"),
        PhoneColumn("phone"),
        EmailColumn("email"),
        BooleanColumn("is_primary"),
    ]
    default_order = ("name", "pk")


class InteractionTable(Table):
    """What was said, newest first."""

    columns = [
        Column("subject", link=True),
        BadgeColumn("kind", colours=INTERACTION_COLOURS),
        Column("direction"),
        RelatedColumn("customer"),
        RelatedColumn("contact", default=False),
        RelatedColumn("owner", _("Person")),
        DateTimeColumn("occurred_at", sort="occurred_at"),
    ]
    default_order = ("-occurred_at", "-pk")


PAIR_COLOURS = {PairState.OPEN: "yellow", PairState.DISMISSED: "grey"}


class DuplicatePairTable(Table):
    """Pairs of customers, the surest first."""

    columns = [
        Column(
            "pair",
            _("Customers"),
            value=str,
            link=True,
            select_related=("customer_a", "customer_b"),
        ),
        PercentColumn("score", sort="score"),
        Column("why", _("What agrees"), value=why, reads=TOLD),
        DateColumn("found_at"),
        BadgeColumn("state", colours=PAIR_COLOURS, default=False),
        RelatedColumn("dismissed_by", default=False),
        DateTimeColumn("dismissed_at", default=False),
    ]
    default_order = ("-score", "-pk")
