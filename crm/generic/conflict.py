"""Two people edited the same row: the original, theirs and mine, field by field.

What only one of them changed needs no decision. Where both changed a field, the form
keeps what was typed, shows all three, and lets theirs be taken instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django import forms
from django.db import models
from django.utils.text import capfirst

from crm.generic import formats
from crm.history.words import Values
from crm.models import Change

if TYPE_CHECKING:
    import datetime

    from django.http import QueryDict

    from crm.generic.forms import VisibleModelForm
    from crm.models import User

# Sent where theirs is to be taken: ``theirs-city``.
THEIRS = "theirs-"
# A row changed more often than that while somebody typed is shown without originals.
MOST_CHANGES = 200


@dataclass
class Clash:
    """A field that both changed."""

    name: str
    label: str
    original: str
    theirs: str
    mine: str


@dataclass
class Conflict:
    """Who changed the row meanwhile, what both changed, and what only they did."""

    actor: User | None = None
    at: datetime.datetime | None = None
    clashes: list[Clash] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)


def changes_since(obj: models.Model, version: str) -> list[Change]:
    """Return the changes of a row after the version that a form was opened with.

    Newest first; all that are looked at where the version is not found.
    """
    changes = Change.objects.filter(
        model=obj._meta.label_lower, object_id=obj.pk, verb="change"
    ).select_related("operation__actor")
    found = []
    for change in changes.order_by("-pk")[:MOST_CHANGES]:
        found.append(change)
        if _same_moment((change.old or {}).get("updated_at"), version):
            break
    return found


def _same_moment(stored: Any, version: str) -> bool:
    """Compare two spellings of a moment; PostgreSQL leaves zeros at the end out."""
    to_python = models.DateTimeField().to_python
    try:
        return stored is not None and to_python(stored) == to_python(version)
    except (ValueError, TypeError, forms.ValidationError):
        return False


def wants_theirs(data: QueryDict) -> bool:
    """Tell whether the person chose what is stored for any field."""
    return any(name.startswith(THEIRS) for name in data)


def take_theirs(data: QueryDict, form: VisibleModelForm) -> QueryDict:
    """Return what was sent with the stored value where the person chose it.

    ``form`` is an unbound form of the row as it is stored.
    """
    chosen = [name for name in form.fields if data.get(f"{THEIRS}{name}")]
    if not chosen:
        return data
    data = data.copy()
    for name in chosen:
        set_stored(data, form, name)
    return data


def set_stored(data: QueryDict, form: VisibleModelForm, name: str) -> None:
    """Put a field's stored value into the data, as the browser would send it."""
    bound = form[name]
    value = bound.field.prepare_value(form.get_initial_for_field(bound.field, name))
    if isinstance(bound.field.widget, forms.CheckboxInput):
        values = ["on"] if value else []
    elif isinstance(value, list | tuple | models.QuerySet):
        values = [str(bound.field.prepare_value(one)) for one in value]
    else:
        shown = bound.field.widget.format_value(value)
        shown = shown[0] if isinstance(shown, list) and shown else shown
        values = [str(shown)] if shown not in (None, [], "") else [""]
    data.setlist(bound.html_name, values)


def compare(
    sent: VisibleModelForm, stored: VisibleModelForm, version: str, user: User
) -> tuple[QueryDict, Conflict]:
    """Return the data to go on with, and what both changed.

    ``sent`` is the bound form, ``stored`` an unbound one of the row as it is now.
    """
    obj = stored.instance
    changes = changes_since(obj, version)
    conflict = Conflict()
    if changes:
        conflict.actor, conflict.at = changes[0].operation.actor, changes[0].at
    values = Values(user)
    values.collect(changes)
    originals: dict[str, Any] = {}
    for change in changes:
        originals |= change.old or {}
    data = sent.data.copy()
    for name in sent.changed_data:
        bound = sent[name]
        if name in sent.custom:
            compare_custom(sent, stored, data, conflict, name, originals)
            continue
        if bound.field.disabled or isinstance(bound.field.widget, forms.MultiWidget):
            continue
        column = formats.field_of(type(obj), name)
        original = None
        if column is not None and column.concrete and not column.many_to_many:
            if changes and column.column not in originals:
                # Nobody else touched it.
                continue
            original = originals.get(column.column)
            if changes and not was_changed(bound, column, original):
                set_stored(data, stored, name)
                conflict.taken.append(str(bound.label))
                continue
        conflict.clashes.append(
            Clash(
                name,
                capfirst(str(bound.label)),
                values.words(type(obj), column, original) if original else "",
                formats.short(stored_words(obj, name)),
                formats.short(typed_words(bound)),
            )
        )
    return data, conflict


def compare_custom(
    sent: VisibleModelForm,
    stored: VisibleModelForm,
    data: QueryDict,
    conflict: Conflict,
    name: str,
    originals: dict[str, Any],
) -> None:
    """Do the same for a custom field, which is one key of a column."""
    kind, bound = sent.custom[name], sent[name]
    key = kind.field.key
    theirs = stored.instance.custom.get(key)
    original = (originals.get("custom", stored.instance.custom) or {}).get(key)
    mine = sent.instance.custom.get(key)
    if original == theirs or bound.errors and theirs == mine:
        return
    if mine == original and not bound.errors:
        set_stored(data, stored, name)
        conflict.taken.append(str(bound.label))
        return
    said = (kind.words(value) for value in (original, theirs))
    words = formats.short(typed_words(bound))
    conflict.clashes.append(Clash(name, str(bound.label), *said, words))


def was_changed(bound: forms.BoundField, column: models.Field, original: Any) -> bool:
    """Tell whether the person typed something else than they found."""
    try:
        initial = column.to_python(original)
    except forms.ValidationError:
        return True
    return bound.field.has_changed(initial, bound.data)


def stored_words(obj: models.Model, name: str) -> Any:
    """Return a stored value as people read it."""
    display = getattr(obj, f"get_{name}_display", None)
    value = display() if display else getattr(obj, name, None)
    return list(value.all()) if isinstance(value, models.Manager) else value


def typed_words(bound: forms.BoundField) -> Any:
    """Return what was typed as people read it."""
    cleaned = getattr(bound.form, "cleaned_data", {})
    value = cleaned.get(bound.name, bound.data)
    if isinstance(value, models.QuerySet):
        return list(value)
    choices = getattr(bound.field, "choices", None)
    if choices and isinstance(value, str):
        return dict(_flat(choices)).get(value, value)
    return value


def _flat(choices: Any) -> list[tuple[Any, Any]]:
    """Return the choices without their groups."""
    found = []
    for value, label in choices:
        found += label if isinstance(label, list | tuple) else [(value, label)]
    return found
