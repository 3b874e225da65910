"""Lists of the framework's own models."""

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
from crm.models import EventKind, Tag
from crm.security.browsers import browser_name

# What an administrator looks at first.
ALARMING = (
    EventKind.SIGN_IN_FAILED,
    EventKind.THROTTLED,
    EventKind.FACTOR_FAILED,
    EventKind.DENIED,
)


class TagTable(Table):
    """Tags."""

    columns = [
        Column("name", link=True, sort="name"),
        BadgeColumn("colour", colours={name: name for name, _label in Tag.COLOURS}),
        DateColumn("created_at", sort="created_at"),
    ]


class PeopleTable(Table):
    """Colleagues."""

    columns = [
        Column("name", _("Name"), value=str, link=True, sort="first_name"),
        Column("title", sort="title"),
        RelatedColumn("team", link=False, sort="team__name"),
        Column("email", sort="email"),
    ]


class SecurityEventTable(Table):
    """What happened at the doors."""

    columns = [
        DateTimeColumn("at", sort="at", link=True),
        BadgeColumn("kind", colours=dict.fromkeys(ALARMING, "orange")),
        Column("name"),
        RelatedColumn("actor"),
        Column("address"),
        Column("browser", value=lambda row: browser_name(row.browser)),
        Column("details", value=lambda row: row.details_text),
    ]
    select_related = ("actor",)


class CustomFieldTable(Table):
    """Custom fields, model by model."""

    columns = [
        Column("label", value=lambda row: row.title, link=True, editable=False),
        Column("model", value=lambda row: row.model_name, editable=False),
        Column("kind", editable=False),
        Column("position", editable=False, align="end"),
        BooleanColumn("required", editable=False),
        BooleanColumn("often_filtered", default=False, editable=False),
        BooleanColumn("sortable", default=False, editable=False),
        BadgeColumn("state", colours={"active": "green", "retired": "grey"}),
    ]
