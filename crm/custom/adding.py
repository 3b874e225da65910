"""Custom fields that an import makes of columns which match no field.

They are made inside the import's own transaction and operation: an import that fails
leaves none behind, and one that is undone takes them away again.
"""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
from __future__ import annotations

import json
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from crm.access import ANY_MODEL, Verb, can
from crm.audit import record
from crm.custom.importing import SEVERAL, import_column
from crm.custom.labels import MAX_CHOICE, MAX_CHOICES, label_problem
from crm.custom.services import announce_change
from crm.importing.cells import Column, Habits
from crm.importing.columns import Text
from crm.importing.errors import ImportRefused
from crm.importing.staging import fetch_all, quoted
from crm.importing.work import Work, sequence
from crm.models import CustomField, FieldKind, User

# One import makes at most so many fields; nobody could look through more.
MAX_NEW = 100
# What a column of a file can become: a reference would need a model to refer to.
KINDS = tuple(kind for kind in FieldKind if kind != FieldKind.REFERENCE)
WITH_CHOICES = (FieldKind.CHOICE, FieldKind.CHOICES)
NAMED_PEOPLE = 3


class NewChoice(Text):
    """A word that becomes one of the choices of a new field."""

    def __init__(self, key: str, label: str) -> None:
        super().__init__(key, label, max_length=MAX_CHOICE)


class NewChoices(NewChoice):
    """Several words that become choices of a new field, staged as a list."""

    sql_type = "jsonb"

    def convert(self, cell: str, habits: Habits) -> str | None:
        """Take the words apart."""
        words = [word.strip() for word in SEVERAL.split(cell) if word.strip()]
        found = [super(NewChoices, self).convert(word, habits) for word in words]
        return json.dumps(found, ensure_ascii=False) if found else None


def may_add(user: User | None) -> bool:
    """Tell whether a person may make custom fields; None is the program itself."""
    return user is None or can(user, Verb.ADD, CustomField)


def who_may_add() -> str:
    """Return the names of some people who may make custom fields."""
    label = CustomField._meta.label_lower
    grants = Q(roles__grants__model__in=[label, ANY_MODEL])
    grants &= Q(roles__grants__verb=Verb.ADD)
    people = User.objects.active().filter(grants | Q(is_superuser=True)).distinct()
    return ", ".join(map(str, people.order_by("pk")[:NAMED_PEOPLE]))


def refusal() -> str:
    """Say who may make custom fields, to somebody who may not."""
    names = who_may_add()
    if not names:
        return _("Only administrators may add custom fields.")
    return _("Custom fields are added by: %(names)s.") % {"names": names}


def reserve(
    model: type[models.Model], wanted: Mapping[str, Mapping[str, str]], owner: User
) -> dict[str, CustomField]:
    """Return {header: field} of fields that are not stored yet but have their keys.

    ``wanted`` is {header: {"kind", "label"}}. Raises ImportRefused with why not.
    """
    if not wanted:
        return {}
    if not may_add(owner):
        raise ImportRefused(refusal())
    if len(wanted) > MAX_NEW:
        raise ImportRefused(too_many(len(wanted)))
    rows = CustomField.objects.filter(model=model._meta.label_lower)
    last = rows.aggregate(last=Max("position"))["last"] or 0
    keys = fetch_all(
        f"SELECT {sequence(CustomField)} FROM generate_series(1, %s)", [len(wanted)]
    )
    found = {}
    for place, ((header, one), (pk,)) in enumerate(
        zip(wanted.items(), keys, strict=True), start=1
    ):
        found[header] = CustomField(
            pk=pk,
            model=model._meta.label_lower,
            kind=known_kind(one["kind"]),
            label=one["label"],
            position=last + place,
        )
    _check_labels(model, list(found.values()))
    return found


def too_many(number: int) -> str:
    """Say that an import would make too many fields."""
    return _(
        "An import adds at most %(limit)s custom fields; %(number)s columns are chosen."
    ) % {"limit": MAX_NEW, "number": number}


def known_kind(text: str) -> str:
    """Return the kind, or raise ImportRefused with those that there are."""
    if text not in KINDS:
        raise ImportRefused(
            _("There is no kind of field “%(kind)s”; there are: %(known)s.")
            % {"kind": text, "known": ", ".join(KINDS)}
        )
    return text


def _check_labels(model: type[models.Model], fields: list[CustomField]) -> None:
    labels = [one.label.casefold() for one in fields]
    for one in fields:
        problem = label_problem(model, one.label)
        if labels.count(one.label.casefold()) > 1:
            problem = _("Two new fields would have this name.")
        if problem:
            raise ImportRefused(f"“{one.label}”: {problem}")


def column_of(one: CustomField) -> Column:
    """Return the column that fills a new field; its choices come from the cells."""
    if one.kind not in WITH_CHOICES:
        return import_column(one)
    kind = NewChoice if one.kind == FieldKind.CHOICE else NewChoices
    return kind(one.name, one.label)


def prepare_fields(work: Work) -> None:
    """Let the new choice fields offer the words of the file, and stage their keys."""
    work.counts.add(CustomField, len(work.new_fields))
    for one in work.new_fields:
        if one.kind in WITH_CHOICES:
            _find_choices(work, one)


def _find_choices(work: Work, one: CustomField) -> None:
    name = quoted(one.name)
    is_one = one.kind == FieldKind.CHOICE
    word = "w #>> '{{}}'"
    cells = f"to_jsonb(s.{name})" if is_one else f"jsonb_array_elements(s.{name})"
    words = work.fetch(
        f"SELECT {word} FROM {{staging}} s, LATERAL (SELECT {cells}) x (w)"
        f" WHERE NOT s.bad AND s.{name} IS NOT NULL GROUP BY 1"
        f" ORDER BY min(s.line), 1 LIMIT {10 * MAX_CHOICES}"
    )
    options: dict[str, dict[str, str]] = {}
    for (text,) in words:
        key = str(len(options) + 1)
        options.setdefault(text.casefold(), {"key": key, "label": text})
    if len(options) > MAX_CHOICES:
        raise ImportRefused(
            _(
                "“%(label)s” holds more than %(limit)s different words. "
                "Make it a text instead of a choice."
            )
            % {"label": one.label, "limit": MAX_CHOICES}
        )
    one.options = [{**option, "retired": False} for option in options.values()]
    keys = {text: options[text.casefold()]["key"] for (text,) in words}
    value = f"%s::jsonb ->> s.{name}"
    if not is_one:
        value = (
            "(SELECT jsonb_agg(k ORDER BY k::int) FROM (SELECT DISTINCT"
            f" %s::jsonb ->> w AS k FROM jsonb_array_elements_text(s.{name}) w) x)"
        )
    work.run(
        f"UPDATE {{staging}} s SET {name} = {value}"
        f" WHERE NOT s.bad AND s.{name} IS NOT NULL",
        [json.dumps(keys)],
    )


def add_fields(work: Work) -> None:
    """Store the new fields, inside the transaction that fills them."""
    for one in work.new_fields:
        try:
            one.full_clean()
        except ValidationError as error:
            # Somebody made one of the same name since the file was checked.
            reason = " ".join(error.messages)
            raise ImportRefused(f"“{one.label}”: {reason}") from error
        one.save(force_insert=True)
        if work.actor is not None:
            record(work.actor, "added", one, {"label": [None, one.label]})
    if work.new_fields:
        announce_change()
