"""One cell of a list, or one fact of a page, edited where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from crm.access import Verb, is_among, read_only_fields
from crm.custom.definitions import active_fields
from crm.generic.base import GenericPage
from crm.generic.cells import Cell, Links
from crm.generic.columns import Column, column_for
from crm.generic.edit import save_form
from crm.generic.panels import FieldsPanel
from crm.models import AuditEntry
from crm.reach import reachable

if TYPE_CHECKING:
    from crm.generic.forms import VisibleModelForm
    from crm.generic.pages import Pages
    from crm.generic.tables import Row, Table
    from crm.models import User

# The value as it was when the control was opened.
WAS = "value_before"


def editable_columns(
    pages: Pages, user: User | None = None, table: Table | None = None
) -> dict[str, Column]:
    """Return {field: column} of what can be edited in its place, by a person.

    Given the declared table, only what is declared: known before there is a database.
    """
    if pages.form is None:
        return {}
    kept = read_only_fields(user, pages.model) if user is not None else ()
    facts = [
        column_for(pages.model, one) if isinstance(one, str) else one
        for panel in pages.panels or [pages.default_panel()]
        if isinstance(panel, FieldsPanel)
        for one in panel.fields
    ]
    names = {*pages.form.base_fields}
    if table is None:
        table = pages.make_table()
        names.update(one.name for one in active_fields(pages.model))
    return {
        column.key: column
        for column in reversed([*table.all_columns, *facts])
        if column.editable and column.key in names and not is_among(column.key, kept)
    }


def mark_editable(
    rows: list[Row], columns: list[Column], pages: Pages, user: User
) -> None:
    """Say in the cells of a list which of them the person may edit."""
    known = editable_columns(pages, user)
    names = [column.key if column.key in known else "" for column in columns]
    if not any(names):
        return
    objects = [row.object for row in rows]
    allowed = reachable(user, Verb.CHANGE, pages.model, objects)
    for row in rows:
        if row.object.pk in allowed:
            for cell, name in zip(row.cells, names, strict=True):
                cell.edit = name


def mark_of(form: forms.BaseForm, name: str) -> str:
    """Return the stored value of a field as a short text that can be compared."""
    value = form.get_initial_for_field(form.fields[name], name)
    if isinstance(value, models.Model):
        value = value.pk
    elif isinstance(value, list | tuple | models.QuerySet):
        keys = [one.pk if isinstance(one, models.Model) else one for one in value]
        value = ",".join(map(str, sorted(keys)))
    return "" if value is None else str(value)


class CellPage(GenericPage):
    """Show a cell's control, and save that field alone."""

    verb = Verb.CHANGE
    template_name = "generic/_cell.html"

    def get(self, request: HttpRequest, pk: int, column: str) -> HttpResponse:
        """Show the control; ``?shown`` shows the cell as it is stored now."""
        row = self.find(pk)
        self.require_known(column)
        if "shown" in request.GET:
            return self.show(pk, column)
        if not getattr(request, "htmx", None):
            # Without script a row is edited on its own page.
            return redirect(self.pages.url("edit", row))
        return self.ask(self.make_form(row, column), column)

    def post(self, request: HttpRequest, pk: int, column: str) -> HttpResponse:
        """Save the field, unless somebody else changed it meanwhile."""
        self.require_known(column)
        with transaction.atomic():
            row = self.find(pk, self.pages.queryset().select_for_update(of=("self",)))
            form = self.make_form(row, column)
            if column not in form.fields:
                return self.ask(form, column, status=409)
            stored = mark_of(form, column)
            if form.has_changed():
                if request.POST.get(WAS, stored) != stored:
                    theirs = self.conflict(row, column)
                    return self.ask(form, column, status=409, **theirs)
                saved = save_form(self.pages, form, None, request.user, self.verb)
                if saved is None:
                    return self.ask(form, column, status=422)
        return self.show(pk, column)

    def require_known(self, name: str) -> None:
        """Answer 404 for what is no editable field."""
        if name not in editable_columns(self.pages, self.request.user):
            raise Http404

    def make_form(self, row: models.Model, name: str) -> VisibleModelForm:
        """Return the model's own form, with the one field."""
        data = (self.request.POST,) if self.request.method == "POST" else ()
        # The list around it may have a filter of the same name.
        form = self.pages.form(
            *data, instance=row, actor=self.request.user, auto_id=f"cell_{row.pk}_%s"
        )
        form.keep_only([name])
        return form

    def ask(
        self, form: VisibleModelForm, name: str, status: int = 200, **context: Any
    ) -> HttpResponse:
        """Show the control, with what is wrong or in the way."""
        bound = form[name] if name in form.fields else None
        if bound is not None and bound.errors:
            bound.field.widget.attrs["aria-invalid"] = "true"
        mark = mark_of(form, name) if bound is not None else ""
        return self.render(
            {
                "form": form,
                "bound": bound,
                "was_name": WAS,
                "was": mark,
                **context,
            },
            status=status,
        )

    def conflict(self, row: models.Model, name: str) -> dict[str, Any]:
        """Return what is stored now, and who saved it."""
        stored = self.stored(row.pk, name)
        entry = (
            AuditEntry.objects.filter(
                content_type=ContentType.objects.get_for_model(self.model),
                object_id=row.pk,
                changes__has_key=name,
            )
            .select_related("actor")
            .first()
        )
        return {
            "is_conflict": True,
            "now": stored.text,
            "whom": entry.actor if entry else None,
        }

    def stored(self, pk: int, name: str) -> Cell:
        """Return the cell as the list shows it now."""
        column = editable_columns(self.pages)[name]
        rows = self.pages.make_table().prepare(
            self.pages.queryset(), [column], self.request
        )
        row = rows.get(pk=pk)
        return column.cell(row, Links(self.request.user), self.pages.url("detail", row))

    def show(self, pk: int, name: str) -> HttpResponse:
        """Answer with the cell as it is stored now."""
        return self.render({"cell": self.stored(pk, name)}, "generic/_cell_shown.html")


__all__ = ["CellPage", "editable_columns", "mark_editable"]
