"""Custom fields as columns of lists, facts of pages, and cells of files."""

# ruff: noqa: S608  (SQL is put together from names of our own)
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.custom.definitions import active_fields
from crm.custom.indexes import SORTABLE
from crm.custom.kinds import Kind, ReferenceKind, kind_of
from crm.generic.cells import Cell, Links
from crm.generic.columns import (
    BooleanColumn,
    Column,
    DateColumn,
    MoneyColumn,
    NumberColumn,
)
from crm.generic.export_sql import Source, Text, never_formula
from crm.generic.formats import field_of
from crm.generic.panels import FieldsPanel
from crm.models.custom import FieldKind

if TYPE_CHECKING:
    from django.http import HttpRequest

NOT_TICKED = _("Not sortable: its custom field is not marked as sortable.")
NO_INDEX_YET = _("Not sortable yet: its index is being made.")
# SQL for the text that lies in a JSON value.
PLAIN = "({0} #>> '{{}}')"


class CustomColumn(Column):
    """What all columns of custom fields share; mixed into the column of a type."""

    def __init__(self, kind: Kind, **options: Any) -> None:
        self.custom = kind
        field = kind.field
        super().__init__(field.name, field.title, default=False, **options)
        self.sort = field.name if field.has_sort_index else None
        if field.kind in SORTABLE:
            self.unsorted = NO_INDEX_YET if field.sortable else NOT_TICKED

    def value(self, row: Any) -> Any:
        """Return the value as Python computes with it."""
        value = row.custom.get(self.custom.field.key)
        return None if value is None else self.custom.from_json(value)

    def sql_source(self, rows: models.QuerySet) -> Source | None:
        """Return where the database finds the value for a file."""
        return JsonSource(self.key, models.JSONField(), {}, kind=self.custom)


class CustomNumber(CustomColumn, NumberColumn):
    """A number with the decimals that it has."""

    def text(self, row: Any) -> str:
        """Return the number, not rounded."""
        return self.custom.words(row.custom.get(self.custom.field.key))


class CustomMoney(CustomColumn, MoneyColumn):
    """An amount in the row's currency, else in the company's."""

    def __init__(self, kind: Kind, *, model: type[models.Model]) -> None:
        has_own = field_of(model, "currency") is not None
        currency = "currency" if has_own else settings.DEFAULT_CURRENCY
        super().__init__(kind, currency=currency)


class CustomDate(CustomColumn, DateColumn):
    """A day."""


class CustomBoolean(CustomColumn, BooleanColumn):
    """Yes or no."""


class CustomChoices(CustomColumn):
    """Several words."""

    def export(self, row: Any) -> Any:
        """Return the words in one cell."""
        return ", ".join(self.value(row) or ())


class CustomLink(CustomColumn):
    """A web address that can be followed."""

    def cell(self, row: Any, links: Links, own_url: str = "") -> Cell:
        """Return the address as a link; never one that runs as a script."""
        cell = super().cell(row, links, own_url)
        address = self.value(row) or ""
        if address.startswith(("https://", "http://")):
            cell.url = address
        return cell


class CustomReference(CustomColumn):
    """Another row by its name, with a link for those who may open it."""

    custom: ReferenceKind

    def __init__(self, kind: ReferenceKind) -> None:
        super().__init__(kind, requires=kind.target)

    @property
    def alias(self) -> str:
        """Return what the name is called in the query."""
        return f"custom_{self.custom.field.key}_name"

    def annotate(
        self, queryset: models.QuerySet, request: HttpRequest
    ) -> models.QuerySet:
        """Let the query find the names."""
        target = self.custom.target
        key = KeyTextTransform(self.custom.field.key, OuterRef("custom"))
        named = target._base_manager.filter(pk=Cast(key, models.BigIntegerField()))
        name = Subquery(named.values(target.text_field)[:1])
        return queryset.annotate(**{self.alias: name})

    def value(self, row: Any) -> Any:
        """Return the name; a row of its own page looks it up."""
        key = row.custom.get(self.custom.field.key)
        if key is None:
            return None
        if self.alias in row.__dict__:
            return row.__dict__[self.alias]
        found = self.custom.target._base_manager.filter(pk=key).first()
        return str(found) if found else None

    def text(self, row: Any) -> str:
        """Return the name; a row that is deleted can still be restored."""
        if row.custom.get(self.custom.field.key) is None:
            return ""
        return super().text(row) or gettext("(deleted)")

    def related(self, row: Any) -> models.Model | None:
        """Return the other row, known by its id alone."""
        key = row.custom.get(self.custom.field.key)
        return None if key is None else self.custom.target(pk=key)

    def cell(self, row: Any, links: Links, own_url: str = "") -> Cell:
        """Return the name, with a link if the reader may follow it."""
        cell = super().cell(row, links, own_url)
        cell.url = links.url(self.related(row)) if self.value(row) else ""
        return cell

    def sql_source(self, rows: models.QuerySet) -> Source | None:
        """Return the name that the query finds."""
        return Source(self.alias, models.CharField(), {})


class JsonSource(Source):
    """A custom field's value, written for a file as Python writes it."""

    def __init__(self, *args: Any, kind: Kind) -> None:
        super().__init__(*args)
        object.__setattr__(self, "kind", kind)

    def text(self, name: str) -> Text:
        """Return SQL, with its parameters, for the text of the value ``name``."""
        field, plain = self.kind.field, PLAIN.format(name)
        if field.kind in (FieldKind.NUMBER, FieldKind.MONEY):
            return f"trim_scale({plain}::numeric)::text", []
        if field.kind == FieldKind.BOOLEAN:
            return f"initcap({plain})", []
        labels = json.dumps(field.choices)
        if field.kind == FieldKind.CHOICE:
            sql, params = f"coalesce(%s::jsonb ->> {plain}, {plain})", [labels]
        elif field.kind == FieldKind.CHOICES:
            sql = (
                "(SELECT string_agg(coalesce(%s::jsonb ->> k, k), ', ' ORDER BY n)"
                f" FROM jsonb_array_elements_text({name}) WITH ORDINALITY x (k, n))"
            )
            params = [labels]
        else:
            sql, params = plain, []
        return f"(SELECT {never_formula('t')} FROM (SELECT {sql}) x (t))", params


COLUMNS: dict[str, type[CustomColumn]] = {
    FieldKind.NUMBER: CustomNumber,
    FieldKind.DATE: CustomDate,
    FieldKind.BOOLEAN: CustomBoolean,
    FieldKind.CHOICES: CustomChoices,
    FieldKind.LINK: CustomLink,
    FieldKind.REFERENCE: CustomReference,
}


def custom_columns(model: type[models.Model]) -> list[Column]:
    """Return the columns of a model's custom fields."""
    return [
        CustomMoney(kind_of(one), model=model)
        if one.kind == FieldKind.MONEY
        else COLUMNS.get(one.kind, CustomColumn)(kind_of(one))
        for one in active_fields(model)
    ]


class CustomFieldsPanel(FieldsPanel):
    """The custom fields of a row."""

    def __init__(self, fields: list[Column]) -> None:
        super().__init__(fields, _("Custom fields"), order=65, column="side")
