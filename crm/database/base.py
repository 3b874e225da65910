"""The database of ``ENGINE = "crm.database"``: see DatabaseWrapper."""

from __future__ import annotations

import datetime
import select
from functools import cache
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Cursor, adapters
from psycopg.adapt import AdaptersMap
from psycopg.pq import Format


@cache
def with_quick_moments(known: AdaptersMap) -> AdaptersMap:
    """Return the same ways to read values, but moments as the driver itself does."""
    found = AdaptersMap(known)
    own = adapters.get_loader(base.TIMESTAMPTZ_OID, Format.TEXT)
    found.register_loader("timestamptz", own)
    return found


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, without two things that every page paid for.

    Before its first query of a request Django asks the server whether the kept
    connection still works; that took a fortieth of a page. And it reads each moment in
    Python, to give it any time zone; a list has hundreds of them. The driver reads them
    ten times as fast, in the zone of the connection: the same where that is UTC.
    """

    @property
    def is_utc(self) -> bool:
        """Tell whether moments are read in UTC, as they are without another setting."""
        return self.timezone == datetime.UTC

    def get_connection_params(self) -> dict[str, Any]:
        """Return what a new connection needs."""
        params = super().get_connection_params()
        if self.is_utc:
            params["context"] = with_quick_moments(params["context"])
        return params

    def create_cursor(self, name: str | None = None) -> Cursor:
        """Return a cursor, one that the server keeps if it has a name."""
        if not self.is_utc:
            return super().create_cursor(name)
        if name is None:
            return self.connection.cursor()
        held = self.connection.autocommit
        return base.ServerSideCursor(
            self.connection, name=name, scrollable=False, withhold=held
        )

    def is_usable(self) -> bool:
        """Tell whether queries can be sent.

        A server that ended the connection has said so, and then there is something to
        read. Only who left without a word is not noticed, as before.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return not waiting.poll(0) or super().is_usable()
