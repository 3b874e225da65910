"""Statements written by hand that every page asks: planned once per connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper


def read_one(statement: str, values: list[Any]) -> tuple | None:
    """Return the first row of a statement, or None.

    To plan a short statement costs more than to run it. A cursor of Django puts the
    values into the text, so the server meets a new statement each time.
    """
    with _cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


@contextmanager
def _cursor() -> Iterator[CursorWrapper]:
    if connection.queries_logged:
        # Who reads the log wants the values in the text.
        with connection.cursor() as cursor:
            yield cursor
        return
    connection.ensure_connection()
    cursor = ServerBindingCursor(connection.connection)
    with connection.wrap_database_errors, connection.make_cursor(cursor) as wrapped:
        yield wrapped
