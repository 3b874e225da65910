"""One declaration per model: its list, detail, forms, files, menu entry and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.http import Http404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.functional import cached_property

from crm.access import Verb, can, read_only_fields
from crm.addresses import address_of, row_addresses
from crm.attachments.panels import FilesPanel
from crm.audit import record
from crm.custom.columns import CustomFieldsPanel, custom_columns
from crm.generic import formats
from crm.generic.board import Board
from crm.generic.board_add import BoardAddPage
from crm.generic.board_move import MovePage
from crm.generic.builder import ConditionPage
from crm.generic.bulk import STANDARD_ACTIONS, BulkAction
from crm.generic.bulk.page import BulkPage
from crm.generic.cards import CardPage, Cards
from crm.generic.delete import DeletePage
from crm.generic.detail import DetailPage
from crm.generic.edit import AddPage, EditPage
from crm.generic.export import ExportPage
from crm.generic.forms import VisibleModelForm
from crm.generic.importing import ImportPage
from crm.generic.inline import CellPage, editable_columns
from crm.generic.layouts import LayoutPage
from crm.generic.list import ChoicesPage, ListPage
from crm.generic.merge_page import MergePage, MergeRows
from crm.generic.nav import Nav
from crm.generic.neighbours import NeighboursPage
from crm.generic.panels import FieldsPanel, HistoryPanel, Panel, SharesPanel, made
from crm.generic.peek import PanelPage, PeekPage
from crm.generic.quickadd import QuickAddPage
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
from crm.generic.similar import SimilarPage
from crm.generic.tables import Table
from crm.models import BaseModel
from crm.models.custom import PREFIX
from crm.notes.panels import NotesPanel
from crm.rights.sharing import SharePage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import django_filters
    from django.forms import BaseInlineFormSet
    from django.views import View

    from crm.generic.actions import Action
    from crm.models import User
    from crm.search.declaration import Search


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
    bulk_actions: ClassVar[list[BulkAction]] = [*STANDARD_ACTIONS, MergeRows()]
    board: Board | None = None
    # Rows can be taken away as vCards.
    cards: Cards | None = None
    nav: Nav | None = None
    search_fields: ClassVar[tuple[str, ...]] = ()
    search: Search | None = None
    # Three to five fields for adding from anywhere; every required one is among them.
    quick_fields: ClassVar[tuple[str, ...]] = ()
    # Of these, what is typed is compared with the rows that exist.
    similar_fields: ClassVar[tuple[str, ...]] = ()
    state_field: str = ""
    deletable: bool = True
    # Two rows can stand for the same thing, and be made one.
    mergeable: bool = False
    exportable: bool = True
    keeps_history: bool = True
    # Rows can have files, and notes.
    keeps_files: bool = True
    keeps_notes: bool = True

    list_view: type[View] = ListPage
    detail_view: type[View] = DetailPage
    add_view: type[View] = AddPage
    edit_view: type[View] = EditPage
    delete_view: type[View] = DeletePage
    export_view: type[View] = ExportPage
    import_view: type[View] = ImportPage
    choices_view: type[View] = ChoicesPage
    bulk_view: type[View] = BulkPage
    peek_view: type[View] = PeekPage
    panel_view: type[View] = PanelPage
    neighbours_view: type[View] = NeighboursPage
    quick_view: type[View] = QuickAddPage
    similar_view: type[View] = SimilarPage
    cell_view: type[View] = CellPage

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
            "condition": ("condition/", ConditionPage),
            "layout": ("layout/", LayoutPage),
            "detail": ("<int:pk>/", self.detail_view),
            "peek": ("<int:pk>/peek/", self.peek_view),
            "panel": ("<int:pk>/panel/<slug:key>/", self.panel_view),
            "neighbours": ("<int:pk>/neighbours/", self.neighbours_view),
        }
        if self.importer is not None:
            found["import"] = ("import/", self.import_view)
        if self.exportable:
            found["export"] = ("export/", self.export_view)
        if self.cards is not None:
            found["card"] = ("<int:pk>/card/", CardPage)
        if self.form is not None:
            found["add"] = ("new/", self.add_view)
            found["edit"] = ("<int:pk>/edit/", self.edit_view)
            if self.quick_fields:
                found["quick"] = ("quick/", self.quick_view)
            if self.similar_fields:
                found["similar"] = ("similar/", self.similar_view)
        if self.shareable:
            found["share"] = ("<int:pk>/share/", SharePage)
        if self.board is not None:
            found["move"] = ("<int:pk>/move/", MovePage)
            if self.board.quick:
                found["boardadd"] = ("board/add/", BoardAddPage)
        if editable_columns(self, table=self.declared_table()):
            found["cell"] = ("<int:pk>/cell/<slug:column>/", self.cell_view)
        if self.mergeable:
            found["merge"] = ("merge/", MergePage)
        if self.deletable:
            found["delete"] = ("<int:pk>/delete/", self.delete_view)
        return found

    @cached_property
    def known_routes(self) -> frozenset[str]:
        """Return the names of the pages that exist; a page asks for dozens."""
        return frozenset(self.routes())

    def urlpatterns(self) -> list[URLPattern]:
        """Return the addresses of the pages."""
        name = self.model._meta.model_name
        return [
            path(
                f"{self.path}/{below}", view.as_view(pages=self), name=f"{name}_{page}"
            )
            for page, (below, view) in self.routes().items()
        ] + [
            path(
                f"{self.path}/bulk/{action.key}/",
                self.bulk_view.as_view(pages=self, action=action),
                name=f"{name}_bulk-{action.key}",
            )
            for action in self.bulk_actions
            if action.fits(self)
        ]

    def url(self, page: str, obj: models.Model | None = None) -> str:
        """Return the address of a page."""
        return address_of(self._name(page), None if obj is None else obj.pk)

    def row_urls(self, page: str = "detail") -> Callable[[models.Model], str]:
        """Return what gives the addresses of many rows' pages."""
        address = row_addresses(self._name(page))
        return lambda obj: address(obj.pk)

    def _name(self, page: str) -> str:
        return f"{self.namespace}:{self.model._meta.model_name}_{page}"

    def allowed_url(
        self, user: User, page: str, obj: models.Model | None = None
    ) -> str:
        """Return the address of a page if it exists and the person may open it."""
        if page not in self.known_routes:
            return ""
        verbs = {
            "edit": Verb.CHANGE,
            "move": Verb.CHANGE,
            "boardadd": Verb.ADD,
            "quick": Verb.ADD,
            "card": Verb.EXPORT,
        }
        if page == "move" and self.board.field in read_only_fields(user, self.model):
            return ""
        verb = verbs.get(page, page if page in Verb.values else Verb.VIEW)
        return self.url(page, obj) if can(user, verb, obj or self.model) else ""

    def bulk_action(self, key: str) -> BulkAction:
        """Return what can be done with many rows, by its key."""
        return next(one for one in self.bulk_actions if one.key == key)

    def bulk_actions_for(self, user: User) -> list[tuple[BulkAction, str]]:
        """Return (action, address) of what the person may do with many rows."""
        return [
            (action, self.url(f"bulk-{action.key}"))
            for action in self.bulk_actions
            if action.fits(self) and can(user, action.verb, self.model)
        ]

    # --- what is on them --------------------------------------------------------

    @property
    def shareable(self) -> bool:
        """Tell whether one row can be shared: it is edited here and has an owner."""
        access_path = getattr(self.model, "access_path", "")
        return self.form is not None and access_path == "owner"

    @property
    def is_searchable(self) -> bool:
        """Tell whether rows can be found by a text."""
        return bool(self.search or self.search_fields)

    @property
    def takes_files(self) -> bool:
        """Tell whether rows can have files."""
        return self.keeps_files and self._is_made_by_people

    @property
    def takes_notes(self) -> bool:
        """Tell whether people can write notes at rows, and follow them."""
        return self.keeps_notes and self._is_made_by_people

    @property
    def _is_made_by_people(self) -> bool:
        is_derived = getattr(self.model, "is_derived", False)
        return issubclass(self.model, BaseModel) and not is_derived

    def queryset(self) -> models.QuerySet:
        """Return the rows before anyone's rights; a place for a page-wide exclusion."""
        return self.model.objects.all()

    def declared_table(self) -> Table:
        """Return the list's table with the columns that upper apps registered."""
        return self.table(self.model, registry.columns.get(self.model, ()))

    def make_table(self) -> Table:
        """Return the same with the columns of custom fields."""
        registered = registry.columns.get(self.model, ())
        return self.table(self.model, [*registered, *custom_columns(self.model)])

    def related_names(self) -> list[str]:
        """Return the relations that a row has to one other row."""
        return [
            field.name
            for field in self.model._meta.fields
            if isinstance(field, models.ForeignKey)
        ]

    def detail_queryset(self) -> models.QuerySet:
        """Return the rows as the detail page loads them."""
        related = self.related_names()
        return self.queryset().select_related(*related) if related else self.queryset()

    def panels_for(self, user: User, obj: models.Model) -> list[Panel]:
        """Return the panels of a row's page that the person sees, in order."""
        declared = self.panels or [self.default_panel()]
        panels = [
            made(one) for one in [*declared, *registry.panels.get(self.model, ())]
        ]
        custom = custom_columns(self.model)
        if custom:
            panels.append(CustomFieldsPanel(custom))
        if self.shareable:
            panels.append(SharesPanel())
        if self.keeps_history:
            panels.append(HistoryPanel())
        if self.takes_files:
            panels.append(FilesPanel())
        if self.takes_notes:
            panels.append(NotesPanel())
        return sorted(
            (panel for panel in panels if panel.visible(user, obj)),
            key=lambda panel: panel.order,
        )

    def panel_for(self, user: User, obj: models.Model, key: str) -> Panel:
        """Return one panel of a row's page, or answer 404 if it is not shown there."""
        for panel in self.panels_for(user, obj):
            if panel.key == key:
                return panel
        raise Http404

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

    def saves_plainly(self, names: Iterable[str]) -> bool:
        """Tell whether saving these fields is nothing but writing them.

        Then many rows are written by one statement; else each goes through the form
        and ``save``, so that the rules of the model apply.
        """
        form = self.form
        return (
            type(self).save is Pages.save
            and self.model.save is models.Model.save
            and form.__init__ is VisibleModelForm.__init__
            and form.clean is VisibleModelForm.clean
            and form.save is VisibleModelForm.save
            and not any(
                hasattr(form, f"clean_{name}") or name.startswith(PREFIX)
                for name in names
            )
        )

    def touched(self) -> dict[str, Any]:
        """Return what an update by hand has to set besides the values."""
        has_time = formats.field_of(self.model, "updated_at") is not None
        return {"updated_at": timezone.now()} if has_time else {}

    def delete(self, obj: models.Model, actor: User) -> None:
        """Delete a row and write the audit log, inside the transaction of the page."""
        record(actor, "deleted", obj)
        obj.delete()


__all__ = [
    "Board",
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
