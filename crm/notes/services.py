"""Write notes at rows, change them, take them away; tell those whom they concern."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import Http404

from crm.access import Verb, can
from crm.audit import record
from crm.generic.rows import find_row
from crm.models import DeletedRow, Note, Share, User
from crm.models.sharing import ShareVerb
from crm.notes.mentions import MOST, mentioned_in
from crm.notifications.follows import follow_unless_said
from crm.notifications.kinds import MENTION, NOTE
from crm.notifications.reach import concerned, visible_ids
from crm.notifications.telling import Telling, tell
from crm.rights.sharing import may_share, share_row


def row_of(label: str, pk: int, user: User) -> models.Model:
    """Return the row that notes are at, or answer 404.

    Who may see the row may read its notes and write one: the only rule there is.
    """
    return find_row(label, pk, user, takes="takes_notes")


def find(pk: int, user: User) -> tuple[Note, models.Model]:
    """Return a note and its row, by the rights on the row."""
    note = Note.objects.filter(pk=pk).select_related("author").first()
    if note is None:
        raise Http404
    return note, row_of(note.model, note.object_id, user)


def notes_of(row: models.Model) -> models.QuerySet[Note]:
    """Return the notes of a row, newest first."""
    rows = Note.objects.filter(model=row._meta.label_lower, object_id=row.pk)
    return rows.select_related("author").order_by("-pk")


def may_edit(user: User, note: Note) -> bool:
    """Tell whether the words are the person's own."""
    return note.author_id == user.pk


def may_remove(user: User, note: Note, row: models.Model) -> bool:
    """Tell whether the note is the person's, or the row is theirs to delete."""
    return may_edit(user, note) or can(user, Verb.DELETE, row)


def strangers_in(text: str, row: models.Model) -> list[User]:
    """Return the people mentioned in a stored text who may not see the row."""
    people = User.objects.active().in_bulk(sorted(mentioned_in(text))[: MOST + 1])
    label = row._meta.label_lower
    return [one for one in people.values() if not visible_ids(one, label, [row.pk])]


def can_be_let_in(actor: User, people: Iterable[User], row: models.Model) -> bool:
    """Tell whether sharing the row would let the people see it."""
    return may_share(actor, row) and all(
        can(one, Verb.VIEW, type(row)) for one in people
    )


def let_in(people: Iterable[User], row: models.Model, actor: User) -> None:
    """Share the row with the people, to view."""
    for person in people:
        share = Share(person=person, verb=ShareVerb.VIEW)
        share_row(share=share, row=row, actor=actor)


@transaction.atomic
def write_note(*, row: models.Model, text: str, actor: User) -> Note:
    """Write a note, follow the row, and tell the others; ``text`` as it is stored."""
    note = Note(model=row._meta.label_lower, object_id=row.pk, text=text, author=actor)
    note.full_clean()
    note.save(force_insert=True)
    record(actor, "noted", row)
    mentioned = mentioned_in(text)
    _tell_mentioned(note, mentioned, actor)
    others = concerned(note.model, [row.pk]).get(row.pk, set()) - mentioned
    tell(_telling(note, NOTE, one, actor) for one in others)
    follow_unless_said(actor, row)
    return note


@transaction.atomic
def rewrite_note(*, note: Note, text: str, actor: User) -> Note:
    """Change one's own note; only people who are new in it are told.

    Raises PermissionDenied for somebody else's note.
    """
    note = Note.objects.select_for_update(of=("self",)).get(pk=note.pk)
    if not may_edit(actor, note):
        raise PermissionDenied
    news = mentioned_in(text) - mentioned_in(note.text)
    note.text = text
    note.full_clean()
    note.save(update_fields=["text", "updated_at"])
    _tell_mentioned(note, news, actor)
    return note


@transaction.atomic
def remove_note(*, note: Note, row: models.Model, actor: User) -> None:
    """Take a note away; it can be brought back."""
    if not may_remove(actor, note, row):
        raise PermissionDenied
    record(actor, "unnoted", row)
    note.delete()


def _tell_mentioned(note: Note, people: Iterable[int], actor: User) -> None:
    tell(_telling(note, MENTION, one, actor) for one in people)


def _telling(note: Note, kind: str, person: int, actor: User) -> Telling:
    return Telling(person, kind, note.model, [note.object_id], actor.pk, note=note.pk)


def move(model: type[models.Model], into: int, gone: Sequence[int]) -> None:
    """Put the notes of rows that are merged at the row that stays."""
    rows = Note.objects.filter(model=model._meta.label_lower, object_id__in=gone)
    rows.update(object_id=into)


@transaction.atomic
def remove_stranded() -> int:
    """Delete the notes of rows that are gone for good; return how many."""
    labels = Note.objects.order_by("model").values_list("model", flat=True)
    return sum(_remove_stranded(label) for label in labels.distinct())


def _remove_stranded(label: str) -> int:
    rows = Note.objects.filter(model=label)
    in_trash = DeletedRow.objects.filter(
        model=label, object_id=models.OuterRef("object_id")
    )
    rows = rows.exclude(models.Exists(in_trash))
    try:
        model = apps.get_model(label)
    except LookupError:
        return rows.delete()[0]
    there = model._base_manager.filter(pk=models.OuterRef("object_id"))
    return rows.exclude(models.Exists(there)).delete()[0]
