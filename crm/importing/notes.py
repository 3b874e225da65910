"""The columns that we add to a file of rejected rows: which row it was, and why.

A file that comes back with them is read without them, in whatever language it was made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

NAME = re.compile(r"-rejected-(\d{1,18})\b")


def note_names() -> list[str]:
    """Return the names of the columns in the language of the moment."""
    return [_("Row"), _("Why it was rejected")]


def name_of_rejects(stem: str, run_id: int) -> str:
    """Return what the file of rejected rows of a run is called."""
    return f"{stem}-rejected-{run_id}.csv"


def run_in_name(file_name: str) -> int | None:
    """Return which run the name of a file of rejected rows tells."""
    found = NAME.search(file_name)
    return int(found[1]) if found else None


@cache
def _known_names() -> frozenset[tuple[str, ...]]:
    known = set()
    for language, _label in settings.LANGUAGES:
        with translation.override(language):
            known.add(tuple(note_names()))
    return frozenset(known)


def delimiter_in(sample: str, delimiters: str) -> str:
    """Return what stands between our two columns; empty in a file of others."""
    for names in _known_names():
        for delimiter in delimiters:
            place = sample.find(delimiter.join(names))
            if place > 0 and sample[place - 1] == delimiter:
                return delimiter
    return ""


def width_before_notes(header: Sequence[str]) -> int | None:
    """Return how many columns stand before ours; None where there are none of ours."""
    names = [name.strip() for name in header]
    while names and not names[-1]:
        names.pop()
    return len(names) - 2 if tuple(names[-2:]) in _known_names() else None


def without_notes(row: list[str], width: int) -> list[str]:
    """Return a row without our two columns; cells beyond them stay."""
    return row[:width] + row[width + 2 :]
