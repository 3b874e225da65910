"""Write the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.utils import translation

from crm.history.context import current_operation
from crm.models import AuditEntry, User

if TYPE_CHECKING:
    from django.db import models


def stored_name(row: models.Model | None) -> str | None:
    """Return the name of a row for the log, which each reader sees translated."""
    if row is None:
        return None
    with translation.override(None):
        return str(row)


def record(
    actor: User | None,
    verb: str,
    obj: models.Model,
    changes: dict[str, Any] | None = None,
) -> AuditEntry:
    """Note that the actor did the verb to the row; changes are {field: [old, new]}."""
    entry = _entry(actor, verb, obj, changes)
    entry.save(force_insert=True)
    return entry


def record_many(
    actor: User | None,
    verb: str,
    rows: Iterable[tuple[models.Model, dict[str, Any]]],
) -> None:
    """Note the same of many rows, each with its own changes, in one statement."""
    AuditEntry.objects.bulk_create(
        [_entry(actor, verb, obj, changes) for obj, changes in rows], batch_size=1000
    )


def _entry(
    actor: User | None, verb: str, obj: models.Model, changes: dict[str, Any] | None
) -> AuditEntry:
    return AuditEntry(
        actor=actor,
        verb=verb,
        content_type=ContentType.objects.get_for_model(obj, for_concrete_model=True),
        object_id=obj.pk,
        object_text=str(obj)[:300],
        changes=changes or {},
        operation=current_operation(),
    )
