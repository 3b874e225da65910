"""What all columns of an import have in common: cells in, values or reasons out.

A value leaves as the text that Postgres reads, or None for an empty cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MEMO_SIZE = 50_000
MEMO_CHARS = 2_000_000
Say = Callable[[int, str], None]


@dataclass(frozen=True)
class Habits:
    """How a file writes numbers and dates."""

    zone: ZoneInfo
    decimal: str = "."
    day_first: bool = False


class Bad(str):
    """The reason why a cell is refused, where a value is expected."""

    __slots__ = ()


class Memo(dict):
    """Remember what cells became: most columns repeat the same few."""

    def __init__(self, convert: Callable[[str], str | None]) -> None:
        super().__init__()
        self.convert = convert
        self.found_bad = False
        self.chars = 0

    def __missing__(self, cell: str) -> str | None:
        """Convert a cell seen for the first time."""
        try:
            value: str | None = self.convert(cell)
        except ValueError as error:
            value = Bad(error)
        except ValidationError as error:
            value = Bad(" ".join(error.messages))
        if type(value) is Bad:
            self.found_bad = True
        self.chars += len(cell)
        if len(self) >= MEMO_SIZE or self.chars > MEMO_CHARS:
            self.clear()
            self.chars = 0
        self[cell] = value
        return value


class Column:
    """One thing that a file may tell; ``key`` is its name in mappings and in SQL."""

    sql_type: ClassVar[str] = "text"
    hint: ClassVar[str] = ""

    def __init__(
        self,
        key: str,
        label: Any,
        *,
        required: bool = False,
        aliases: Sequence[str] = (),
        validators: Sequence[Callable[[Any], None]] = (),
        fills: Sequence[str] = (),
    ) -> None:
        self.key = key
        self.label = label
        self.required = required
        self.aliases = tuple(aliases)
        self.validators = tuple(validators)
        # The fields that it goes to, where its key is not the field's name.
        self.fills = tuple(fills)

    def cleaner(self, habits: Habits) -> Cleaner:
        """Return what cleans this column's cells in one run."""
        return Cleaner(self, habits)

    def convert(self, cell: str, habits: Habits) -> str | None:
        """Return the value of a stripped, filled cell, or raise ValueError."""
        return cell

    def validate(self, value: Any) -> None:
        """Ask the validators of the form."""
        for validator in self.validators:
            validator(value)

    def fits(self, cells: Iterable[str], habits: Habits) -> float:
        """Return which share of the cells this column could take."""
        memo = Memo(lambda cell: self.convert(cell.strip(), habits))
        filled = [cell for cell in cells if cell.strip()]
        if not filled:
            return 0.0
        return sum(type(memo[cell]) is not Bad for cell in filled) / len(filled)


class Cleaner:
    """Clean the cells of one column batch by batch."""

    def __init__(self, column: Column, habits: Habits) -> None:
        self.column = column
        self.habits = habits
        self.memo = Memo(self._convert)

    def _convert(self, cell: str) -> str | None:
        cell = cell.strip()
        if cell:
            return self.column.convert(cell, self.habits)
        if self.column.required:
            raise ValueError(_("This value is missing."))
        return None

    def clean(self, cells: Sequence[str], say: Say) -> list[str | None]:
        """Return the values; ``say(index, reason)`` for each cell that is refused."""
        memo = self.memo
        values = list(map(memo.__getitem__, cells))
        if memo.found_bad:
            for index, value in enumerate(values):
                if type(value) is Bad:
                    say(index, value)
                    values[index] = None
        return values
