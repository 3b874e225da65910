"""Pages of the framework's own models."""

from django.db.models import QuerySet

from crm.backup import jobs  # noqa: F401  (declares its kinds)
from crm.forms import TagForm
from crm.generic.bulk import job  # noqa: F401  (declares its kind)
from crm.generic.nav import Nav
from crm.generic.pages import Pages
from crm.generic.panels import FieldsPanel
from crm.generic.registry import register
from crm.models import Tag, User
from crm.search.declaration import Search
from crm.tables import PeopleTable, TagTable


@register
class TagPages(Pages):
    """Tags; those who may change them keep them in order here."""

    model = Tag
    path = "tags"
    table = TagTable
    form = TagForm
    nav = Nav("crm", order=80, icon="tag")
    search_fields = ("name",)


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
