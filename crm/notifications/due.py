"""Tell owners of rows whose date is today: once, in the morning of their own day."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from crm.jobs import JobHandle, job
from crm.jobs.queue import personal_settings
from crm.models import Notification, User
from crm.notifications.kinds import DUE
from crm.notifications.telling import Telling, tell

KIND = "notification-due"


@dataclass(frozen=True)
class Due:
    """Rows with an owner that want attention on the day of a date field."""

    model: type[models.Model]
    date_field: str
    # Which rows still want it.
    open_rows: Callable[[], models.QuerySet] = field(compare=False)


DUES: list[Due] = []


def register_due(
    model: type[models.Model], date_field: str, open_rows: Callable[[], models.QuerySet]
) -> None:
    """Have owners told on the day that a date field names; for ``<app>/jobs.py``."""
    DUES.append(Due(model, date_field, open_rows))


@job(KIND, label=gettext_lazy("Notifications of what is due"))
def tell_due(handle: JobHandle) -> dict[str, int]:
    """Tell those whose morning has come; what was told of a day is not told again."""
    return {"told": sum(_tell(due) for due in DUES)}


@transaction.atomic
def _tell(due: Due) -> int:
    found: dict[tuple[int, date], list[int]] = defaultdict(list)
    today = timezone.now().date()
    # It is yesterday or tomorrow somewhere.
    near = {f"{due.date_field}__range": (today - timedelta(1), today + timedelta(1))}
    rows = due.open_rows().filter(**near, owner__is_active=True)
    for pk, owner, day in rows.values_list("pk", "owner", due.date_field):
        found[owner, day].append(pk)
    days = days_of({owner for owner, _day in found})
    label = due.model._meta.label_lower
    wanted = [
        Telling(owner, DUE, label, [pk], operation=number_of(label, pk, day))
        for (owner, day), ids in found.items()
        if days.get(owner) == day
        for pk in ids
    ]
    told = set(
        Notification.objects.filter(
            kind=DUE, operation__in=[one.operation for one in wanted]
        ).values_list("recipient", "operation")
    )
    return tell(one for one in wanted if (one.recipient, one.operation) not in told)


def days_of(people: set[int]) -> dict[int, date]:
    """Return {person: their date}, of those whose morning has come."""
    found = {}
    for person in User.objects.filter(pk__in=people):
        with personal_settings(person):
            now = timezone.localtime()
        if now.hour >= settings.DIGEST_HOUR:
            found[person.pk] = now.date()
    return found


def number_of(label: str, pk: int, day: date) -> uuid.UUID:
    """Return the number under which a row is told to be due on a day."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"due/{label}/{pk}/{day.isoformat()}")
