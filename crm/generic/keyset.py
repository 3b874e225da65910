"""Pages of a sorted list by key, not by offset: the last one costs what the first does.

A page is named by the sort values of the row before or after it, in a signed token, so
that nobody can ask the database for something odd. Empty values come last in either
direction. The rows with and those without a value in the first sort field are read
apart, so that a plain index serves both directions.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, replace
from typing import Any

from django.core import signing
from django.core.exceptions import FieldError, ValidationError
from django.db import models
from django.db.models import BooleanField, Expression, F, Func, Q, Value

from crm.generic import formats
from crm.generic.searching import is_few
from crm.models.custom import PREFIX

LAST = "last"
SALT = "crm.generic.keyset"


class BadTokenError(Exception):
    """The token was not made by us for this list."""


@dataclass(frozen=True)
class Key:
    """One field of the order."""

    path: str
    descending: bool
    nullable: bool
    output: models.Field

    def dump(self, value: Any) -> Any:
        """Return a value as a token can hold it."""
        return getattr(self.output, "dump", _dump)(value)

    @property
    def alias(self) -> str:
        """Return the name under which the row carries its value."""
        return "pk" if self.path == "pk" else f"_key_{self.path.replace('__', '_')}"


class JsonValue(models.JSONField):
    """A value inside a JSON column: in tokens it is JSON, so that it keeps its type."""

    def to_python(self, value: Any) -> Any:
        """Return what a token holds."""
        return json.loads(value)

    @staticmethod
    def dump(value: Any) -> Any:
        """Return what a token can hold."""
        return None if value is None else json.dumps(value)


class RowAfter(Expression):
    """``(a, b) > (x, y)``: the comparison that an index on (a, b) answers at once."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, columns: list[Any], values: list[Any], operator: str) -> None:
        super().__init__()
        self.columns, self.values, self.operator = columns, values, operator

    def get_source_expressions(self) -> list[Any]:
        return [*self.columns, *self.values]

    def set_source_expressions(self, exprs: list[Any]) -> None:
        half = len(self.columns)
        self.columns, self.values = exprs[:half], exprs[half:]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        sides, params = [], []
        for side in (self.columns, self.values):
            parts = []
            for expression in side:
                sql, more = compiler.compile(expression)
                parts.append(sql)
                params += more
            sides.append(f"({', '.join(parts)})")
        return f"{sides[0]} {self.operator} {sides[1]}", params


def keys_of(queryset: models.QuerySet, order: tuple[str, ...]) -> list[Key]:
    """Return the order as keys, made total by the primary key."""
    keys: list[Key] = []
    for name in order:
        path = name.removeprefix("-")
        if path in ("pk", queryset.model._meta.pk.name):
            path = "pk"
        if all(key.path != path for key in keys):
            keys.append(_key(queryset, path, descending=name.startswith("-")))
    if all(key.path != "pk" for key in keys):
        keys.append(
            _key(queryset, "pk", descending=keys[-1].descending if keys else True)
        )
    # Nothing after the primary key can matter.
    return keys[: [key.path for key in keys].index("pk") + 1]


def _key(queryset: models.QuerySet, path: str, *, descending: bool) -> Key:
    if path.startswith(PREFIX):
        return Key(path, descending, nullable=True, output=JsonValue())
    annotation = queryset.query.annotations.get(path)
    if annotation is not None:
        return Key(path, descending, True, annotation.output_field)
    output = formats.field_of(queryset.model, path)
    if output is None:
        msg = f"Cannot sort {queryset.model._meta.label} by {path!r}."
        raise FieldError(msg)
    if isinstance(output, models.ForeignKey):
        output = output.target_field
    return Key(
        path, descending, path != "pk" and _nullable(queryset.model, path), output
    )


def _nullable(model: type[models.Model], path: str) -> bool:
    parts = path.split("__")
    for end in range(1, len(parts) + 1):
        if formats.field_of(model, "__".join(parts[:end])).null:
            return True
    return False


def in_order(queryset: models.QuerySet, path: str) -> models.QuerySet:
    """Return the rows with a value at the path, so that they can be read in its order.

    A value that stands in a table of its own is joined instead of looked up row by row,
    where its expression knows how (``join_in_order``).
    """
    join = getattr(queryset.query.annotations.get(path), "join_in_order", None)
    return join(queryset) if join else queryset


