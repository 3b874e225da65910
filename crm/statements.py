"""Statements written by hand that every page asks: planned once per connection."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor


def read_one(statement: str, values: list[Any]) -> tuple | None:
    """Return the first row of a statement, or None.

    To plan a short statement costs more than to run it. A cursor of Django puts the
    values into the text, so the server meets a new statement each time.
    """
    connection.ensure_connection()
    cursor = ServerBindingCursor(connection.connection)
    wrap = (
        connection.make_debug_cursor
        if connection.queries_logged
        else connection.make_cursor
    )
    with connection.wrap_database_errors, wrap(cursor) as reading:
        reading.execute(statement, values)
        return reading.fetchone()
