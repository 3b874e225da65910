"""Find notes by their words, at rows that the reader may see."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.text import Truncator, capfirst

from crm.models import Note, User
from crm.notes.mentions import plain
from crm.notifications.showing import visible_rows

SHOWN = 50
# So many of the latest that fit are held against the reader's rights.
LOOKED_AT = 1000
EXCERPT = 300


@dataclass(frozen=True)
class Found:
    """A note with its row."""

    note: Note
    row: models.Model
    text: str

    @property
    def kind_of_row(self) -> str:
        """Return what such rows are called."""
        return capfirst(str(self.row._meta.verbose_name))


def find_notes(user: User, text: str) -> list[Found]:
    """Return the latest notes that have every word, of rows in the reader's sight."""
    notes = Note.objects.select_related("author").order_by("-pk")
    for word in text.split()[:8]:
        notes = notes.filter(text__icontains=word)
    latest = list(notes[:LOOKED_AT])
    rows = visible_rows(user, latest)
    pairs = [(one, rows.get((one.model, one.object_id))) for one in latest]
    seen = [(note, row) for note, row in pairs if row is not None][:SHOWN]
    texts = plain([note.text for note, _row in seen])
    return [
        Found(note, row, Truncator(words).chars(EXCERPT))
        for (note, row), words in zip(seen, texts, strict=True)
    ]
