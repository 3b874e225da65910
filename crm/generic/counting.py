"""Count and add up lists, each only as far as a limit; several in one query."""

# ruff: noqa: S608  (SQL is put together from names that the program declares)

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.cache import caches
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import Expression

# Seconds for which a list stays "more than 10,000" once that was seen.
IS_LONG_FOR = 300


@dataclass(frozen=True)
class Count:
    """How many rows there are: exact up to a limit, else "more than"."""

    number: int
    is_exact: bool


def count_up_to(rows: models.QuerySet, limit: int) -> Count:
    """Count the rows, but not beyond the limit.

    To see that there are more costs 15 to 25 ms whatever the index, and stays true for
    long: each process keeps it for five minutes, for everybody with the same rights
    and filters. An exact number is never kept.
    """
    some = rows.order_by().values("pk")[: limit + 1]
    try:
        sql, params = some.query.sql_with_params()
    except EmptyResultSet:
        return Count(0, is_exact=True)
    asked = hashlib.sha256(f"{sql}{params}".encode()).hexdigest()
    cache, key = caches["process"], f"list.is_long.{asked}"
    if cache.get(key):
        return Count(limit, is_exact=False)
    with connection.cursor() as cursor:
        # Django would put the same statement together once more.
        cursor.execute(f"SELECT count(*) FROM ({sql}) part", params)
        (number,) = cursor.fetchone()
    if number > limit:
        cache.set(key, 1, IS_LONG_FOR)
    return Count(min(number, limit), number <= limit)


@dataclass(frozen=True)
class Figure:
    """How many rows of one list have a currency, and what they come to."""

    currency: str
    count: int
    amount: Decimal | None


class EachKey(Expression):
    """Stands in a list's conditions for the key that the list has among others.

    Lists that differ in nothing else are then one queryset, which is compiled once.
    """

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Leave the place open."""
        return "%s", [EachKey]


def _of_each(
    parts: Mapping[Any, models.QuerySet],
    shape: Callable[[models.QuerySet], models.QuerySet],
    select: str,
    names: str,
    rest: str = "",
) -> list[tuple[Any, ...]]:
    """Run one SELECT over each list, all in one query; the key comes first.

    ``shape`` turns a list into what is selected from, with columns named ``names``.
    """
    keys, statements, params = [], [], []
    compiled: dict[int, tuple[str, tuple[Any, ...]] | None] = {}
    for key, rows in parts.items():
        if id(rows) not in compiled:
            compiled[id(rows)] = _compiled(shape(rows))
        if compiled[id(rows)] is None:
            continue
        inner, values = compiled[id(rows)]
        statements.append(
            f"SELECT {len(keys)} AS place, {select} "
            f"FROM ({inner}) AS part({names}) {rest}"
        )
        keys.append(key)
        params += [key if value is EachKey else value for value in values]
    if not statements:
        return []
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(statements), params)
        return [(keys[place], *values) for place, *values in cursor.fetchall()]


def _compiled(rows: models.QuerySet) -> tuple[str, tuple[Any, ...]] | None:
    """Return the statement and its values, or None where no row can be."""
    try:
        return rows.query.sql_with_params()
    except EmptyResultSet:
        return None


def counts(parts: Mapping[Any, models.QuerySet], limit: int) -> dict[Any, int]:
    """Return {key: number of rows}, one more than the limit standing for "more"."""
    found = dict.fromkeys(parts, 0)
    return found | dict(
        _of_each(
            parts,
            lambda rows: rows.order_by().values_list("pk")[: limit + 1],
            "count(*)",
            "pk",
        )
    )


def totals(
    parts: Mapping[Any, models.QuerySet], limit: int, amount: str, currency: str
) -> dict[Any, list[Figure]]:
    """Return {key: figures by currency} over up to one row more than the limit.

    Beyond the limit the figures are those of any rows: what all come to is more. Taking
    the first ones would sort them all.
    """
    found: dict[Any, list[Figure]] = {key: [] for key in parts}
    for key, code, count, total in _of_each(
        parts,
        lambda rows: rows.order_by().values_list(currency, amount)[: limit + 1],
        "currency, count(*), sum(amount)",
        "currency, amount",
        "GROUP BY currency",
    ):
        found[key].append(Figure(code, count, total))
    for figures in found.values():
        figures.sort(key=lambda figure: (-figure.count, figure.currency))
    return found


def first_keys(parts: Mapping[Any, models.QuerySet], size: int) -> dict[Any, list[int]]:
    """Return {key: primary keys of the first rows in the list's own order}."""
    found: dict[Any, list[int]] = {key: [] for key in parts}
    lines = _of_each(
        parts,
        lambda rows: rows.values_list("pk")[:size],
        "row_number() OVER (), pk",
        "pk",
    )
    for key, _place, pk in sorted(lines, key=lambda line: line[1]):
        found[key].append(pk)
    return found
