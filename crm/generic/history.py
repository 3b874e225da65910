"""The history of one row, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.access import hidden_fields, is_among
from crm.custom.definitions import field_named
from crm.generic import formats
from crm.history.words import FieldChange, Values
from crm.models import AuditEntry, Change, ChangeVerb, OperationKind

if TYPE_CHECKING:
    import datetime
    from uuid import UUID

    from django.db.models import Model

    from crm.models import Operation, User

VERBS = {
    "added": _("Added"),
    "assign": _("Changed"),
    "attached": _("File added"),
    "category": _("Changed"),
    "changed": _("Changed"),
    "converted": _("Converted"),
    "deleted": _("Deleted"),
    "detached": _("File deleted"),
    "imported": _("Imported"),
    "merged": _("Merged"),
    "message": _("Message"),
    "moved": _("Changed"),
    "noted": _("Note added"),
    "shared": _("Shared"),
    "state": _("Changed"),
    "unnoted": _("Note deleted"),
}

VERB_OF_CHANGE = {
    ChangeVerb.ADD: "added",
    ChangeVerb.CHANGE: "changed",
    ChangeVerb.DELETE: "deleted",
}


@dataclass(frozen=True)
class Entry:
    """One line of a row's history."""

    at: datetime.datetime
    actor: User | None
    verb: str
    changes: list[FieldChange]
    # Where it can be looked at as a whole; empty for what is older than that.
    operation: Operation | None = None


def entries_of(obj: Model, user: User, limit: int) -> list[Entry]:
    """Return the newest of a row's history, one entry per operation.

    The log of changes holds the values, the audit log what the person called it and
    what is not a column of the row, such as tags.
    """
    model = type(obj)
    logged = AuditEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(obj), object_id=obj.pk
    ).select_related("actor")[:limit]
    changes = list(
        Change.objects.filter(model=model._meta.label_lower)
        .filter(Q(object_id=obj.pk) | Change.added_has(obj.pk))
        .select_related("operation__actor")
        .order_by("-pk")[: limit * 3]
    )
    values = Values(user)
    values.collect(changes)
    by_operation: dict[UUID, list[Change]] = {}
    for change in changes:
        by_operation.setdefault(change.operation.number, []).append(change)
    entries = []
    for entry in logged:
        own = by_operation.pop(entry.operation, [])
        columns = merged(own, values)
        known = {one.label for one in columns}
        words = [
            one for one in words_of_log(entry, model, user) if one.label not in known
        ]
        operation = own[0].operation if own else None
        verb = verb_of(entry.verb)
        entries.append(Entry(entry.at, entry.actor, verb, columns + words, operation))
    for own in by_operation.values():
        operation, verb = own[0].operation, verb_of(VERB_OF_CHANGE[own[-1].verb])
        if operation.kind != OperationKind.PAGE:
            verb = f"{verb} ({operation.get_kind_display()})"
        entries.append(
            Entry(own[0].at, operation.actor, verb, merged(own, values), operation)
        )
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]


def merged(changes: list[Change], values: Values) -> list[FieldChange]:
    """Return what one operation did to a row, from its first value to its last.

    ``changes`` come newest first.
    """
    found: dict[str, FieldChange] = {}
    for change in reversed(changes):
        for one in values.describe(change):
            first = found.get(one.label, one)
            found[one.label] = FieldChange(one.label, first.old, one.new)
    return list(found.values())


def words_of_log(
    entry: AuditEntry, model: type[Model], user: User
) -> list[FieldChange]:
    """Return what an audit entry says of fields that the person may see."""
    hidden = hidden_fields(user, model)
    return [
        FieldChange(
            label_of(model, name), *(_words(model, name, one) for one in _pair(pair))
        )
        for name, pair in entry.changes.items()
        if not is_among(name, hidden)
    ]


def verb_of(code: str) -> str:
    """Return what the log calls an action."""
    return str(VERBS.get(code) or capfirst(gettext(code.replace("_", " "))))


def label_of(model: type[Model], name: str) -> str:
    """Return the name of a field as people know it."""
    custom = field_named(model, name)
    if custom is not None:
        return custom.title
    found = formats.field_of(model, name)
    return capfirst(str(found.verbose_name) if found else gettext(name))


def _pair(value: Any) -> tuple[Any, Any]:
    if isinstance(value, list) and len(value) == 2:
        return value[0], value[1]
    return None, value


def _words(model: type[Model], name: str, value: Any) -> str:
    """Return a value as people know it.

    The log keeps the code of a choice, and the name of reference data as it is stored.
    """
    if isinstance(value, str) and value:
        found = formats.field_of(model, name)
        if getattr(found and found.related_model, "access_shared", False):
            value = gettext(value)
        value = str(formats.labels_of(model, name).get(value, value))
    return formats.short(value)
