"""Who follows a row, and who has muted it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models, transaction

from crm.models import Follow, Notification, User
from crm.notifications.reach import owners_of

FOLLOWED, MUTED, OWNED, NOTHING = "followed", "muted", "owned", ""


def stance_of(user: User, row: models.Model) -> str:
    """Return how the person stands to a row; an owner hears of it without following."""
    label = row._meta.label_lower
    said = Follow.objects.filter(person=user, model=label, object_id=row.pk).first()
    if said is not None:
        return MUTED if said.is_muted else FOLLOWED
    owners = owners_of(label, [row.pk]).get(row.pk, set())
    return OWNED if user.pk in owners else NOTHING


def set_stance(*, user: User, row: models.Model, stance: str) -> None:
    """Follow or mute a row, or neither; said twice it is the same."""
    key = {"person": user, "model": row._meta.label_lower, "object_id": row.pk}
    if stance in (FOLLOWED, MUTED):
        Follow.objects.update_or_create(**key, defaults={"is_muted": stance == MUTED})
    else:
        Follow.objects.filter(**key).delete()


def follow_unless_said(user: User, row: models.Model) -> None:
    """Follow a row for having written at it; what the person said of it stays."""
    Follow.objects.bulk_create(
        [Follow(person=user, model=row._meta.label_lower, object_id=row.pk)],
        ignore_conflicts=True,
    )


@transaction.atomic
def move(model: type[models.Model], into: int, gone: Sequence[int]) -> None:
    """Move followers and notifications of merged rows to the row that stays."""
    label = model._meta.label_lower
    old = Follow.objects.filter(model=label, object_id__in=gone)
    Follow.objects.bulk_create(
        [
            Follow(
                person_id=one.person_id,
                model=label,
                object_id=into,
                is_muted=one.is_muted,
            )
            for one in old.order_by("pk")
        ],
        ignore_conflicts=True,
    )
    news = Notification.objects.filter(model=label, object_id__in=gone)
    # Of two unread ones of a kind that come together the newest stays.
    newest = Notification.objects.filter(
        model=label,
        object_id__in=[into, *gone],
        read_at__isnull=True,
        kind=models.OuterRef("kind"),
        recipient=models.OuterRef("recipient"),
    ).order_by("-at", "-pk")
    Notification.objects.filter(
        model=label, object_id__in=[into, *gone], read_at__isnull=True
    ).exclude(pk=models.Subquery(newest.values("pk")[:1])).delete()
    news.update(object_id=into)
