"""Short ways to declare a model's table, filters, form and import by field names.

Each returns the class that one would write by hand; whoever needs more writes it.
"""

from __future__ import annotations

from typing import Any

import django_filters
from django.db import models
from django.forms import modelform_factory
from django.utils.text import capfirst

from crm.generic.columns import BadgeColumn, Column, column_for
from crm.generic.filters import VisibleFilterSet
from crm.generic.forms import VisibleModelForm
from crm.generic.tables import Table
from crm.importing.columns import Owner, of
from crm.importing.importer import register_importer
from crm.importing.rows import RowImporter


def table_for(model: type[models.Model], *names: str) -> type[Table]:
    """Return a table of fields; the first one leads to the row's page.

    States are badges. A column can be sorted by where an index begins with its field.
    """
    columns = [_column(model, name, is_first=name == names[0]) for name in names]
    return type(f"{model.__name__}Table", (Table,), {"columns": columns})


def _column(model: type[models.Model], name: str, *, is_first: bool) -> Column:
    field = model._meta.get_field(name)
    column = BadgeColumn(name) if field.choices else column_for(model, name)
    column.link = column.link or is_first
    if _is_indexed(model, field):
        column.sort = name
    return column


def _is_indexed(model: type[models.Model], field: models.Field) -> bool:
    """Tell whether an index of its own serves an order by the field."""
    firsts = {index.fields[0].lstrip("-") for index in model._meta.indexes}
    return not field.is_relation and (field.unique or field.name in firsts)


def filters_for(model: type[models.Model], *names: str) -> type[VisibleFilterSet]:
    """Return filters by field: choices, related rows, periods, yes or no, or a text."""
    filters = {name: _filter(model, name) for name in names}
    meta = type("Meta", (), {"model": model, "fields": []})
    name = f"{model.__name__}Filters"
    return type(name, (VisibleFilterSet,), {**filters, "Meta": meta})


def _filter(model: type[models.Model], name: str) -> django_filters.Filter:
    field = model._meta.get_field(name)
    label = capfirst(field.verbose_name)
    if field.choices:
        return django_filters.MultipleChoiceFilter(label=label, choices=field.choices)
    if field.is_relation:
        rows = field.related_model._default_manager.all()
        return django_filters.ModelChoiceFilter(label=label, queryset=rows)
    if isinstance(field, models.DateField):
        return django_filters.DateFromToRangeFilter(label=label)
    if isinstance(field, models.BooleanField):
        return django_filters.BooleanFilter(label=label)
    if isinstance(field, models.DecimalField | models.IntegerField):
        return django_filters.RangeFilter(label=label)
    return django_filters.CharFilter(label=label)


def form_for(model: type[models.Model], *names: str) -> type[VisibleModelForm]:
    """Return the form with these fields."""
    return modelform_factory(model, form=VisibleModelForm, fields=names)


def importer_for(
    model: type[models.Model],
    form: type[VisibleModelForm],
    match_on: list[tuple[str, ...]],
) -> type[RowImporter]:
    """Return an import of the form's fields; ``match_on`` is how rows are recognised.

    Of the relations only the owner can be filled: what another one's cells mean has to
    be written by hand.
    """
    columns: list[Any] = []
    for name in form.base_fields:
        field = model._meta.get_field(name)
        if name == "owner":
            columns.append(Owner(name, field.verbose_name))
        elif not field.is_relation:
            columns.append(of(model, name))
    members = {
        "name": model._meta.label_lower,
        "label": capfirst(model._meta.verbose_name_plural),
        "model": model,
        "columns": tuple(columns),
        "match_on": tuple(match_on),
    }
    return register_importer(type(f"{model.__name__}Importer", (RowImporter,), members))
