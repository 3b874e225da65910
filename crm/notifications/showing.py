"""Notifications as their reader may see them at this moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.text import Truncator, capfirst

from crm.generic.registry import registry
from crm.models import Job, Note, Notification, User
from crm.models.notifications import UNREAD
from crm.notes.mentions import plain
from crm.notifications.kinds import KINDS, Kind
from crm.notifications.reach import model_named, rows_for
from crm.notifications.telling import ids_in

if TYPE_CHECKING:
    import datetime

EXCERPT = 140
# Of so many rows of an operation at most it is counted which are still visible.
MOST_LISTED = 20_000


@dataclass
class Line:
    """One notification with what its reader may know of it."""

    notification: Notification
    kind: Kind
    row: models.Model | None
    excerpt: str = ""

    @property
    def actor(self) -> str:
        """Return who did it, by name."""
        return str(self.notification.actor or "")

    @property
    def count(self) -> int:
        """Return how many times, or how many rows."""
        return self.notification.count

    @property
    def number(self) -> str:
        """Return the count as the reader writes numbers."""
        return number_format(self.count)

    @property
    def is_many(self) -> bool:
        """Tell whether it is about many rows."""
        return self.notification.object_id is None

    @property
    def names(self) -> str:
        """Return what rows of the kind are called."""
        meta = model_named(self.notification.model)._meta
        many = meta.verbose_name_plural if self.count != 1 else meta.verbose_name
        return str(many)

    @property
    def text(self) -> str:
        """Return what happened, in the reader's language."""
        return self.kind.words(self)

    @property
    def url(self) -> str:
        """Return the address that opens it and marks it as read."""
        return reverse("crm:notification_open", args=[self.notification.pk])

    @property
    def is_unread(self) -> bool:
        """Tell whether the reader has not seen it yet."""
        return self.notification.is_unread


@dataclass
class Group:
    """The notifications about one row, newest first."""

    title: str
    kind_of_row: str
    icon: str
    lines: list[Line] = field(default_factory=list)

    @property
    def flat_title(self) -> str:
        """Return the title in one line, for plain text."""
        return " ".join(self.title.split())

    @property
    def url(self) -> str:
        """Return the address of the newest."""
        return self.lines[0].url

    @property
    def at(self) -> datetime.datetime:
        """Return when the newest came."""
        return self.lines[0].notification.at

    @property
    def is_unread(self) -> bool:
        """Tell whether any is unread."""
        return any(line.is_unread for line in self.lines)


def of(user: User) -> models.QuerySet[Notification]:
    """Return a person's own notifications, newest first; never anybody else's."""
    rows = Notification.objects.filter(recipient=user, in_app=True)
    return rows.select_related("actor").order_by("-at", "-pk")


def unread_of(user: User) -> models.QuerySet[Notification]:
    """Return those that the person has not read."""
    return of(user).filter(UNREAD)


def lines_of(user: User, notifications: Iterable[Notification]) -> list[Line]:
    """Return what the person may see of them; one query per kind of row."""
    found = [one for one in notifications if one.kind in KINDS]
    rows = visible_rows(user, found)
    notes = notes_of(found)
    lines = []
    for one in found:
        if one.object_id is None:
            if rows_for(user, one.model) is not None:
                lines.append(Line(one, KINDS[one.kind], None))
            continue
        row = rows.get((one.model, one.object_id))
        if row is not None:
            excerpt = notes.get((one.note_id, one.model, one.object_id), "")
            lines.append(Line(one, KINDS[one.kind], row, excerpt))
    return lines


def visible_rows(
    user: User, notifications: Iterable[Notification]
) -> dict[tuple[str, int], models.Model]:
    """Return {(model, id): row} of what the person may see now."""
    ids: dict[str, set[int]] = {}
    for one in notifications:
        if one.object_id is not None:
            ids.setdefault(one.model, set()).add(one.object_id)
    found = {}
    for label, pks in ids.items():
        rows = rows_for(user, label)
        if rows is not None:
            found |= {(label, pk): row for pk, row in rows.in_bulk(pks).items()}
    return found


def notes_of(notifications: Iterable[Notification]) -> dict[tuple, str]:
    """Return {(note, model, row): its beginning}; a note that was moved is not here."""
    keys = {one.note_id for one in notifications if one.note_id is not None}
    if not keys:
        return {}
    notes = list(Note.objects.filter(pk__in=keys))
    texts = plain([one.text for one in notes])
    return {
        (one.pk, one.model, one.object_id): Truncator(" ".join(text.split())).chars(
            EXCERPT
        )
        for one, text in zip(notes, texts, strict=True)
    }


def grouped(lines: Iterable[Line]) -> list[Group]:
    """Put together what is about the same row, where the newest of it stands."""
    groups: dict[Any, Group] = {}
    for line in lines:
        one = line.notification
        key = (one.model, one.object_id) if one.object_id is not None else one.pk
        if key not in groups:
            groups[key] = _group(line)
        groups[key].lines.append(line)
    return list(groups.values())


def _group(line: Line) -> Group:
    model = model_named(line.notification.model)
    pages = registry.pages_of(model)
    icon = pages.nav.icon if pages and pages.nav else line.kind.icon
    name = capfirst(str(model._meta.verbose_name))
    if line.is_many:
        return Group(line.text, "", icon)
    title = line.row.label if isinstance(line.row, Job) else str(line.row)
    return Group(title, name, icon)


def mark_read(user: User, rows: models.QuerySet[Notification]) -> int:
    """Mark notifications of the person as read; return how many were not."""
    return rows.filter(recipient=user, read_at__isnull=True).update(
        read_at=timezone.now(), mail=""
    )


def put_out_of_sight(user: User, seen: Iterable[Line], shown: Iterable[Any]) -> None:
    """Take what the person may no longer see off the bell's count."""
    visible = {line.notification.pk for line in seen}
    hidden = [one.pk for one in shown if one.is_unread and one.pk not in visible]
    if hidden:
        mark_read(user, Notification.objects.filter(pk__in=hidden))


def rows_of_many(user: User, one: Notification, limit: int) -> tuple[list, int]:
    """Return the rows that a notification is about, those the person still sees."""
    rows = rows_for(user, one.model)
    if rows is None:
        return [], 0
    found = rows.filter(pk__in=ids_in(one.rows)[:MOST_LISTED])
    return list(found[:limit]), found.count()
