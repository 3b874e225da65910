"""Merging rows that stand for the same thing: one stays, everything moves to it.

What the preview shows is what ``merge`` writes: both ask ``merged_values``. It is one
operation, so undoing it brings the merged rows and all that moved back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models, transaction
from django.db.models import Min
from django.utils.translation import gettext as _

from crm.access import Verb, read_only_fields
from crm.attachments import services as attachments
from crm.audit import record
from crm.custom import references
from crm.custom.definitions import takes_custom
from crm.exceptions import UserVisibleError
from crm.generic import formats
from crm.generic.delete import is_derived, label_of
from crm.history.context import acting, consequence
from crm.history.plan import links_of, references_to
from crm.models import OperationKind
from crm.notes import services as notes
from crm.notifications import follows
from crm.reach import reachable_now

if TYPE_CHECKING:
    import uuid

    from crm.generic.pages import Pages
    from crm.models import User

# More at once cannot be looked through.
MOST = 10


@dataclass(frozen=True)
class Moves:
    """Rows of another model that point to the rows which go."""

    label: str
    count: int


def merged_fields(model: type[models.Model]) -> list[models.Field]:
    """Return the fields whose value is taken from one of the rows."""
    return [
        one
        for one in model._meta.concrete_fields
        if not (
            one.primary_key
            or one.generated
            or getattr(one, "auto_now", False)
            or getattr(one, "auto_now_add", False)
            or isinstance(one, models.JSONField)
            or one.name == "is_demo"
        )
    ]


def is_blank(value: Any) -> bool:
    """Tell whether a field says nothing."""
    return value is None or value == ""


def default_sources(
    into: models.Model, others: Sequence[models.Model]
) -> dict[str, int]:
    """Return {field: key of the row whose value is taken} where nobody chose.

    The row that stays keeps what it has; where it has nothing, the first that has.
    """
    found = {}
    for one in merged_fields(type(into)):
        with_value = [
            row for row in (into, *others) if not is_blank(getattr(row, one.attname))
        ]
        found[one.name] = (with_value[0] if with_value else into).pk
    return found


def merged_values(
    into: models.Model,
    others: Sequence[models.Model],
    sources: Mapping[str, int],
    actor: User,
) -> dict[str, Any]:
    """Return {attribute: value} of the row that stays, as it will be.

    What the actor must not change stays, also where the row has nothing in it.
    """
    kept = read_only_fields(actor, type(into))
    by_key = {row.pk: row for row in (into, *others)}
    chosen = default_sources(into, others) | {
        name: pk for name, pk in sources.items() if pk in by_key
    }
    chosen |= dict.fromkeys(kept, into.pk)
    values = {}
    for one in merged_fields(type(into)):
        value = getattr(by_key[chosen[one.name]], one.attname)
        # A row that pointed to one that goes must not end up pointing to itself.
        if one.is_relation and one.related_model is type(into) and value in by_key:
            value = None
        values[one.attname] = value
    for one in type(into)._meta.concrete_fields:
        if isinstance(one, models.JSONField):
            parts: dict[str, Any] = {}
            asked = () if one.name in kept else reversed(others)
            for row in (*asked, into):
                parts |= getattr(row, one.attname) or {}
            values[one.attname] = parts
    if takes_custom(type(into)):
        values["custom"] = references.without_own(
            type(into), values["custom"], list(by_key)
        )
    return values


def moves_of(others: Sequence[models.Model]) -> list[Moves]:
    """Return how many rows of which models move, biggest first."""
    model = type(others[0])
    keys = [row.pk for row in others]
    counts: dict[type[models.Model], int] = {}
    for child, link in references_to(model):
        if child._meta.auto_created or is_derived(child):
            continue
        number = child._base_manager.filter(**{f"{link.name}__in": keys}).count()
        if number:
            counts[child] = counts.get(child, 0) + number
    for one in references.fields_to(model):
        number = references.rows_with(one, keys).count()
        if number:
            child = apps.get_model(one.model)
            counts[child] = counts.get(child, 0) + number
    found = [Moves(label_of(child, number), number) for child, number in counts.items()]
    return sorted(found, key=lambda one: -one.count)


def find_rows(
    pages: Pages, keys: Sequence[int], actor: User
) -> list[models.Model] | None:
    """Return the locked rows in the order of the keys; None if any is out of reach.

    All have to be the person's to change and to delete, for all but one go.
    """
    rows = pages.queryset().select_for_update(of=("self",)).filter(pk__in=keys)
    by_key = {row.pk: row for row in rows.order_by("pk")}
    for verb in (Verb.VIEW, Verb.CHANGE, Verb.DELETE):
        if reachable_now(actor, verb, pages.model, keys) != set(keys):
            return None
    return [by_key[pk] for pk in keys if pk in by_key]


@transaction.atomic
def merge(
    pages: Pages,
    actor: User,
    into: models.Model,
    others: Sequence[models.Model],
    sources: Mapping[str, int],
) -> uuid.UUID:
    """Write the merged row, move everything to it, delete the others.

    The rows are locked (``find_rows``). Returns the number of the operation. Raises
    UserVisibleError for fewer than two rows or a row twice.
    """
    keys = [row.pk for row in (into, *others)]
    if len(set(keys)) != len(keys) or not others:
        raise UserVisibleError(_("Choose at least two different rows."))
    title = _("Merged into %(name)s") % {"name": into}
    with acting(OperationKind.MERGE, actor, title=title) as number:
        values = merged_values(into, others, sources, actor)
        changes = _words(into, values)
        with consequence():
            _move_links(type(into), into.pk, keys[1:])
            for what in (references, attachments, notes, follows):
                what.move(type(into), into.pk, keys[1:])
        names = ", ".join(str(row) for row in others)
        # First: a value that only one row may have becomes free.
        for row in others:
            record(actor, "merged", row, {})
            row.delete()
        if any(getattr(into, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(into, name, value)
            into.save()
        record(actor, "merged", into, {**changes, "merged": [None, names]})
    return number


def _move_links(model: type[models.Model], into: int, gone: Sequence[int]) -> None:
    """Let all rows of all apps that point to the rows which go point to the other."""
    for child, link in references_to(model):
        if is_derived(child):
            # It is found again, and goes with the row that it was about.
            continue
        rows = child._base_manager.filter(**{f"{link.name}__in": gone})
        if child._meta.auto_created:
            _move_equal_links(rows, child, link, into)
            continue
        if child is model:
            # The row that stays never points to itself.
            rows.filter(pk=into).update(**{link.name: None})
        rows.update(**{link.name: into})


def _move_equal_links(
    rows: models.QuerySet,
    through: type[models.Model],
    link: models.ForeignKey,
    into: int,
) -> None:
    """Move links of a many-to-many field; one that is there already is not doubled."""
    other = next(one for one in links_of(through) if one != link).attname
    there = through._base_manager.filter(**{link.name: into}).values(other)
    rows.filter(**{f"{other}__in": there}).delete()
    firsts = rows.order_by().values(other).annotate(first=Min("pk")).values("first")
    rows.exclude(pk__in=firsts).delete()
    rows.update(**{link.name: into})


def _words(into: models.Model, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return what changes on the row that stays, for the audit log."""
    found = {}
    for one in merged_fields(type(into)):
        old, new = getattr(into, one.attname), values[one.attname]
        if old != new and not one.is_relation:
            found[one.name] = [formats.plain(old), formats.plain(new)]
    return found
