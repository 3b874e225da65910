"""Lists of the framework's own models."""

from django.utils.translation import gettext_lazy as _

from crm.generic.tables import BadgeColumn, Column, DateColumn, RelatedColumn, Table
from crm.models import Tag


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