@dataclass(frozen=True)
class Page:
    """One page of rows, and the tokens of its neighbours."""

    objects: list[Any]
    start: int | None
    previous: str = ""
    next: str = ""

    @property
    def end(self) -> int | None:
        """Return the number of the last row, counted from 1."""
        return None if self.start is None else self.start + len(self.objects) - 1


class Keyset:
    """Read pages of one sorted queryset."""

    def __init__(
        self, queryset: models.QuerySet, order: tuple[str, ...], size: int = 50
    ):
        self.keys = keys_of(queryset, order)
        self.queryset = self._with_values(queryset)
        self.filled = self._with_values(in_order(queryset, self.keys[0].path))
        self.size = size
        self.sorts = is_few(queryset)
        self.mark = mark_of(self.keys)

    def _with_values(self, queryset: models.QuerySet) -> models.QuerySet:
        """Let each row carry the values that a token is made of."""
        paths = {key.alias: F(key.path) for key in self.keys if key.path != "pk"}
        return queryset.annotate(**paths)

    def page(self, token: str = "", count: int | None = None) -> Page:
        """Return the page that the token names; the first one without a token.

        Raises BadTokenError for a token that was not made for this list.
        """
        if token == LAST:
            return self._last(count)
        if not token:
            return self._forward(None, 1)
        direction, values, start = self._read(token)
        if direction == "after":
            return self._forward(values, start)
        return self._backward(values, start)

    def neighbours(self, row: Any) -> tuple[Any | None, Any | None]:
        """Return the rows just before and just after one that this queryset read.

        The row itself need not be among the rows: it may have left them since.
        """
        values = [getattr(row, key.alias) for key in self.keys]
        before = self._fetch(values, backward=True, limit=1)
        after = self._fetch(values, backward=False, limit=1)
        return (before[0] if before else None), (after[0] if after else None)

    def _forward(self, values: list[Any] | None, start: int | None) -> Page:
        rows = self._fetch(values, backward=False)
        more, rows = len(rows) > self.size, rows[: self.size]
        if values and not rows:
            # The rows that followed are gone meanwhile.
            return self._last(None)
        return Page(
            rows,
            start,
            previous=self._token("before", rows[0], start) if values else "",
            next=self._token("after", rows[-1], _add(start, len(rows))) if more else "",
        )

    def _backward(self, values: list[Any], end: int | None) -> Page:
        rows = self._fetch(values, backward=True)
        more, rows = len(rows) > self.size, rows[: self.size][::-1]
        if not more:
            # The first page is always a full one.
            return self._forward(None, 1)
        start = _add(end, -len(rows))
        start = start if start and start > 1 else None
        return Page(
            rows,
            start,
            previous=self._token("before", rows[0], start),
            next=self._token("after", rows[-1], _add(start, len(rows))),
        )

    def _last(self, count: int | None) -> Page:
        rows = self._fetch(None, backward=True)
        more, rows = len(rows) > self.size, rows[: self.size][::-1]
        if not more:
            return self._forward(None, 1)
        start = None if count is None else count - len(rows) + 1
        return Page(rows, start, previous=self._token("before", rows[0], start))

    # --- reading ----------------------------------------------------------------

    def _fetch(
        self, values: list[Any] | None, *, backward: bool, limit: int | None = None
    ) -> list[Any]:
        """Return up to one row more than a page holds, in reading direction."""
        limit = self.size + 1 if limit is None else limit
        first, rest = self.keys[0], self.keys[1:]
        if not first.nullable:
            return list(self._part(self.keys, values, backward)[:limit])
        filled = [replace(first, nullable=False), *rest]
        rows: list[Any] = []
        for empty in (True, False) if backward else (False, True):
            keys, bound = (rest if empty else filled), None
            if values is not None and (values[0] is None) == empty:
                bound = values[1:] if empty else values
            elif values is not None and (values[0] is None) != backward:
                continue  # that part lies behind us
            source = self.queryset if empty else self.filled
            source = source.filter(**{f"{first.path}__isnull": empty})
            if bound and not empty:
                # A plain bound too: with two tables an index cannot use the pair.
                source = source.filter(_bound(first, bound[0], backward))
            part = self._part(keys, bound, backward, source)
            rows += part[: limit - len(rows)]
            if len(rows) >= limit:
                break
        return rows

    def _part(
        self,
        keys: list[Key],
        values: list[Any] | None,
        backward: bool,
        source: models.QuerySet | None = None,
    ) -> models.QuerySet:
        queryset = self.queryset if source is None else source
        if values is not None:
            queryset = queryset.filter(_beyond(keys, values, backward))
        return queryset.order_by(
            *(_ordering(key, backward, self.sorts) for key in keys)
        )

    # --- tokens -----------------------------------------------------------------

    def _signer(self) -> signing.Signer:
        return signer_of(self.queryset.model)

    def _token(self, direction: str, row: Any, start: int | None) -> str:
        values = [key.dump(getattr(row, key.alias)) for key in self.keys]
        return self._signer().sign_object([direction, self.mark, values, start])

    def _read(self, token: str) -> tuple[str, list[Any], int | None]:
        try:
            direction, mark, texts, start = self._signer().unsign_object(token)
            if mark != self.mark or len(texts) != len(self.keys):
                raise BadTokenError
            values = [
                None if text is None else key.output.to_python(text)
                for key, text in zip(self.keys, texts, strict=True)
            ]
        except (signing.BadSignature, ValidationError, ValueError, TypeError) as error:
            raise BadTokenError from error
        return direction, values, start


