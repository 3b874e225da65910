"""See whether anything changed in the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core import mail
from django.db import models

from crm.models import AuditEntry, Job


def state_of(*tables: type[models.Model]) -> dict[str, Any]:
    """Return all rows of the models, with audit entries, jobs and mails counted."""
    state: dict[str, Any] = {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in tables
    }
    state["audit entries"] = AuditEntry.objects.count()
    state["jobs"] = Job.objects.count()
    state["mails"] = len(getattr(mail, "outbox", []))
    return state


@contextmanager
def unchanged(*tables: type[models.Model]) -> Iterator[None]:
    """Assert that the block changes no row of the models and causes nothing else."""
    before = state_of(*tables)
    yield
    assert state_of(*tables) == before
