"""One declaration per model: its list, detail, forms, files, menu entry and tests."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.urls import (
    URLPattern,
    get_script_prefix,
    path,
    reverse,
)

from crm.access import Verb, can
from crm.audit import record
from crm.generic.delete import DeletePage
from crm.generic.detail import DetailPage
from crm.generic.edit import AddPage, EditPage
from crm.generic.export import ExportPage
from crm.generic.importing import ImportPage
from crm.generic.list import ChoicesPage, ListPage
from crm.generic.nav import Nav
from crm.generic.panels import FieldsPanel, HistoryPanel, Panel, made
from crm.generic.registry import (
    register,
    register_column,
    register_filter,
    register_link,
    register_panel,
    register_section,
    register_tile,
    registry,
)
from crm.generic.tables import Table

if TYPE_CHECKING:
    import django_filters
    from django.forms import BaseInlineFormSet
    from django.views import View

    from crm.generic.actions import Action
    from crm.generic.forms import VisibleModelForm
    from crm.models import User


@cache
def _around_number(name: str, script_prefix: str) -> tuple[str, str]:
    """Return an address before and after its number; a list asks for it per row."""
    url = reverse(name, args=[0])
    start, _number, end = url.rpartition("0")
    return start, end


class Pages:
    """The pages of one model.

    Without a form a model can be neither added nor edited here; without ``deletable``
    not deleted. A page that differs is given by its class: ``list_view = MyListPage``.
    """

    model: type[models.Model]
    path: str
    table: type[Table] = Table
    filters: type[django_filters.FilterSet] | None = None
    form: type[VisibleModelForm] | None = None
    formset: type[BaseInlineFormSet] | None = None
    importer: Any = None
    panels: ClassVar[list[Panel | type[Panel]]] = []
    actions: ClassVar[list[Action]] = []
    nav: Nav | None = None
    search_fields: ClassVar[tuple[str, ...]] = ()
    state_field: str = ""
    deletable: bool = True
    exportable: bool = True
    keeps_history: bool = True

    list_view: type[View] = ListPage
    detail_view: type[View] = DetailPage
    add_view: type[View] = AddPage
    edit_view: type[View] = EditPage
    delete_view: type[View] = DeletePage
    export_view: type[View] = ExportPage
    import_view: type[View] = ImportPage
    choices_view: type[View] = ChoicesPage

    # --- what there is ----------------------------------------------------------

    @property
    def namespace(self) -> str:
        """Return the namespace of the addresses."""
        return self.model._meta.app_label

    def routes(self) -> dict[str, tuple[str, type[View]]]:
        """Return {page: (address below the path, view)} of the pages that exist."""
        found = {
            "list": ("", self.list_view),
            "choices": ("choices/", self.choices_view),
            "detail": ("<int:pk>/", self.detail_view),
        }
        if self.importer is not None:
            found["import"] = ("import/", self.import_view)
        if self.exportable:
            found["export"] = ("export/", self.export_view)
        if self.form is not None:
            found["add"] = ("new/", self.add_view)
            found["edit"] = ("<int:pk>/edit/", self.edit_view)
        if self.deletable:
            found["delete"] = ("<int:pk>/delete/", self.delete_view)
        return found

    def urlpatterns(self) -> list[URLPattern]:
        """Return the addresses of the pages."""
        name = self.model._meta.model_name
        return [
            path(
                f"{self.path}/{below}", view.as_view(pages=self), name=f"{name}_{page}"
            )
            for page, (below, view) in self.routes().items()
        ]

    def url(self, page: str, obj: models.Model | None = None) -> str:
        """Return the address of a page."""
        name = f"{self.namespace}:{self.model._meta.model_name}_{page}"
        if obj is None:
            return reverse(name)
        start, end = _around_number(name, get_script_prefix())
        return f"{start}{obj.pk}{end}"

    def allowed_url(
        self, user: User, page: str, obj: models.Model | None = None
    ) -> str:
        """Return the address of a page if it exists and the person may open it."""
        if page not in self.routes():
            return ""
        verbs = {"edit": Verb.CHANGE, "choices": Verb.VIEW, "list": Verb.VIEW}
        verb = verbs.get(page, page if page in Verb.values else Verb.VIEW)
        return self.url(page, obj) if can(user, verb, obj or self.model) else ""

    # --- what is on them --------------------------------------------------------

    def queryset(self) -> models.QuerySet:
        """Return the rows before anyone's rights; a place for a page-wide exclusion."""
        return self.model.objects.all()

    def make_table(self) -> Table:
        """Return the list's table with the columns that upper apps registered."""
        return self.table(self.model, registry.columns.get(self.model, ()))

    def detail_queryset(self) -> models.QuerySet:
        """Return the rows as the detail page loads them."""
        related = [
            field.name
            for field in self.model._meta.fields
            if isinstance(field, models.ForeignKey)
        ]
        return self.queryset().select_related(*related) if related else self.queryset()

    def panels_for(self, user: User, obj: models.Model) -> list[Panel]:
        """Return the panels of a row's page that the person sees, in order."""
        declared = self.panels or [self.default_panel()]
        panels = [
            made(one) for one in [*declared, *registry.panels.get(self.model, ())]
        ]
        if self.keeps_history:
            panels.append(HistoryPanel())
        return sorted(
            (panel for panel in panels if panel.visible(user, obj)),
            key=lambda panel: panel.order,
        )

    def default_panel(self) -> Panel:
        """Return a panel with the fields of the form, or of the model."""
        if self.form is not None:
            return FieldsPanel(list(self.form.base_fields))
        hidden = {"id", "is_demo", "password"}
        fields = [one.name for one in self.model._meta.fields if one.name not in hidden]
        return FieldsPanel(fields)

    # --- what a save does -------------------------------------------------------

    def save(
        self, form: VisibleModelForm, formset: BaseInlineFormSet | None, actor: User
    ) -> models.Model:
        """Save a valid form with its rows below, and write the audit log.

        An app whose model has rules routes this to its service. It runs inside the
        transaction of the page; raising undoes everything.
        """
        verb = "added" if form.is_new else "changed"
        changes = form.changes()
        obj = form.save()
        if formset is not None:
            formset.instance = obj
            formset.save()
        record(actor, verb, obj, changes)
        return obj

    def delete(self, obj: models.Model, actor: User) -> None:
        """Delete a row and write the audit log, inside the transaction of the page."""
        record(actor, "deleted", obj)
        obj.delete()


__all__ = [
    "FieldsPanel",
    "Nav",
    "Pages",
    "Panel",
    "Table",
    "register",
    "register_column",
    "register_filter",
    "register_link",
    "register_panel",
    "register_section",
    "register_tile",
]
