"""Kinds of columns: each turns a batch of cells into values for the database.

The rules are those of the model's form: lengths, digits, choices and validators come
from its field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import URLValidator, validate_email
from django.db import models
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from crm.importing.cells import Column, Habits
from crm.importing.dates import Date, DateTime

# What we put an apostrophe before when we write files.
ESCAPED = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


class Text(Column):
    """Any text up to a length."""

    def __init__(
        self, key: str, label: Any, *, max_length: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(key, label, **kwargs)
        self.max_length = max_length

    def convert(self, cell: str, habits: Habits) -> str | None:
        """Check the length; take off the apostrophe with which we export formulas."""
        if cell[0] == "'" and cell[1:2] in ESCAPED:
            cell = cell[1:].strip()
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
        most = self.max_digits - self.decimal_places
        if cell.isascii() and cell.isdecimal() and len(cell) <= most:
            # Digits alone mean the same by every habit.
            self.validate(Decimal(cell))
            return cell.lstrip("0") or "0"
        number = self.parse(cell, habits)
        _sign, digits, exponent = number.as_tuple()
        places = -exponent if exponent < 0 else 0
        if places > self.decimal_places:
            raise ValueError(
                _("The number has more than %(places)s decimal places.")
                % {"places": self.decimal_places}
            )
        whole = len(digits) + exponent
        if whole > most:
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
