"""A list's file written by the database: one COPY, whatever the number of rows.

Each column becomes a text in SQL that is the same, letter for letter, as the one that
``export.safe(column.export(row))`` makes in Python. Where one column cannot, because
Python computes its value, the whole file is written in Python.
"""

# ruff: noqa: S608  (names of our own columns c0, c1, …; values are parameters)
from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import F
from django.utils import timezone

from crm.generic import formats
from crm.generic.columns import Column

if TYPE_CHECKING:
    from crm.generic.listing import Listing

CHUNK_BYTES = 1 << 16
# Of so many related rows the names are sent along; they are those that Python gives.
MOST_NAMES = 2000
STARTS = r"'=', '+', '-', '@', E'\t', E'\r', E'\n'"
OFFSET = "extract(epoch FROM ({0} AT TIME ZONE %s) - ({0} AT TIME ZONE 'UTC'))"
Text = tuple[str, list[Any]]


@dataclass(frozen=True)
class Source:
    """Where a column's value lies, and how it is written."""

    path: str
    field: models.Field
    labels: dict[Any, Any]
    words: bool = False

    def text(self, name: str) -> Text:
        """Return SQL, with its parameters, for the text of the value ``name``."""
        if self.labels:
            return self._word(name)
        return written(name, self.field)

    def _word(self, name: str) -> Text:
        from crm.generic.export import safe

        cases, params = "", []
        for value, label in self.labels.items():
            cases += " WHEN %s THEN %s"
            params += [str(value), safe(str(label)) or None]
        rest = f"replace({name}, '_', ' ')" if self.words else name
        return f"CASE {name}{cases} ELSE {never_formula(rest)} END", params


def never_formula(name: str) -> str:
    """Return SQL for a text that no spreadsheet runs; nothing for an empty one."""
    return (
        f"CASE WHEN {name} = '' THEN NULL WHEN left({name}, 1) IN ({STARTS}) "
        f"THEN '''' || {name} ELSE {name} END"
    )


def written(name: str, field: models.Field) -> Text | None:
    """Return SQL for a value of the field's type, or None for a type that has none."""
    if isinstance(field, models.BooleanField):
        return f"CASE WHEN {name} THEN 'True' WHEN NOT {name} THEN 'False' END", []
    if isinstance(field, models.DateTimeField):
        return moment(name)
    if isinstance(field, models.DateField):
        return f"to_char({name}, 'YYYY-MM-DD')", []
    if isinstance(field, models.FloatField):
        # Python writes 5.0 where the database writes 5.
        whole = f"{name}::text ~ '^-?[0-9]+$'"
        return f"{name}::text || CASE WHEN {whole} THEN '.0' ELSE '' END", []
    if isinstance(field, models.IntegerField | models.DecimalField):
        return f"{name}::text", []
    if isinstance(field, models.CharField | models.TextField):
        return never_formula(name), []
    return None


def moment(name: str) -> Text:
    """Return SQL for a moment on the reader's clock, with its distance from UTC."""
    zone = timezone.get_current_timezone_name()
    offset = OFFSET.format(name)
    sql = (
        f"to_char({name} AT TIME ZONE %s, 'YYYY-MM-DD HH24:MI:SS') "
        f"|| CASE WHEN {offset} < 0 THEN '-' ELSE '+' END "
        f"|| to_char(make_interval(secs => abs({offset})), 'HH24:MI')"
    )
    return sql, [zone, zone, zone]


def source_of(column: Column, rows: models.QuerySet) -> Source | None:
    """Return where a column's value lies; None where only Python knows it."""
    kind = type(column)
    if hasattr(column, "sql_source"):
        return column.sql_source(rows)
    if (
        column.has_own_value
        or kind.value is not Column.value
        or kind.export is not Column.export
    ):
        return None
    annotation = rows.query.annotations.get(column.key)
    if annotation is not None:
        field = annotation.output_field
    else:
        field = formats.field_of(rows.model, column.key)
    if isinstance(field, models.GeneratedField):
        field = field.output_field
    if isinstance(field, models.ForeignKey):
        return related(column.key, field.related_model)
    labels = formats.labels_of(rows.model, column.key)
    if column.words is not None:
        labels = column.words
    if field is None or written("c", field) is None:
        return None
    if labels and not isinstance(field, models.CharField | models.TextField):
        return None
    return Source(column.key, field, labels, words=column.words is not None)


@dataclass(frozen=True)
class Names(Source):
    """Names of related rows by their ids."""

    def text(self, name: str) -> Text:
        """Return SQL that looks the name up."""
        return f"(%s::jsonb ->> {name}::text)", [json.dumps(self.labels)]


def related(path: str, model: type[models.Model]) -> Source | None:
    """Return how the name of another row is found: a field of it, or a short list."""
    from crm.generic.export import safe

    name = getattr(model, "text_field", "")
    if name:
        return Source(f"{path}__{name}", model._meta.get_field(name), {})
    some = list(model._base_manager.all()[: MOST_NAMES + 1])
    if len(some) > MOST_NAMES:
        return None
    names = {str(row.pk): safe(str(row)) or None for row in some}
    return Names(f"{path}__pk", model._meta.pk, names)


def statement(listing: Listing, rows: models.QuerySet) -> Text | None:
    """Return the COPY for the rows as they are ordered, or None where Python must.

    An empty text as the statement says that there can be no row.
    """
    if rows.query.distinct or rows.query.combinator:
        return None
    sources = [source_of(column, rows) for column in listing.columns]
    if not all(sources):
        return None
    texts = [source.text(f"c{place}") for place, source in enumerate(sources)]
    values = rows.values_list(*(F(source.path) for source in sources))
    try:
        inner, params = values.query.sql_with_params()
    except EmptyResultSet:
        return "", []
    names = ", ".join(f"c{place}" for place in range(len(texts)))
    sql = (
        f"COPY (SELECT {', '.join(sql for sql, _params in texts)} "
        f"FROM ({inner}) AS listed ({names})) TO STDOUT (FORMAT csv)"
    )
    return sql, [*(one for _sql, more in texts for one in more), *params]


def lines(copy_statement: Text, columns: int) -> Iterator[bytes]:
    """Yield the file in chunks; a reader who goes away ends the query."""
    sql, params = copy_statement
    if not sql:
        return
    if not params:
        sql = sql.replace("%%", "%")
    # The driver's own cursor: Django's would log the statement without parameters.
    with (
        connection.cursor() as cursor,
        cursor.cursor.copy(sql, params or None) as copy,
    ):
        chunk: list[bytes] = []
        size = 0
        for row in copy:
            one = bytes(row[:-1])
            chunk.append(alone(one) if columns == 1 else one)
            size += len(one)
            if size > CHUNK_BYTES:
                yield b"\r\n".join(chunk) + b"\r\n"
                chunk, size = [], 0
        if chunk:
            yield b"\r\n".join(chunk) + b"\r\n"


def alone(cell: bytes) -> bytes:
    """Return a line of one cell as Python's csv writes it."""
    if not cell:
        return b'""'
    return b"\\." if cell == b'"\\."' else cell