def mark_of(keys: list[Key]) -> str:
    """Return the order in a token, which is good for no other one."""
    return ",".join(("-" if key.descending else "") + key.path for key in keys)


def signer_of(model: type[models.Model]) -> signing.Signer:
    """Return what signs the tokens of a model's lists."""
    return signing.Signer(salt=f"{SALT}.{model._meta.label}")


def token_after(queryset: models.QuerySet, order: tuple[str, ...], row: Any) -> str:
    """Return the token of the page after a row, however that row was read."""
    keys = keys_of(queryset, order)
    values = [_dump(formats.value_at(row, key.path)) for key in keys]
    return signer_of(queryset.model).sign_object(["after", mark_of(keys), values, None])


def _add(number: int | None, more: int) -> int | None:
    return None if number is None else number + more


def _dump(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)


class Sorted(Func):
    """A value of which no index knows the order, so that rows are read, then sorted."""

    function = "GREATEST"
    arity = 1


def _ordering(key: Key, backward: bool, sorts: bool) -> Any:
    nulls = {}
    if key.nullable:
        nulls = {"nulls_first": True} if backward else {"nulls_last": True}
    expression = Sorted(F(key.path)) if sorts else F(key.path)
    if key.descending != backward:
        return expression.desc(**nulls)
    return expression.asc(**nulls)


def _beyond(keys: list[Key], values: list[Any], backward: bool) -> Q | RowAfter:
    """Return the condition that a row lies beyond the values in reading direction."""
    directions = {key.descending for key in keys}
    if len(directions) == 1 and not any(key.nullable for key in keys):
        operator = "<" if directions.pop() != backward else ">"
        return RowAfter(
            [F(key.path) for key in keys],
            [
                Value(value, output_field=key.output)
                for key, value in zip(keys, values, strict=True)
            ],
            operator,
        )
    beyond = Q(pk__in=[])
    same = Q()
    for key, value in zip(keys, values, strict=True):
        beyond |= same & _step(key, value, backward)
        same &= Q(
            **{f"{key.path}__isnull": True} if value is None else {key.path: value}
        )
    if keys[0].nullable:
        return beyond
    return beyond & _bound(keys[0], values[0], backward)


def _bound(key: Key, value: Any, backward: bool) -> Q:
    """Return a plain bound on one field, which an index can use."""
    lookup = "lte" if key.descending != backward else "gte"
    return Q(**{f"{key.path}__{lookup}": value})


def _step(key: Key, value: Any, backward: bool) -> Q:
    """Return the condition that one field alone lies beyond the value."""
    if value is None:
        return Q(**{f"{key.path}__isnull": False}) if backward else Q(pk__in=[])
    lookup = "lt" if key.descending != backward else "gt"
    condition = Q(**{f"{key.path}__{lookup}": value})
    if key.nullable and not backward:
        condition |= Q(**{f"{key.path}__isnull": True})
    return condition
