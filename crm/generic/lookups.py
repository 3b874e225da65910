"""Values that stand in a table of their own: looked up for a page, joined for a file.

A page asks for 50 rows, and 50 look-ups cost nothing. A file asks for all of them, and
one join costs a fraction of a million look-ups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import models
from django.db.models.expressions import Col, Func, OuterRef, Subquery, Value
from django.db.models.functions import Cast
from django.db.models.lookups import Exact
from django.db.models.sql.constants import LOUTER
from django.db.models.sql.datastructures import Join
from django.db.models.sql.where import WhereNode


@dataclass(frozen=True)
class Beside:
    """Which row of another table belongs to a row; what ``Join`` asks of a relation.

    Django has no join without a relation, and a relation would let the other table take
    part when rows are deleted.
    """

    own: models.Field
    other: models.Field
    fixed: tuple[tuple[models.Field, Any], ...]

    def get_joining_fields(self) -> tuple[tuple[models.Field, models.Field], ...]:
        """Return the fields that are equal on both sides."""
        return ((self.own, self.other),)

    def get_extra_restriction(self, alias: str, _parent: str | None) -> WhereNode:
        """Return what else holds for the other row."""
        return WhereNode([Exact(Col(alias, one), value) for one, value in self.fixed])


class LookedUp(Subquery):
    """A field of the one row of another table that belongs to a row.

    ``key`` names the field that holds the row's id; together with what is fixed it has
    to be unique.
    """

    def __init__(
        self, model: type[models.Model], key: str, field: str, **fixed: Any
    ) -> None:
        rows = model._base_manager.filter(**fixed, **{key: OuterRef("pk")})
        super().__init__(rows.values(field)[:1])
        self.model, self.key, self.wanted, self.fixed = model, key, field, fixed

    def joined(self, query: models.sql.Query) -> Col:
        """Join the other table to the query, once however many ask for it."""
        field_of = self.model._meta.get_field
        fixed = tuple((field_of(name), value) for name, value in self.fixed.items())
        beside = Beside(query.model._meta.pk, field_of(self.key), fixed)
        base, table = query.get_initial_alias(), self.model._meta.db_table
        alias = query.join(Join(table, base, None, LOUTER, beside, nullable=True))
        return Col(alias, field_of(self.wanted))


@lru_cache(maxsize=500)
def looked_up(
    model: type[models.Model], key: str, field: str, **fixed: Any
) -> LookedUp:
    """Return a ``LookedUp`` that is put together once: lists ask on every visit.

    A query takes a copy of an expression, so that many may share one.
    """
    return LookedUp(model, key, field, **fixed)


class Named(Func):
    """The words that a short table gives for a value; none for an unknown one."""

    template = "(%(expressions)s)"
    arg_joiner = " ->> "

    def __init__(self, names: Mapping[Any, str], value: Any) -> None:
        table = {str(key): str(name) for key, name in names.items()}
        super().__init__(
            Value(table, models.JSONField()),
            Cast(value, models.TextField()),
            output_field=models.CharField(),
        )


def joined(rows: models.QuerySet) -> models.QuerySet:
    """Return the same rows with everything joined that they would look up."""
    found = rows.all()
    for name, annotation in rows.query.annotations.items():
        asked = [one for one in annotation.flatten() if isinstance(one, LookedUp)]
        if asked:
            joins = {one: one.joined(found.query) for one in asked}
            found = found.annotate(**{name: annotation.replace_expressions(joins)})
    return found
