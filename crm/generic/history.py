"""Put audit entries into words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.generic import formats

if TYPE_CHECKING:
    import datetime

    from django.db.models import Model

    from crm.models import AuditEntry, User

VERBS = {
    "added": _("Added"),
    "assign": _("Changed"),
    "category": _("Changed"),
    "changed": _("Changed"),
    "converted": _("Converted"),
    "deleted": _("Deleted"),
    "imported": _("Imported"),
    "merged": _("Merged"),
    "message": _("Message"),
    "moved": _("Changed"),
    "state": _("Changed"),
}


@dataclass(frozen=True)
class Change:
    """One field, before and after."""

    label: str
    old: str
    new: str


@dataclass(frozen=True)
class Entry:
    """One line of the history."""

    at: datetime.datetime
    actor: User | None
    verb: str
    changes: list[Change]


def describe(entry: AuditEntry, model: type[Model]) -> Entry:
    """Return an audit entry with the words that people use."""
    verb = VERBS.get(entry.verb) or capfirst(gettext(entry.verb.replace("_", " ")))
    changes = [
        Change(
            label_of(model, name), *(_words(model, name, one) for one in _pair(pair))
        )
        for name, pair in entry.changes.items()
    ]
    return Entry(entry.at, entry.actor, str(verb), changes)


def label_of(model: type[Model], name: str) -> str:
    """Return the name of a field as people know it."""
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
