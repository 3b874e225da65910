"""Write the audit log."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models

from crm.models import AuditEntry, User


def record(
    actor: User | None,
    verb: str,
    obj: models.Model,
    changes: dict[str, Any] | None = None,
) -> AuditEntry:
    """Note that the actor did the verb to the row; changes are {field: [old, new]}."""
    return AuditEntry.objects.create(
        actor=actor,
        verb=verb,
        content_type=ContentType.objects.get_for_model(obj, for_concrete_model=True),
        object_id=obj.pk,
        object_text=str(obj)[:300],
        changes=changes or {},
    )
