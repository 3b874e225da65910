"""Say who acts and by what, so that the triggers can write it down."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.signals import connection_created
from psycopg.pq import TransactionStatus

from crm.history import guard
from crm.models.history import OperationKind

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from crm.models import User

SETTINGS = (
    "SELECT set_config('crm.acting', %s, false), set_config('crm.kept', %s, false)"
)
# Where a person decides what is written. An undo judges row by row, by the same rules;
# what a job computes, or somebody at the server's own console, is the program's.
BY_PERSON = (
    OperationKind.PAGE,
    OperationKind.ADMIN,
    OperationKind.BULK,
    OperationKind.IMPORT,
    OperationKind.MERGE,
)
# How a message says which operation its button takes back.
UNDO = "undo:"
READING = ("GET", "HEAD", "OPTIONS", "TRACE")
_acting: ContextVar[str] = ContextVar("acting", default="")
# The columns that the person must not change, as the triggers read them.
_kept: ContextVar[str] = ContextVar("kept", default="")


@contextmanager
def acting(
    kind: str,
    actor: User | None = None,
    *,
    number: uuid.UUID | None = None,
    title: object = "",
) -> Iterator[uuid.UUID]:
    """Put all that is written inside under one operation; yield its number.

    Inside another one the inner counts. ``number`` continues an operation, such as a
    bulk edit that is done in portions. Raises FieldKeptBackError where the person
    changes a field that is kept back from them.
    """
    number = number or uuid.uuid4()
    person = actor.pk if actor is not None and actor.is_authenticated else None
    content = {"number": str(number), "kind": str(kind), "actor": person}
    if title:
        content["title"] = str(title)[:300]
    kept = guard.kept_columns(actor) if person and kind in BY_PERSON else {}
    tokens = (
        _acting.set(json.dumps(content)),
        _kept.set(json.dumps(kept) if kept else ""),
    )
    in_words = connection.execute_wrapper(guard.say_kept) if kept else nullcontext()
    try:
        tell(connection)
        with in_words:
            yield number
    finally:
        _acting.reset(tokens[0])
        _kept.reset(tokens[1])
        tell(connection)


@contextmanager
def consequence() -> Iterator[None]:
    """Let what is written inside follow from what the person did, whatever rules say.

    A row that goes empties what pointed to it; what was answered waits. To be used
    where the program decides the value, never for one that came from the person.
    """
    if not _kept.get():
        yield
        return
    token = _kept.set("")
    try:
        tell(connection)
        yield
    finally:
        _kept.reset(token)
        tell(connection)


def current_operation() -> uuid.UUID | None:
    """Return the number under which changes are written now."""
    content = _acting.get()
    return uuid.UUID(json.loads(content)["number"]) if content else None


def tell(to: Any) -> None:
    """Hand the setting to the database.

    A connection that is not open yet hears of it when it opens. In a transaction that
    failed nothing can be said: its end takes the setting back to what it was.
    """
    if to.connection is None or not is_usable(to):
        return
    with to.cursor() as cursor:
        cursor.execute(SETTINGS, [_acting.get(), _kept.get()])


def is_usable(to: Any) -> bool:
    """Tell whether the connection can be spoken to: it is open and has not failed."""
    status = to.connection.info.transaction_status
    return not to.needs_rollback and status in (
        TransactionStatus.IDLE,
        TransactionStatus.INTRANS,
    )


def tell_new_connection(*, connection: Any, **kwargs: Any) -> None:
    """Hand the setting to a connection that was opened in the middle of the work."""
    if connection.alias == DEFAULT_DB_ALIAS and _acting.get():
        tell(connections[DEFAULT_DB_ALIAS])


connection_created.connect(tell_new_connection)


class OperationMiddleware:
    """Every request that may write is one operation."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in READING:
            return self.get_response(request)
        in_admin = request.path_info.startswith("/admin/")
        kind = OperationKind.ADMIN if in_admin else OperationKind.PAGE
        with acting(kind, request.user) as number:
            request.operation = number
            response = self.get_response(request)
        # The outbox knows of what was written whom it concerns.
        from crm.notifications.delivery import deliver_soon

        deliver_soon()
        return response


def offer_undo(
    request: HttpRequest, text: str, number: uuid.UUID | None = None
) -> None:
    """Say that something was done, with a button that takes it back."""
    number = number or request.operation
    messages.success(request, text, extra_tags=f"{UNDO}{number}")
