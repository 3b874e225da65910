"""A form that arrives twice adds one row: a double click, or a line that stalled.

Each empty form carries a number of its own. Who comes second with the same number and
the same content is led to the row that the first one made. The same number with other
content is another row: somebody went back and typed the next one.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import time
import uuid
from typing import TYPE_CHECKING

from django.core.cache import cache
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest

logger = logging.getLogger(__name__)

NAME = "once"
KEPT_FOR = 24 * 3600
# Seconds for which the second one waits for the first, and between two looks.
PATIENCE = 8
PAUSE = 0.1


def new_number() -> str:
    """Return the number of a form that nobody has sent yet."""
    return uuid.uuid4().hex


class Once:
    """One form as it was sent: a context in which its row is made.

    ``is_second``  the same was sent before; nothing must be made of it
    ``made``       the new row; without one the form may be sent again
    """

    def __init__(self, request: HttpRequest) -> None:
        number = request.POST.get(NAME, "")
        self.key = f"{NAME}.{_digest(request)}" if number else ""
        self.is_second = False
        self.made: Model | None = None

    def __enter__(self) -> Once:
        try:
            self.is_second = bool(self.key) and not cache.add(self.key, 0, KEPT_FOR)
        except RedisError:
            # Without the memory of it a row twice is better than none.
            logger.warning("Whether a form came twice is not known.", exc_info=True)
            self.key = ""
        return self

    def __exit__(self, *_error: object) -> None:
        if not self.key or self.is_second:
            return
        with contextlib.suppress(RedisError):
            if self.made is None:
                cache.delete(self.key)
            else:
                cache.set(self.key, self.made.pk, KEPT_FOR)

    def row(self) -> int | None:
        """Return the key of the row that the first one made; wait while it is at it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            pk = cache.get(self.key)
            if pk or pk is None:
                return pk
            time.sleep(PAUSE)
        return None


def _digest(request: HttpRequest) -> str:
    sent = sorted(
        (name, request.POST.getlist(name))
        for name in request.POST
        if name != "csrfmiddlewaretoken"
    )
    who = (request.user.pk, request.path, sent)
    return hashlib.sha256(repr(who).encode()).hexdigest()
