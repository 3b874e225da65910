"""Kinds of columns: each turns a batch of cells into values for the database.

A value leaves as the text that Postgres reads, or None for an empty cell. The rules are
those of the model's form: lengths, digits, choices and validators come from its field.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import models
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

MEMO_SIZE = 50_000
MEMO_CHARS = 2_000_000
FIRST_YEAR, LAST_YEAR = 1800, 2199
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
    ) -> None:
        self.key = key
        self.label = label
        self.required = required
        self.aliases = tuple(aliases)
        self.validators = tuple(validators)

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
        self.memo = Memo(lambda cell: self._convert(cell, habits))

    def _convert(self, cell: str, habits: Habits) -> str | None:
        cell = cell.strip()
        if cell:
            return self.column.convert(cell, habits)
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


class Text(Column):
    """Any text up to a length."""

    def __init__(
        self, key: str, label: Any, *, max_length: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(key, label, **kwargs)
        self.max_length = max_length

    def convert(self, cell: str, habits: Habits) -> str | None:
        """Check the length; take off the apostrophe with which we export formulas."""
        if cell[0] == "'" and cell[1:2] in ("=", "+", "-", "@"):
            cell = cell[1:]
        if self.max_length and len(cell) > self.max_length:
            raise ValueError(
                _("The text is longer than %(limit)s characters.")
                % {"limit": self.max_length}
            )
        self.validate(cell)
        return cell


class Code(Text):
    """An id: the ".0" that spreadsheets add to numbers is taken off."""

    def convert(self, cell: str, habits: Habits) -> str | None:
        """Take off the artefact, then check as text."""
        if cell.endswith(".0") and cell[:-2].isdigit():
            cell = cell[:-2]
        return super().convert(cell, habits)


class Email(Text):
    """An email address."""

    simple = re.compile(r"[a-z0-9._%+-]{1,64}@(?:[a-z0-9-]+\.)+[a-z]{2,24}", re.I)

    def convert(self, cell: str, habits: Habits) -> str | None:
        """Check as the form does; plain addresses need no second look."""
        if not self.simple.fullmatch(cell) or ".." in cell or "-." in cell:
            validate_email(cell)
        local, _at, domain = cell.rpartition("@")
        return super().convert(f"{local}@{domain.lower()}", habits)


class Phone(Text):
    """A phone number, kept as it is written."""

    pattern = re.compile(r"[\d\s()+./,;x#*ext-]+", re.I)

    def convert(self, cell: str, habits: Habits) -> str | None:
        """Refuse what has no digits."""
        if not any(char.isdigit() for char in cell):
            raise ValueError(_("A phone number has digits."))
        return super().convert(cell, habits)

    def fits(self, cells: Iterable[str], habits: Habits) -> float:
        """Look closer than convert(), which takes nearly everything."""
        filled = [cell.strip() for cell in cells if cell.strip()]
        good = [
            cell
            for cell in filled
            if self.pattern.fullmatch(cell)
            and 6 <= sum(map(str.isdigit, cell)) <= 16
            and not re.fullmatch(r"\d{4}-\d\d?-\d\d?.*|\d+\.\d+", cell)
        ]
        return len(good) / len(filled) if filled else 0.0


class Url(Text):
    """A web address; one without a scheme gets one."""

    check = URLValidator(schemes=["http", "https"])

    def convert(self, cell: str, habits: Habits) -> str | None:
        """Complete and check the address."""
        address = cell if "://" in cell else f"https://{cell}"
        type(self).check(address)
        return super().convert(address, habits)


class Number(Column):
    """A decimal number with at most so many digits."""

    sql_type = "numeric"
    plain = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?")
    grouped = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")

    def __init__(
        self,
        key: str,
        label: Any,
        *,
        max_digits: int = 28,
        decimal_places: int = 7,
        **kwargs: Any,
    ) -> None:
        super().__init__(key, label, **kwargs)
        self.max_digits = max_digits
        self.decimal_places = decimal_places

    def convert(self, cell: str, habits: Habits) -> str | None:
        """Read the number by the file's habits; refuse what would be rounded."""
        number = self.parse(cell, habits)
        _sign, digits, exponent = number.as_tuple()
        places = -exponent if exponent < 0 else 0
        if places > self.decimal_places:
            raise ValueError(
                _("The number has more than %(places)s decimal places.")
                % {"places": self.decimal_places}
            )
        whole = len(digits) + exponent
        if whole > self.max_digits - self.decimal_places:
            raise ValueError(_("The number is too large."))
        self.validate(number)
        return format(number, "f")

    def parse(self, cell: str, habits: Habits) -> Decimal:
        """Return the number, without trailing zeros behind the point."""
        text = cell.translate(DECORATION)
        if text[:1] == "(" and text[-1:] == ")":
            text = f"-{text[1:-1]}"
        if habits.decimal == ",":
            text = text.replace(".", "\0").replace(",", ".").replace("\0", ",")
        if self.grouped.fullmatch(text):
            text = text.replace(",", "")
        if not text.isascii() or not self.plain.fullmatch(text):
            raise ValueError(_("This is not a number."))
        number = Decimal(text)
        if number.as_tuple().exponent < 0:
            number = number.normalize()
        return number


