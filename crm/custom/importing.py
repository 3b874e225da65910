"""Custom fields as columns of an import."""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext as _

from crm.access import Verb
from crm.custom.definitions import active_fields
from crm.custom.kinds import MAX_DIGITS, MAX_TEXT, MoneyKind, NumberKind, kind_of
from crm.importing import columns as kinds
from crm.importing.cells import Column, Habits
from crm.importing.dates import Date
from crm.importing.staging import quoted
from crm.models.custom import CustomField, FieldKind

if TYPE_CHECKING:
    from crm.importing.work import Work


# The database takes 100 arguments for a function.
MOST_PAIRS = 50
# What stands between several words in one cell.
SEVERAL = re.compile(r"[,;，；、]")


class Choices(kinds.Choice):
    """Several words, separated by commas or semicolons; staged as a list of keys."""

    sql_type = "jsonb"

    def convert(self, cell: str, habits: Habits) -> str | None:
        """Look each word up."""
        words = [word.strip() for word in SEVERAL.split(cell) if word.strip()]
        if cell.casefold() in self.words():
            words = [cell]
        keys = [super(Choices, self).convert(word, habits) for word in words]
        sequence = [code for code, _label in self.choices if code in keys]
        return json.dumps(sequence) if sequence else None


def import_column(one: CustomField) -> Column:
    """Return the column that fills a custom field."""
    key, label = one.name, one.title
    aliases = {"aliases": [text for text in (one.label, one.label_zh) if text]}
    if one.kind in (FieldKind.NUMBER, FieldKind.MONEY):
        places = (MoneyKind if one.kind == FieldKind.MONEY else NumberKind).places
        return kinds.Number(
            key, label, max_digits=MAX_DIGITS, decimal_places=places, **aliases
        )
    if one.kind in (FieldKind.CHOICE, FieldKind.CHOICES):
        kind = kinds.Choice if one.kind == FieldKind.CHOICE else Choices
        return kind(
            key,
            label,
            choices=list(one.open_choices.items()),
            synonyms=one.choice_names,
            **aliases,
        )
    if one.kind == FieldKind.DATE:
        return Date(key, label, **aliases)
    if one.kind == FieldKind.BOOLEAN:
        return kinds.Boolean(key, label, **aliases)
    if one.kind == FieldKind.REFERENCE:
        return kinds.Reference(key, label, **aliases)
    kind = kinds.Url if one.kind == FieldKind.LINK else kinds.Text
    return kind(key, label, max_length=MAX_TEXT, **aliases)


def import_columns(model: type[models.Model]) -> tuple[Column, ...]:
    """Return the columns that fill a model's custom fields."""
    return tuple(map(import_column, active_fields(model)))


def staged_fields(work: Work) -> list[CustomField]:
    """Return the custom fields that the file fills, new ones too."""
    known = active_fields(work.importer.model)
    filled = [one for one in known if work.has(one.name)]
    return [*filled, *(one for one in work.new_fields if one not in filled)]


def find_references(work: Work) -> None:
    """Put ids in the place of names; reject unknown, hidden and ambiguous ones."""
    for one in staged_fields(work):
        if one.kind != FieldKind.REFERENCE:
            continue
        target, staged = kind_of(one).target, f"s.{quoted(one.name)}"
        table, name = quoted(target._meta.db_table), quoted(target.text_field)
        beyond = work.out_of_reach(target, Verb.VIEW, "t.id")
        within = f" AND NOT ({beyond})" if beyond else ""
        rows = f"FROM {table} t WHERE t.{name} = {staged}{within}"
        given = f"SELECT s.line, {staged}, NULL FROM {{staging}} s WHERE NOT s.bad"
        given += f" AND {staged} IS NOT NULL AND (SELECT count(*) {rows})"
        title = one.title
        work.reject(given + " = 0", _("There is no such row."), column=title)
        work.reject(given + " > 1", _("Several rows have this name."), column=title)
        work.run(
            f"UPDATE {{staging}} s SET {quoted(one.name)} = (SELECT min(t.id) {rows})"
            f" WHERE NOT s.bad AND {staged} <> %s",
            [""],
        )


def values_sql(work: Work, cell: str = "{0}") -> str:
    """Return SQL for the JSON of all custom fields that the file fills, or "".

    ``cell`` says what is taken of the staged column ``{0}``.
    """
    parts = []
    for one in staged_fields(work):
        staged = cell.format(f"s.{quoted(one.name)}")
        if one.kind == FieldKind.REFERENCE:
            staged = f"{staged}::bigint"
        elif one.kind in (FieldKind.NUMBER, FieldKind.MONEY):
            staged = f"trim_scale({staged})"
        parts.append(f"'{one.key}', {staged}")
    objects = [f"jsonb_build_object({', '.join(some)})" for some in batched(parts)]
    return f"jsonb_strip_nulls({' || '.join(objects)})" if objects else ""


def batched(parts: list[str]) -> Iterator[list[str]]:
    """Yield portions of pairs, as many as a function of the database takes."""
    for start in range(0, len(parts), MOST_PAIRS):
        yield parts[start : start + MOST_PAIRS]
