"""Lists: a table is a list of columns; the columns stand in columns.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models

from crm.formatting import one_language
from crm.generic import formats
from crm.generic.cells import Cell, Links
from crm.generic.columns import (
    BadgeColumn,
    BooleanColumn,
    Column,
    DateColumn,
    DateTimeColumn,
    EmailColumn,
    MoneyColumn,
    NumberColumn,
    PercentColumn,
    PhoneColumn,
    RelatedColumn,
    column_for,
)

if TYPE_CHECKING:
    from django.http import HttpRequest

    from crm.models import User


@dataclass(slots=True)
class Heading:
    """The head of a column on the page."""

    label: str
    align: str
    url: str = ""
    direction: str = ""
    key: str = ""
    width: int | None = None
    # Why nobody can sort by it.
    reason: str = ""


@dataclass(slots=True)
class Row:
    """One line of the list on the page."""

    object: Any
    url: str
    cells: list[Cell]


class Table:
    """The columns of a model's list; subclasses only declare."""

    columns: ClassVar[list[Column | str]] = []
    default_order: ClassVar[tuple[str, ...] | str] = ()
    select_related: ClassVar[tuple[str, ...]] = ()
    prefetch_related: ClassVar[tuple[Any, ...]] = ()

    def __init__(self, model: type[models.Model], extra: Iterable[Column] = ()) -> None:
        self.model = model
        self.all_columns = [
            column_for(model, one) if isinstance(one, str) else one
            for one in [*self.columns, *extra]
        ]

    @property
    def keys(self) -> list[str]:
        """Return the keys of all columns, in order."""
        return [column.key for column in self.all_columns]

    def order(self) -> tuple[str, ...]:
        """Return the order of a list that nobody sorted."""
        order = self.default_order or self.model._meta.ordering or ("-pk",)
        return (order,) if isinstance(order, str) else tuple(order)

    def columns_for(
        self, user: User, wanted: Iterable[str] = (), *, every: bool = False
    ) -> list[Column]:
        """Return the columns that the person sees, those wanted or the usual ones."""
        allowed = [
            column for column in self.all_columns if column.visible(user, self.model)
        ]
        if every:
            return allowed
        by_key = {column.key: column for column in allowed}
        # A column that is gone is left out; the others keep their order.
        chosen = [by_key[key] for key in dict.fromkeys(wanted) if key in by_key]
        return chosen or [column for column in allowed if column.default]

    def prepare(
        self, queryset: models.QuerySet, columns: list[Column], request: HttpRequest
    ) -> models.QuerySet:
        """Load with the rows what the visible columns need, and nothing else."""
        related = set(self.select_related)
        prefetch = list(self.prefetch_related)
        for column in columns:
            queryset = column.annotate(queryset, request)
            related.update(column.select_related)
            prefetch += [one for one in column.prefetch_related if one not in prefetch]
        if related:
            queryset = queryset.select_related(*sorted(related))
            queryset = queryset.defer(*self._unlisted(related))
        return queryset.prefetch_related(*prefetch) if prefetch else queryset

    def _unlisted(self, related: set[str]) -> list[str]:
        """Return the paths of what no list shows of the related rows."""
        found = []
        for path in related:
            model = getattr(formats.field_of(self.model, path), "related_model", None)
            names = getattr(model, "unlisted_fields", ())
            found += [f"{path}__{name}" for name in names]
        return found

    def rows(
        self,
        objects: list[Any],
        columns: list[Column],
        user: User,
        url_of: Callable[[Any], str],
    ) -> list[Row]:
        """Return the lines for the page."""
        links = Links(user)
        targets: dict[type[models.Model], dict[Any, models.Model]] = {}
        for column in columns:
            for obj in objects:
                other = column.related(obj)
                if other is not None:
                    targets.setdefault(type(other), {})[other.pk] = other
        for model, found in targets.items():
            links.collect(model, found.values())
        labels = [column.heading(self.model) for column in columns]
        lines = []
        with one_language():
            for obj in objects:
                url = url_of(obj)
                cells = [column.cell(obj, links, url) for column in columns]
                for cell, label in zip(cells, labels, strict=True):
                    cell.label = label
                lines.append(Row(obj, url, cells))
        return lines


__all__ = [
    "BadgeColumn",
    "BooleanColumn",
    "Column",
    "DateColumn",
    "DateTimeColumn",
    "EmailColumn",
    "MoneyColumn",
    "NumberColumn",
    "PercentColumn",
    "PhoneColumn",
    "RelatedColumn",
    "Table",
    "column_for",
]