# Currency signs and the blanks that group digits.
DECORATION = {ord(char): None for char in "$€£¥￥ _\u00a0\u2009\u202f"} | {
    ord("\u2212"): "-",
    ord("，"): ",",
}


class Integer(Number):
    """A whole number."""

    sql_type = "bigint"

    def __init__(self, key: str, label: Any, **kwargs: Any) -> None:
        super().__init__(key, label, max_digits=18, decimal_places=0, **kwargs)


DATE_PARTS = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})")
CHINESE_DATE = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日?")
MONTH_DATE = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3,9})\.?[ ,-]+(\d{4})")
MONTH_FIRST = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})")
MONTHS = {
    name: number
    for number, name in enumerate(
        "jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1
    )
}


def split_date(text: str, day_first: bool) -> tuple[int, int, int]:
    """Return year, month and day of a date however it is written."""
    if len(text) == 8 and text.isascii() and text.isdigit():
        return int(text[:4]), int(text[4:6]), int(text[6:])
    if match := CHINESE_DATE.fullmatch(text):
        year, month, day = map(int, match.groups())
        return year, month, day
    if match := MONTH_DATE.fullmatch(text):
        day_text, name, year_text = match.groups()
        return int(year_text), MONTHS[name[:3].lower()], int(day_text)
    if match := MONTH_FIRST.fullmatch(text):
        name, day_text, year_text = match.groups()
        return int(year_text), MONTHS[name[:3].lower()], int(day_text)
    match = DATE_PARTS.fullmatch(text)
    if match is None:
        raise ValueError
    first, second, third = match.groups()
    if len(first) == 4:
        return int(first), int(second), int(third)
    if len(third) != 4:
        raise ValueError
    if day_first or "." in text:
        return int(third), int(second), int(first)
    return int(third), int(first), int(second)


def read_date(text: str, day_first: bool) -> datetime.date:
    """Return the date; raise ValueError with a sentence."""
    try:
        found = datetime.date(*split_date(text, day_first))
    except (ValueError, KeyError, OverflowError):
        raise ValueError(_("This is not a date.")) from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError(_("This year cannot be meant."))
    return found


class Date(Column):
    """A day; a time of day behind it is left away."""

    sql_type = "date"
    time_behind = re.compile(r"[ T]\d{1,2}:\d{2}.*$")

    def convert(self, cell: str, habits: Habits) -> str | None:
        """Read the day."""
        day = read_date(self.time_behind.sub("", cell), habits.day_first)
        self.validate(day)
        return day.isoformat()


