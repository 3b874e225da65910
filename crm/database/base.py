"""The database of ``ENGINE = "crm.database"``: see DatabaseWrapper."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that is known to be open without a question to the server.

    Before its first query of a request Django asks the server whether the kept
    connection still works; that took a fortieth of a page.
    """

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
