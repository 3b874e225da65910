"""Empty the tables after a test that commits, for less than a TRUNCATE of all costs."""

from __future__ import annotations

from typing import Any

from django.db import connection

FIRES_NO_TRIGGER = "SET LOCAL session_replication_role = replica"


def empty_by_deleting() -> None:
    """Have Django's flush delete rows where there are any; needs a superuser.

    A TRUNCATE of a hundred tables writes as many files, with those of their indexes,
    and takes a second; a test leaves rows in a dozen of them.
    """
    connection.ops.sql_flush = _statements


def _statements(style: Any, tables: list[str], **options: bool) -> list[str]:
    """Return what empties the tables, as one transaction; for `sql_flush`."""
    if options.get("reset_sequences"):
        return type(connection.ops).sql_flush(connection.ops, style, tables, **options)
    deletions = [f"DELETE FROM {_quoted(name)}" for name in _with_rows(tables)]  # noqa: S608
    return [FIRES_NO_TRIGGER, *deletions]


def _with_rows(tables: list[str]) -> list[str]:
    one = "SELECT %s WHERE EXISTS (SELECT FROM {})"
    question = " UNION ALL ".join(one.format(_quoted(name)) for name in tables)
    with connection.cursor() as cursor:
        cursor.execute(question, tables)
        return [name for (name,) in cursor.fetchall()]


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
