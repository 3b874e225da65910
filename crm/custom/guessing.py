"""Guess from the cells of a file which kind of custom field would hold them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from crm.custom.importing import SEVERAL
from crm.custom.kinds import MAX_DIGITS, MoneyKind, NumberKind
from crm.importing import columns as kinds
from crm.importing.cells import Habits
from crm.importing.dates import Date
from crm.models.custom import MAX_LABEL, FieldKind

# A column of so few words, each of which comes so often, is a choice.
FEW_CHOICES = 20
TIMES_EACH = 2
LONGEST_CHOICE = 60
CURRENCY = re.compile(r"[$€£¥￥]")
MONEY_WORDS = re.compile(
    r"amount|price|cost|fee|budget|revenue|turnover|salary|金额|价|费|预算|收入|成本",
    re.IGNORECASE,
)
# Digits that mean no quantity: codes with zeros in front, phone numbers.
CODE = re.compile(r"0\d+|\+.*|.*\d[ -]\d.*")
GROUPED = re.compile(r"-?\d{1,3}(?: \d{3})+(?:[.,]\d+)?")
ADDRESS = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
NUMERALS = {"0", "1"}


def label_from(header: str) -> str:
    """Return the label that a column's header suggests."""
    return " ".join(header.split())[:MAX_LABEL].strip()


def guess_kind(header: str, cells: Sequence[str], habits: Habits) -> FieldKind:
    """Return the kind that all filled cells fit; text where none does."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    for kind, fits in GUESSES if filled else ():
        if fits(header, filled, habits):
            return kind
    return FieldKind.TEXT


def is_boolean(header: str, cells: list[str], habits: Habits) -> bool:
    """Tell whether all cells say yes or no; 0 and 1 alone may be counts."""
    words = {cell.lower() for cell in cells}
    return words <= kinds.Boolean.words.keys() and not words <= NUMERALS


def is_date(header: str, cells: list[str], habits: Habits) -> bool:
    """Tell whether all cells are days; a time of day would be lost."""
    if any(Date.time_behind.search(cell) for cell in cells):
        return False
    return Date("", "").fits(cells, habits) == 1


def is_money(header: str, cells: list[str], habits: Habits) -> bool:
    """Tell whether the cells are amounts: by their signs, or by the header's words."""
    has_sign = any(map(CURRENCY.search, cells)) or MONEY_WORDS.search(header)
    return bool(has_sign) and is_number(header, cells, habits, MoneyKind.places)


def is_number(
    header: str, cells: list[str], habits: Habits, places: int = NumberKind.places
) -> bool:
    """Tell whether the cells are quantities and not codes of digits."""
    if any(CODE.fullmatch(one) and not GROUPED.fullmatch(one) for one in cells):
        return False
    column = kinds.Number("", "", max_digits=MAX_DIGITS, decimal_places=places)
    return column.fits(cells, habits) == 1


def is_link(header: str, cells: list[str], habits: Habits) -> bool:
    """Tell whether all cells are web addresses."""
    if not all(map(ADDRESS.fullmatch, cells)):
        return False
    return kinds.Url("", "").fits(cells, habits) == 1


def is_choices(header: str, cells: list[str], habits: Habits) -> bool:
    """Tell whether the cells are lists of words that come again and again."""
    parts = [part.strip() for cell in cells for part in SEVERAL.split(cell)]
    return len(parts) > len(cells) and is_choice(header, parts, habits)


def is_choice(header: str, cells: list[str], habits: Habits) -> bool:
    """Tell whether the cells are few words that come again and again."""
    words = {cell.casefold() for cell in cells}
    return (
        "" not in words
        and 1 < len(words) <= FEW_CHOICES
        and len(words) * TIMES_EACH <= len(cells)
        and max(map(len, words)) <= LONGEST_CHOICE
    )


Fits = Callable[[str, list[str], Habits], bool]
# The narrowest kind first.
GUESSES: tuple[tuple[FieldKind, Fits], ...] = (
    (FieldKind.BOOLEAN, is_boolean),
    (FieldKind.DATE, is_date),
    (FieldKind.MONEY, is_money),
    (FieldKind.NUMBER, is_number),
    (FieldKind.LINK, is_link),
    (FieldKind.CHOICES, is_choices),
    (FieldKind.CHOICE, is_choice),
)
