"""Take back an operation, wholly or in part, as one transaction and one operation."""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.custom.services import announce_change
from crm.exceptions import UserVisibleError
from crm.history import kept, plan, writing
from crm.history.context import acting, is_usable
from crm.history.plan import CHANGED
from crm.history.tables import tracked_models
from crm.models import CustomField, Operation, OperationKind

if TYPE_CHECKING:
    from crm.models import User

KEEP = datetime.timedelta(days=30)
# So many rows that are left are named; the others are counted.
MOST_LEFT = 100


@dataclass(frozen=True)
class Left:
    """A row that is left as it is, and why."""

    model: type[models.Model]
    object_id: int
    action: str
    reason: str

    @property
    def key(self) -> str:
        """Return what names it in a form."""
        return f"{self.model._meta.label_lower}:{self.object_id}"

    @property
    def can_be_overruled(self) -> bool:
        """Tell whether only a later change stands in the way."""
        return self.reason == CHANGED


@dataclass
class Result:
    """What an undo does, or did: numbers by action and model, and what is left."""

    counts: dict[tuple[str, type[models.Model]], int] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    left_count: int = 0
    operation: Operation | None = None

    @property
    def number(self) -> int:
        """Return how many rows are set back."""
        return sum(self.counts.values())


def _carry_out(
    operation: Operation,
    actor: User,
    overrule: Iterable[str] = (),
    root: tuple[str, int] | None = None,
) -> Result:
    """Remove, change, restore: what is freed first can be taken by the next."""
    found = plan.make(operation, as_deleted=root is not None)
    if root is not None:
        writing.narrow(found, root)
    plan.judge(operation, found, actor)
    kept.mark(found, actor)
    writing.overrule(overrule)
    plan.settle(found)
    for model in found:
        params = {"model": model._meta.label_lower}
        plan.execute(writing.DELETE, params, **plan.table_names(model))
    for model in found:
        writing.change_back(model, actor)
    for model in writing.parents_first(found):
        writing.insert_again(model, actor)
        plan.settle(found)
    plan.execute(writing.CLEAR_TRASH, {"operation": operation.pk})
    if CustomField in found:
        announce_change()
    return _summary(found)


def refusal(operation: Operation) -> str:
    """Say why an operation cannot be undone at all; empty where it can."""
    undone = operation.undos.first()
    if undone is not None:
        return _("This was undone already.")
    if operation.at < timezone.now() - KEEP:
        return _("This is more than 30 days old and can no longer be undone.")
    return ""


def preview(operation: Operation, actor: User) -> Result:
    """Say what an undo would do; nothing is changed."""
    with transaction.atomic():
        found = plan.make(operation)
        plan.judge(operation, found, actor)
        kept.mark(found, actor)
        plan.settle(found)
        result = _summary(found)
        transaction.set_rollback(True)
    return result


def undo(operation: Operation, actor: User, overrule: Iterable[str] = ()) -> Result:
    """Set back all rows of the operation in whose way nothing stands.

    ``overrule`` names rows (``Left.key``) whose later changes shall go, too. Raises
    UserVisibleError where the operation cannot be undone (any more).
    """
    with transaction.atomic():
        # Two at once: the second waits here and is told.
        operation = Operation.objects.select_for_update(of=("self",)).get(
            pk=operation.pk
        )
        if text := refusal(operation):
            raise UserVisibleError(text)
        with _undoing(actor, undo_of=operation, title=operation.title) as done:
            result = _carry_out(operation, actor, overrule)
            result.operation = done
            if not result.number:
                raise UserVisibleError(_("Nothing of this can be undone any more."))
    return result


def restore(operation: Operation, actor: User, root: tuple[str, int]) -> Result:
    """Bring back one deleted row with what went with it.

    ``root`` is (label of the model, id). Raises UserVisibleError where it cannot be.
    """
    with transaction.atomic():
        operation = Operation.objects.select_for_update(of=("self",)).get(
            pk=operation.pk
        )
        with _undoing(actor) as done:
            result = _carry_out(operation, actor, root=root)
            result.operation = done
            model = tracked_models()[root[0]]
            if not model._base_manager.filter(pk=root[1]).exists():
                raise UserVisibleError(why_not(result, root))
    return result


def why_not(result: Result, root: tuple[str, int]) -> str:
    """Say why a row could not be brought back."""
    from crm.history.words import REASONS

    key = f"{root[0]}:{root[1]}"
    for one in result.left:
        if one.key == key:
            return str(REASONS[one.reason])
    return _("This is no longer in the trash.")


@contextmanager
def _undoing(
    actor: User, undo_of: Operation | None = None, title: str = ""
) -> Iterator[Operation]:
    """Open the operation that the undo itself is."""
    done = Operation(
        kind=OperationKind.UNDO,
        actor=actor,
        undo_of=undo_of,
        title=title,
    )
    done.save(force_insert=True)
    with acting(OperationKind.UNDO, actor, number=done.number):
        plan.execute("SELECT set_config('crm.undoing', 'on', true)")
        plan.execute("SET CONSTRAINTS ALL DEFERRED")
        try:
            yield done
            try:
                # Deferred rules speak here, while there is a sentence for them.
                plan.execute("SET CONSTRAINTS ALL IMMEDIATE")
            except IntegrityError as error:
                raise UserVisibleError(
                    _("Other rows were changed meanwhile. Look at it again.")
                ) from error
        finally:
            if is_usable(connection):
                plan.execute("SELECT set_config('crm.undoing', '', true)")


def _summary(found: list[type[models.Model]]) -> Result:
    """Count the lines of the plan."""
    known = {model._meta.label_lower: model for model in found}
    result = Result()
    for label, action, number in plan.fetch(
        "SELECT model, action, count(*) FROM undo_plan WHERE conflict = ''"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    ):
        result.counts[action, known[label]] = number
    rows = plan.fetch(
        "SELECT model, object_id, action, conflict, count(*) OVER () FROM undo_plan"
        " WHERE conflict <> ''"
        " ORDER BY conflict <> 'changed', model, object_id LIMIT %s",
        [MOST_LEFT],
    )
    for label, pk, action, reason, total in rows:
        result.left.append(Left(known[label], pk, action, reason))
        result.left_count = total
    return result