class DateTime(Column):
    """A moment; without a zone it is in the file's time zone."""

    sql_type = "timestamptz"
    pattern = re.compile(
        r"(.+?)(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
        r" ?([AaPp][Mm])? ?(Z|[+-]\d{2}:?\d{2})?)?"
    )

    def convert(self, cell: str, habits: Habits) -> str | None:
        """Read day and time."""
        match = self.pattern.fullmatch(cell)
        if match is None:
            raise ValueError(_("This is not a date."))
        text, hour, minute, second, fraction, half, zone = match.groups()
        day = read_date(text, habits.day_first)
        moment = datetime.datetime.combine(
            day, self._time(hour, minute, second, fraction, half), habits.zone
        )
        if zone:
            offset = "+00:00" if zone == "Z" else zone
            return moment.replace(tzinfo=None).isoformat(" ") + offset
        return moment.isoformat(" ")

    def _time(
        self,
        hour: str | None,
        minute: str | None,
        second: str | None,
        fraction: str | None,
        half: str | None,
    ) -> datetime.time:
        hours = int(hour or 0)
        if half:
            hours = hours % 12 + (12 if half.lower() == "pm" else 0)
        micro = int(((fraction or "") + "000000")[:6])
        try:
            return datetime.time(hours, int(minute or 0), int(second or 0), micro)
        except ValueError:
            raise ValueError(_("This is not a time of day.")) from None


class Boolean(Column):
    """Yes or no."""

    sql_type = "boolean"
    words: ClassVar[dict[str, str]] = {
        **dict.fromkeys("1 true t yes y on x ✓ 是 真 有".split(), "true"),
        **dict.fromkeys("0 false f no n off 否 假 无".split(), "false"),
    }

    def convert(self, cell: str, habits: Habits) -> str | None:
        """Look the word up."""
        try:
            return self.words[cell.lower()]
        except KeyError:
            raise ValueError(_("Write yes or no.")) from None


class Choice(Column):
    """One of a few words: a code, its label in any language, or a synonym."""

    def __init__(
        self,
        key: str,
        label: Any,
        *,
        choices: Sequence[tuple[str, Any]],
        synonyms: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(key, label, **kwargs)
        self.choices = choices
        self.synonyms = dict(synonyms or {})
        self._words: dict[str, str] = {}

    def words(self) -> dict[str, str]:
        """Return {word: code}; labels count in each language of the program."""
        if not self._words:
            found = {key.casefold(): code for key, code in self.synonyms.items()}
            for language, _name in settings.LANGUAGES:
                with translation.override(language):
                    found |= {
                        str(label).casefold(): code for code, label in self.choices
                    }
            self._words = found | {code.casefold(): code for code, _l in self.choices}
        return self._words

    def convert(self, cell: str, habits: Habits) -> str | None:
        """Look the word up."""
        try:
            return self.words()[cell.casefold()]
        except KeyError:
            known = ", ".join(str(label) for _code, label in self.choices)
            raise ValueError(
                _("Choose one of: %(known)s.") % {"known": known}
            ) from None


class Reference(Text):
    """The key of a row elsewhere, looked up in SQL by the importer."""


class Owner(Reference):
    """A colleague, by email address or user name."""

    hint = noop("The email address or user name of a colleague.")


def of(model: type[models.Model], name: str, **kwargs: Any) -> Column:
    """Return the column for a model's field, with the field's own rules."""
    field = model._meta.get_field(name)
    kwargs.setdefault("label", field.verbose_name)
    needed = not field.blank and not field.has_default() and not field.null
    kwargs.setdefault("required", needed)
    kind = _kind_of(field, kwargs)
    if issubclass(kind, Number):
        kwargs["validators"] = [
            check for check in field.validators if hasattr(check, "limit_value")
        ]
    return kind(name, **kwargs)


def _kind_of(field: models.Field, kwargs: dict[str, Any]) -> type[Column]:
    if field.choices:
        kwargs.setdefault("choices", field.choices)
        return Choice
    simple = {
        models.EmailField: Email,
        models.URLField: Url,
        models.CharField: Text,
        models.TextField: Text,
        models.DateTimeField: DateTime,
        models.DateField: Date,
        models.BooleanField: Boolean,
        models.IntegerField: Integer,
    }
    if isinstance(field, models.DecimalField):
        kwargs.setdefault("max_digits", field.max_digits)
        kwargs.setdefault("decimal_places", field.decimal_places)
        return kwargs.pop("kind", Number)
    for field_type, kind in simple.items():
        if isinstance(field, field_type):
            kind = kwargs.pop("kind", kind)
            if issubclass(kind, Text):
                kwargs.setdefault("max_length", field.max_length)
            return kind
    msg = f"No column for {field}"
    raise TypeError(msg)
