"""Suggest which column of a file is what: by profiles, by header names, by the data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation

from crm.importing.cells import Column, Habits
from crm.importing.columns import Date, DateTime, Email, Phone, Url
from crm.importing.importer import Importer, Profile

# Types whose values can be told from any other text.
TELLING = (Email, Url, Phone, DateTime, Date)
GOOD_FIT = 0.9


@dataclass
class Suggestion:
    """What the program would do with a file."""

    mapping: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    profile: str = ""


def normal(name: str) -> str:
    """Return a header without case, accents, blanks and signs."""
    text = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    text = "".join(char for char in text if not unicodedata.combining(char))
    return re.sub(r"[\W_]+", "", text.casefold())


def names_of(column: Column) -> set[str]:
    """Return all names of a column in all languages."""
    found = {normal(column.key), *map(normal, column.aliases)}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found.add(normal(str(column.label)))
    return found


def matching_profile(
    profiles: Iterable[Profile], header: Sequence[str]
) -> Profile | None:
    """Return the profile that knows most of the header, if it has all that it needs."""
    have = set(header)
    fitting = [one for one in profiles if one.mapping and set(one.mapping) <= have]
    best = max(fitting, key=lambda one: len(one.mapping), default=None)
    # A profile of two columns shall not take a file of twenty.
    if best is None or len(best.mapping) * 2 < len(have):
        return None
    return best


def suggest(
    importer: Importer, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> Suggestion:
    """Suggest by the names in the header, then by what stands below them."""
    columns = dict(enumerate(header))
    cells = {
        index: [row[index] for row in rows if index < len(row)] for index in columns
    }
    habits = find_habits(cells.values())
    taken: dict[str, str] = {}
    names = {column.key: names_of(column) for column in importer.all_columns}
    for name in header:
        key = _by_name(importer, normal(name), names, set(taken.values()))
        # The name counts even if the cells do not fit: then their errors are seen.
        if key:
            taken[name] = key
    for index, name in columns.items():
        if name not in taken:
            key = _by_data(importer, cells[index], habits, set(taken.values()))
            if key:
                taken[name] = key
    options = {"decimal": habits.decimal, "day_first": habits.day_first}
    return Suggestion(mapping=taken, options=options)


def _by_name(
    importer: Importer, name: str, names: Mapping[str, set[str]], used: set[str]
) -> str:
    """Return the column of this name: the same name, else one that contains it."""
    free = [column.key for column in importer.all_columns if column.key not in used]
    for key in free:
        if name in names[key]:
            return key
    return ""


def _by_data(
    importer: Importer, cells: list[str], habits: Habits, used: set[str]
) -> str:
    """Return the one free declared column of a telling type that the data fit."""
    for kind in TELLING:
        fitting = [
            column.key
            for column in importer.columns
            if type(column) is kind
            and column.key not in used
            and column.fits(cells, habits) >= GOOD_FIT
        ]
        if len(fitting) == 1:
            return fitting[0]
    return ""


def find_habits(columns: Iterable[list[str]]) -> Habits:
    """Find out from the data how numbers and dates are written."""
    comma = point = day_first = month_first = 0
    for cells in columns:
        for cell in cells:
            text = cell.strip()
            comma += bool(re.fullmatch(r"-?[\d.]*\d,\d{1,2}", text))
            point += bool(re.fullmatch(r"-?[\d,]*\d\.\d{1,2}", text))
            match = re.match(r"(\d{1,2})[-/](\d{1,2})[-/]\d{4}", text)
            if match:
                day_first += int(match[1]) > 12
                month_first += int(match[2]) > 12
    return Habits(
        zone=ZoneInfo(settings.TIME_ZONE),
        decimal="," if comma > point else ".",
        day_first=day_first > month_first,
    )
