"""What PostgreSQL is asked for: tables, what they add up to, sequences, constraints.

Everything goes through SQL and COPY, so that no client program of the server's own
version is needed. Connections are psycopg's own, in settings that give each value the
same text on every server.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql

BLOCK = 1 << 18
SAME_TEXT = (
    "SET timezone = 'UTC'",
    "SET datestyle = 'ISO, YMD'",
    "SET intervalstyle = 'postgres'",
    "SET bytea_output = 'hex'",
    "SET extra_float_digits = 1",
    "SET client_encoding = 'UTF8'",
    "SET statement_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
)
# Tables that are not logged (staging of imports) are lost in a crash, too. What an
# extension owns comes with the extension.
TABLES = """
    SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
    FROM pg_class c JOIN pg_attribute a
        ON a.attrelid = c.oid AND a.attnum > 0
        AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE c.relkind = 'r' AND c.relpersistence = 'p'
        AND c.relnamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                        AND d.objid = c.oid AND d.deptype = 'e')
    GROUP BY c.relname ORDER BY c.relname
"""
SEQUENCES = """
    SELECT c.relname FROM pg_class c
    WHERE c.relkind = 'S' AND c.relnamespace = current_schema()::regnamespace
    ORDER BY c.relname
"""
# The sum does not depend on the order of the rows, but on every value in them.
SUM = """
    SELECT count(*), coalesce(sum(hashtextextended(ROW({columns})::text, 0)), 0)::text
    FROM {table}
"""


def connect(name: str = "") -> psycopg.Connection:
    """Open a connection of our own; to a database beside ours where a name is given."""
    wrapper = connection.copy()
    if name:
        wrapper.settings_dict["NAME"] = name
    parameters = wrapper.get_connection_params()
    parameters.pop("cursor_factory", None)
    opened = psycopg.connect(**parameters, autocommit=True)
    if role := wrapper.settings_dict["OPTIONS"].get("assume_role"):
        opened.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    for statement in SAME_TEXT:
        opened.execute(statement)
    return opened


@dataclass(frozen=True)
class Table:
    """A table and the columns that are saved of it."""

    name: str
    columns: tuple[str, ...]

    @property
    def parts(self) -> dict[str, sql.Composable]:
        """Return its names for SQL."""
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        return {"table": sql.Identifier(self.name), "columns": columns}

    def statement(self, text: str) -> sql.Composed:
        """Return a statement with ``{table}`` and ``{columns}`` filled in."""
        return sql.SQL(text).format(**self.parts)  # type: ignore[arg-type]


def tables(link: psycopg.Connection) -> list[Table]:
    """Return the tables of the current schema that hold what must not be lost."""
    return [Table(name, tuple(columns)) for name, columns in link.execute(TABLES)]


def sums(link: psycopg.Connection, table: Table) -> dict[str, Any]:
    """Return {"rows": count, "sum": sum over all values} of a table."""
    rows, total = link.execute(table.statement(SUM)).fetchone()  # type: ignore[misc]
    return {"rows": rows, "sum": total}


def copy_out(link: psycopg.Connection, table: Table) -> Iterator[bytes]:
    """Yield the rows of a table in PostgreSQL's text format, in larger blocks."""
    out = table.statement("COPY {table} ({columns}) TO STDOUT")
    rows = bytearray()
    with link.cursor() as cursor, cursor.copy(out) as copy:
        for row in copy:
            rows += row
            if len(rows) >= BLOCK:
                yield bytes(rows)
                rows.clear()
    yield bytes(rows)


def sequences(link: psycopg.Connection) -> dict[str, list[Any]]:
    """Return {sequence: [last value, whether it was given out]}."""
    found = {}
    for (name,) in link.execute(SEQUENCES).fetchall():
        ask = sql.SQL("SELECT last_value, is_called FROM {}")
        row = link.execute(ask.format(sql.Identifier(name))).fetchone()
        found[name] = list(row or ())
    return found
