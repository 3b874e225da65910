"""File the tokens of many new rows into the index while they are being written.

An index of tokens takes new ones into a short list and files them when that is full. A
large import spends a third of its time on that; a second connection does it beside it,
on another core, and searches find the list short all the time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)

# Fewer rows are not worth a connection.
MANY_ROWS = 2_000
PAUSE = 0.01
FILE = "SELECT gin_clean_pending_list('search_by_token')"


@contextmanager
def filed_beside(rows: int) -> Iterator[None]:
    """File what the block writes, by a connection of its own if ``rows`` are many."""
    if rows < MANY_ROWS:
        yield
        return
    ended = Event()
    thread = Thread(target=_file_until, args=(ended,), name="filing", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _file_until(ended: Event) -> None:
    # A connection belongs to its thread, so this is another one than the writer's.
    try:
        with connection.cursor() as cursor:
            while not ended.wait(PAUSE):
                cursor.execute(FILE)
            cursor.execute(FILE)
    except DatabaseError:
        # The writer files alone then, as it does with fewer rows.
        logger.warning("The index of tokens is not filed beside.", exc_info=True)
    finally:
        connection.close()
