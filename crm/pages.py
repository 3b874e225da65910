"""Pages of the framework's own models."""

from typing import Any

from django.db.models import QuerySet

from crm.backup import jobs  # noqa: F401  (declares its kinds)
from crm.custom.forms import CustomFieldForm, as_lines
from crm.custom.jobs import keep_index
from crm.custom.services import announce_change, require_empty
from crm.forms import TagForm
from crm.generic.bulk import job  # noqa: F401  (declares its kind)
from crm.generic.nav import Nav
from crm.generic.pages import Pages
from crm.generic.panels import FieldsPanel
from crm.generic.registry import register
from crm.generic.tables import Column
from crm.models import CustomField, SecurityEvent, Tag, User
from crm.search import order  # noqa: F401  (declares its kind)
from crm.search.declaration import Search
from crm.security.filters import SecurityEventFilters
from crm.tables import CustomFieldTable, PeopleTable, SecurityEventTable, TagTable


@register
class TagPages(Pages):
    """Tags; those who may change them keep them in order here."""

    model = Tag
    path = "tags"
    table = TagTable
    form = TagForm
    nav = Nav("crm", order=80, icon="tag")
    search_fields = ("name",)
    mergeable = True


@register
class PeoplePages(Pages):
    """Colleagues, to look up and to pick; they are edited in the admin."""

    model = User
    path = "people"
    table = PeopleTable
    panels = [FieldsPanel(["title", "team", "email"])]
    nav = Nav("crm", order=70, icon="users")
    search = Search(
        name=("last_name", "first_name"),
        email=("email",),
        number=("username",),
        title=("first_name", "last_name", "username"),
        facts=("title", "email"),
    )
    deletable = False
    exportable = False

    def queryset(self) -> QuerySet:
        """Return those who can sign in."""
        return super().queryset().active()


@register
class SecurityEventPages(Pages):
    """What happened at the doors, to read; administrators have the grant."""

    model = SecurityEvent
    path = "settings/security"
    table = SecurityEventTable
    filters = SecurityEventFilters
    panels = [
        FieldsPanel(
            [
                *("at", "kind", "name", "person", "actor", "address", "browser"),
                Column("details", value=lambda row: row.details_text),
            ]
        )
    ]
    nav = Nav("crm", order=90, icon="shield")
    deletable = False
    exportable = False
    keeps_history = False


@register
class CustomFieldPages(Pages):
    """Fields that administrators add to other models."""

    model = CustomField
    path = "settings/fields"
    table = CustomFieldTable
    form = CustomFieldForm
    panels = [
        FieldsPanel(
            [
                Column("model", value=lambda row: row.model_name, editable=False),
                *("kind", "label_zh", "help_text"),
                Column("options", value=lambda row: as_lines(row.options)),
                *("required", "often_filtered", "sortable", "position", "state"),
            ]
        )
    ]
    nav = Nav("crm", order=85, icon="list")
    search_fields = ("label", "label_zh")
    state_field = "state"
    exportable = False

    def save(self, form: Any, formset: Any, actor: User) -> CustomField:
        """Save the field and let the lists and forms know it."""
        saved = super().save(form, formset, actor)
        keep_index(saved, actor)
        announce_change()
        return saved

    def delete(self, obj: CustomField, actor: User) -> None:
        """Delete a field that no row has a value of."""
        require_empty(obj)
        obj.often_filtered = obj.sortable = False
        keep_index(obj, actor)
        super().delete(obj, actor)
        announce_change()
