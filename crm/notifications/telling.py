"""Tell people: the one place where notifications are made.

Asked are, in this order: is it somebody else's act, may the person see the row, has the
person muted it, what has the person chosen for this kind.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.db import connection, transaction
from psycopg.types.multirange import Int8Multirange
from psycopg.types.range import Int8Range

from crm.jobs import enqueue
from crm.models import Follow, MailMode, NotificationChoice, User
from crm.notifications.kinds import KINDS
from crm.notifications.reach import rows_for, visible_ids

MAIL_JOB = "notification-mail"
# Of so many rows at most it is asked one by one which the person may see.
MOST_ASKED = 10_000
INSERT = """
INSERT INTO crm_notification (recipient_id, kind, actor_id, model, object_id, rows,
    operation, count, note_id, at, in_app, mail)
VALUES (%(recipient)s, %(kind)s, %(actor)s, %(model)s, %(row)s, %(rows)s,
    %(operation)s, %(count)s, %(note)s, now(), %(in_app)s, %(mail)s)
ON CONFLICT {target} DO UPDATE SET
    count = crm_notification.count + excluded.count, actor_id = excluded.actor_id,
    rows = crm_notification.rows + excluded.rows, note_id = excluded.note_id,
    at = excluded.at, read_at = NULL,
    in_app = crm_notification.in_app OR excluded.in_app,
    mail = CASE WHEN excluded.mail = '' THEN crm_notification.mail
        ELSE excluded.mail END
"""
OF_ONE = INSERT.format(
    target="(recipient_id, kind, model, object_id)"
    " WHERE read_at IS NULL AND object_id IS NOT NULL"
)
OF_MANY = INSERT.format(
    target="(recipient_id, kind, model, operation)"
    " WHERE object_id IS NULL AND operation IS NOT NULL"
)


@dataclass(frozen=True)
class Telling:
    """What one person is to be told: of one row, or of all rows of an operation."""

    recipient: int
    kind: str
    model: str
    ids: Sequence[int]
    actor: int | None = None
    operation: uuid.UUID | None = None
    note: int | None = None


@transaction.atomic
def tell(tellings: Iterable[Telling]) -> int:
    """Make the notifications that are left after all was asked; return how many."""
    wanted = [one for one in tellings if one.recipient != one.actor and one.ids]
    people = User.objects.active().in_bulk({one.recipient for one in wanted})
    wanted = [one for one in wanted if one.recipient in people]
    muted = _muted(wanted)
    chosen = _chosen(wanted)
    mails = set()
    count = 0
    for one in sorted(wanted, key=lambda one: one.recipient):
        in_app, mail = chosen[one.recipient, one.kind]
        left = _left(one, people[one.recipient], muted)
        if not left.ids or not (in_app or mail):
            continue
        _write(left, in_app=in_app, mail=mail)
        count += 1
        if mail == MailMode.NOW:
            mails.add(one.recipient)
    for pk in sorted(mails):
        enqueue(
            MAIL_JOB, params={"person": pk}, dedupe_key=f"{MAIL_JOB}/{pk}", title=""
        )
    return count


def _left(one: Telling, person: User, muted: dict[tuple, set[int]]) -> Telling:
    """Return the telling with the rows of which the person is to hear."""
    if len(one.ids) > MOST_ASKED:
        return one if rows_for(person, one.model) is not None else replace(one, ids=())
    seen = visible_ids(person, one.model, one.ids)
    if not KINDS[one.kind].is_personal:
        seen -= muted.get((one.recipient, one.model), set())
    return replace(one, ids=[pk for pk in one.ids if pk in seen])


def _muted(wanted: Iterable[Telling]) -> dict[tuple[int, str], set[int]]:
    """Return {(person, model): rows that they muted}."""
    by_model: dict[str, tuple[set[int], set[int]]] = {}
    for one in wanted:
        if not KINDS[one.kind].is_personal:
            people, ids = by_model.setdefault(one.model, (set(), set()))
            people.add(one.recipient)
            ids.update(one.ids)
    found: dict[tuple[int, str], set[int]] = defaultdict(set)
    for label, (people, ids) in by_model.items():
        rows = Follow.objects.filter(
            is_muted=True, model=label, person__in=people, object_id__in=ids
        )
        for person, pk in rows.values_list("person_id", "object_id"):
            found[person, label].add(pk)
    return found


def _chosen(wanted: Sequence[Telling]) -> dict[tuple[int, str], tuple[bool, str]]:
    """Return {(person, kind): (in the app, by mail)}."""
    found = {
        (one.recipient, one.kind): (KINDS[one.kind].in_app, str(KINDS[one.kind].mail))
        for one in wanted
    }
    rows = NotificationChoice.objects.filter(
        person__in={person for person, _kind in found},
        kind__in={kind for _person, kind in found},
    )
    for one in rows:
        found[one.person_id, one.kind] = (one.in_app, one.mail)
    return found


def _write(one: Telling, *, in_app: bool, mail: str) -> None:
    """Add the notification, or count it on the unread one of the same kind and row."""
    is_many = len(one.ids) > 1
    values = {
        "recipient": one.recipient,
        "kind": one.kind,
        "actor": one.actor,
        "model": one.model,
        "row": None if is_many else one.ids[0],
        "rows": ranges_of(one.ids) if is_many else None,
        "operation": (one.operation or uuid.uuid4()) if is_many else one.operation,
        "count": len(one.ids),
        "note": one.note,
        "in_app": in_app,
        "mail": mail,
    }
    with connection.cursor() as cursor:
        cursor.execute(OF_MANY if is_many else OF_ONE, values)


def ranges_of(ids: Iterable[int]) -> Int8Multirange:
    """Return ids as the database keeps sets of them."""
    return Int8Multirange(Int8Range(pk, pk, "[]") for pk in sorted(ids))


def ids_in(ranges: Int8Multirange | None) -> list[int]:
    """Return the ids of a set."""
    return [pk for part in ranges or () for pk in range(part.lower, part.upper)]
