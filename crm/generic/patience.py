"""A limit to how long the database looks for the rows of a page."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import psycopg
from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

if TYPE_CHECKING:
    from psycopg import Connection

logger = logging.getLogger(__name__)

# Seconds between two looks at what is running, and for one cancellation.
PAUSE = 0.05
MAX_CANCEL = 5
# After so many looks at nothing the thread sleeps; to wake it costs the page that does.
MAX_IDLE = 100


class TooSlowError(Exception):
    """The database did not find the rows in time."""


class Watch:
    """Cancels the statements of those whose time is over, from one thread per process.

    A timeout that the server keeps (``statement_timeout`` within a transaction) needs
    three more statements around those of the page, a twelfth of its time.
    """

    def __init__(self) -> None:
        self.watched: dict[object, tuple[float, Connection]] = {}
        self.changed = threading.Condition()
        self.thread: threading.Thread | None = None
        self.is_idle = False

    def begin(self, watched: Connection, seconds: float) -> object:
        """Watch a connection from now on; what is returned ends it."""
        key = object()
        with self.changed:
            self.watched[key] = (time.monotonic() + seconds, watched)
            # A process that was forked has no thread of its own yet.
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self._run, daemon=True)
                self.thread.start()
            elif self.is_idle:
                self.changed.notify()
        return key

    def end(self, key: object) -> None:
        """Watch it no longer: nothing is cancelled once this has returned."""
        with self.changed:
            del self.watched[key]

    def _run(self) -> None:
        idle = 0
        with self.changed:
            while True:
                idle = 0 if self.watched else idle + 1
                if idle > MAX_IDLE:
                    self.is_idle = True
                    self.changed.wait_for(lambda: self.watched)
                    self.is_idle = False
                now = time.monotonic()
                for until, watched in self.watched.values():
                    # Again and again: between two statements nothing is cancelled.
                    if now >= until:
                        self._cancel(watched)
                self.changed.wait(PAUSE)

    def _cancel(self, watched: Connection) -> None:
        try:
            watched.cancel_safe(timeout=MAX_CANCEL)
        except psycopg.Error:
            logger.exception("A statement that took too long was not cancelled.")


watch = Watch()


@contextmanager
def limited() -> Iterator[None]:
    """Let what is asked inside take LIST_TIMEOUT_MS altogether; else TooSlowError."""
    connection.ensure_connection()
    # A statement that is cancelled would end a transaction around it.
    inner = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with inner:
            key = watch.begin(connection.connection, settings.LIST_TIMEOUT_MS / 1000)
            try:
                yield
            finally:
                watch.end(key)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooSlowError from error
        raise
