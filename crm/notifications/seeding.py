"""Demo data: what people wrote to one another, and what they have not read yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models

from crm.models import Note, Notification, User
from crm.notifications.kinds import MENTION, NOTE

if TYPE_CHECKING:
    from crm.seeding import Demo


@dataclass(frozen=True)
class Talk:
    """A note at a row; ``{name}`` in the text stands for the person it is for."""

    row: models.Model
    author: User
    reader: User
    text: str
    hours_ago: int = 5


def login(demo: Demo, username: str) -> User:
    """Return a person of the demo staff, as crm/seed.py lists them."""
    return next(one for one in demo.made(User) if one.demo_name == username)


def add_talks(demo: Demo, talks: Iterable[Talk]) -> None:
    """Write the notes and tell their readers, who have read nothing so far."""
    talks = list(talks)
    notes = demo.add(_note(demo, talk) for talk in talks)
    demo.add(_notification(talk, note) for talk, note in zip(talks, notes, strict=True))


def _note(demo: Demo, talk: Talk) -> Note:
    note = Note(
        model=talk.row._meta.label_lower,
        object_id=talk.row.pk,
        author=talk.author,
        text=talk.text.replace("{name}", f"@[{talk.reader.pk}]"),
    )
    note.created_at = demo.now - timedelta(hours=talk.hours_ago)
    return note


def _notification(talk: Talk, note: Note) -> Notification:
    return Notification(
        recipient=talk.reader,
        kind=MENTION if "{name}" in talk.text else NOTE,
        actor=talk.author,
        model=note.model,
        object_id=note.object_id,
        note_id=note.pk,
        at=note.created_at,
        mail="",
    )
