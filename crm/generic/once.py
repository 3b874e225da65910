"""A form that arrives twice adds one row: a double click, or a line that stalled.

Each empty form carries a number. With its sender and its content it makes the number of
the operation under which the row is written (history.md), and the database takes each
number once. Who comes second waits there for the end of the first: if that failed, or
its process was killed, the second one saves; else it is answered with the first one's
row. The same form with other content is another row: somebody went back to type it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection, transaction

from crm.history.context import acting
from crm.models.history import Change, ChangeVerb, OperationKind

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest

NAME = "once"
CLAIM = """
    INSERT INTO crm_operation (number, at, kind, actor_id)
    VALUES (%s, now(), %s, %s) ON CONFLICT (number) DO NOTHING"""


def new_number() -> str:
    """Return the number of a form that nobody has sent yet."""
    return uuid.uuid4().hex


@contextmanager
def once(request: HttpRequest, model: type[Model]) -> Iterator[Model | None]:
    """Open the transaction in which a form's row is made.

    Yields the row that the same form made before, or None: then the block makes it, or
    rolls back, so that the form can be sent again.
    """
    number = number_of(request)
    with transaction.atomic():
        if number is None:
            yield None
        elif _is_first(number, request):
            request.operation = number
            with acting(OperationKind.PAGE, request.user, number=number):
                yield None
        else:
            earlier = _added_under(number, model)
            if earlier is not None:
                request.operation = number
            # A row that was deleted meanwhile is made anew.
            yield earlier


def number_of(request: HttpRequest) -> uuid.UUID | None:
    """Return the number of what was sent; None for a form that carries none."""
    try:
        form = uuid.UUID(request.POST.get(NAME, ""))
    except ValueError:
        return None
    sent = sorted(
        (name, request.POST.getlist(name))
        for name in request.POST
        if name != "csrfmiddlewaretoken"
    )
    return uuid.uuid5(form, repr((request.user.pk, request.path, sent)))


def _is_first(number: uuid.UUID, request: HttpRequest) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [number, OperationKind.PAGE, request.user.pk])
        return cursor.rowcount == 1


def _added_under(number: uuid.UUID, model: type[Model]) -> Model | None:
    """Return the row of the model that the operation added, if it is still there."""
    added = Change.objects.filter(
        operation__number=number, model=model._meta.label_lower, verb=ChangeVerb.ADD
    )
    for ranges in added.order_by("pk").values_list("added", flat=True):
        return model._base_manager.filter(pk=ranges[0].lower).first()
    return None
