"""A limit to how long the database looks for the rows of a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled


class TooSlowError(Exception):
    """The database did not find the rows in time."""


@contextmanager
def limited() -> Iterator[None]:
    """Let no query inside take longer than LIST_TIMEOUT_MS; else TooSlowError."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # Ends with the transaction, so that it cannot reach another request.
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true)",
                [str(settings.LIST_TIMEOUT_MS)],
            )
            yield
            if connection.savepoint_ids:
                # Inside another transaction it would go on behind this block.
                cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooSlowError from error
        raise
