"""Django's sessions in the database, read by a statement that is planned once."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.utils import timezone

from crm.statements import read_one

STATEMENT = """
    SELECT session_data FROM django_session
    WHERE session_key = %s AND expire_date > %s"""


class SessionStore(db.SessionStore):
    """Every request reads one."""

    def load(self) -> dict[str, Any]:
        """Return what was kept; without it the next one begins under a new key."""
        found = read_one(STATEMENT, [self.session_key, timezone.now()])
        if found is None:
            self._session_key = None
            return {}
        return self.decode(found[0])
