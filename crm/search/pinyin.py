"""How Chinese characters are read, as the search knows it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "data"


@cache
def readings() -> dict[str, list[str]]:
    """Return {character: its readings without tones}."""
    return _read("pinyin.txt")


@cache
def as_surname() -> dict[str, list[str]]:
    """Return {character: its readings at the beginning of a name}, where they differ.

    The reading as a surname comes first.
    """
    usual = readings()
    return {
        letter: [*first, *(one for one in usual.get(letter, []) if one not in first)]
        for letter, first in _read("surnames.txt").items()
    }


def _read(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        if not line.startswith("#"):
            reading, _space, letters = line.partition(" ")
            for letter in letters:
                found.setdefault(letter, []).append(reading)
    return found
