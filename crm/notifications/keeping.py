"""Delete what was kept long enough, in portions, so that no transaction is long."""

from __future__ import annotations

from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils import timezone

from crm.models import DeletedRow, Digest, Follow, Notification

BATCH = 10_000
# Nobody reads what waited so long.
UNREAD_DAYS = 365


def forget() -> int:
    """Delete old notifications, old marks of digests, and followers of lost rows."""
    now = timezone.now()
    read = Notification.objects.filter(
        read_at__lt=now - timedelta(days=settings.NOTIFICATION_KEEP_DAYS)
    )
    # What was read long ago came even longer ago: the index by age finds it.
    read = read.filter(at__lt=now - timedelta(days=settings.NOTIFICATION_KEEP_DAYS))
    old = Notification.objects.filter(at__lt=now - timedelta(days=UNREAD_DAYS))
    count = _delete(read) + _delete(old)
    _delete(Digest.objects.filter(sent_at__lt=now - timedelta(days=UNREAD_DAYS)))
    remove_stranded(Follow)
    return count + remove_stranded(Notification)


def _delete(rows: models.QuerySet) -> int:
    count = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        count += rows.model.objects.filter(pk__in=keys).delete()[0]
    return count


def remove_stranded(model: type[models.Model]) -> int:
    """Delete what names rows by model and id that are gone for good."""
    rows = model._base_manager.exclude(object_id=None).order_by("model")
    labels = rows.values_list("model", flat=True).distinct()
    return sum(_remove_stranded(rows.filter(model=label), label) for label in labels)


def _remove_stranded(rows: models.QuerySet, label: str) -> int:
    here = {"object_id": models.OuterRef("object_id")}
    rows = rows.exclude(models.Exists(DeletedRow.objects.filter(model=label, **here)))
    try:
        about = apps.get_model(label)
    except LookupError:
        return rows.delete()[0]
    there = about._base_manager.filter(pk=models.OuterRef("object_id"))
    return rows.exclude(models.Exists(there)).order_by().delete()[0]
