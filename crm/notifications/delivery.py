"""Empty the outbox: make notifications of what triggers have noticed.

Taking a notice out and telling people of it is one transaction. It is done right after
each request and job that wrote something; the clock does it for those that were killed.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.db import DatabaseError, InterfaceError, connection, transaction

from crm.models import Notice
from crm.notifications.kinds import CHANGE, COMMENT, HANDOVER
from crm.notifications.reach import concerned
from crm.notifications.telling import Telling, ids_in, tell

logger = logging.getLogger(__name__)

BATCH = 500


def deliver_soon() -> None:
    """Empty the outbox now; what fails is left to the clock, not to the caller."""
    if connection.needs_rollback:
        return
    try:
        if Notice.objects.exists():
            deliver()
    except (DatabaseError, InterfaceError):
        logger.exception("Notifications wait: the outbox could not be emptied.")


def deliver() -> int:
    """Empty the outbox; return how many notifications came of it.

    Two at once share the work: each takes the notices that the other does not hold.
    """
    count = 0
    while True:
        with transaction.atomic():
            waiting = Notice.objects.select_for_update(skip_locked=True)
            batch = list(waiting.order_by("pk")[:BATCH])
            if not batch:
                return count
            Notice.objects.filter(pk__in=[one.pk for one in batch]).delete()
            count += _tell_of(batch)


def _tell_of(batch: list[Notice]) -> int:
    """Tell of all together; where that fails, of each alone without the bad ones."""
    try:
        with transaction.atomic():
            return tell(tellings_of(batch))
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        logger.exception("A notice cannot be understood.")
        return 0 if len(batch) == 1 else sum(_tell_of([one]) for one in batch)


def tellings_of(batch: Iterable[Notice]) -> list[Telling]:
    """Return whom to tell what; the rows of one operation come to a person as one."""
    ids: dict[tuple, set[int]] = defaultdict(set)
    for notice in batch:
        for recipient, rows in recipients_of(notice):
            key = (recipient, notice.kind, notice.model)
            ids[(*key, notice.actor_id, notice.operation)].update(rows)
    found = []
    for (recipient, kind, model, actor, operation), rows in ids.items():
        if kind == CHANGE:
            # Who was given a row is told so already.
            key = (recipient, HANDOVER, model, actor, operation)
            rows = rows - ids.get(key, set())
        found += _split(Telling(recipient, kind, model, sorted(rows), actor, operation))
    return found


def _split(one: Telling) -> Iterator[Telling]:
    """Yield one telling per row where people talk about single rows."""
    if one.kind != COMMENT:
        yield one
        return
    for pk in one.ids:
        yield Telling(one.recipient, one.kind, one.model, [pk], one.actor)


def recipients_of(notice: Notice) -> list[tuple[int, Iterable[int]]]:
    """Return (person, ids of rows) of a notice."""
    ids = ids_in(notice.rows)
    if notice.recipient_id is not None:
        return [(notice.recipient_id, ids)]
    by_row = concerned(notice.model, ids)
    return [(person, [pk]) for pk, people in by_row.items() for person in people]
