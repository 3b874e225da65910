"""Turn values into the words and figures that people read."""

from __future__ import annotations

import datetime
import decimal
from functools import cache, lru_cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.template.defaultfilters import truncatechars
from django.utils import timezone
from django.utils.formats import date_format, get_format, time_format
from django.utils.translation import gettext as _

from crm.formatting import language, number

MAX_CELL = 120
# Most cells of a list are one of these, which are no managers and cannot be called.
PLAIN = (str, int, datetime.date, datetime.datetime, decimal.Decimal)


def plain(value: Any) -> str:
    """Write any value; nothing for nothing."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, datetime.datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        return _moment(local, "SHORT_DATETIME_FORMAT", language())
    if isinstance(value, datetime.date):
        return _day(value, "SHORT_DATE_FORMAT", language())
    if isinstance(value, int | float | decimal.Decimal):
        return number(value)
    if isinstance(value, list | tuple | set):
        return ", ".join(plain(one) for one in value)
    return str(value)


def local_date(value: datetime.datetime) -> datetime.date:
    """Return the day on the reader's calendar."""
    return (
        timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    )


def short(value: Any) -> str:
    """Write any value, cut to what fits a cell."""
    text = plain(value)
    return text if len(text) <= MAX_CELL else truncatechars(text, MAX_CELL)


def field_of(model: type[models.Model], path: str) -> models.Field | None:
    """Return the model field at the end of a lookup path, or None (an annotation)."""
    field = None
    for part in path.split("__"):
        if model is None:
            return None
        if part == "pk":
            field = model._meta.pk
        else:
            try:
                field = model._meta.get_field(part)
            except FieldDoesNotExist:
                return None
        model = getattr(field, "related_model", None)
    return field if isinstance(field, models.Field) else None


@cache
def labels_of(model: type[models.Model], path: str) -> dict[Any, Any]:
    """Return {stored value: words} of a field with choices, else nothing."""
    field = field_of(model, path)
    return dict(field.flatchoices) if field is not None and field.choices else {}


def words_of(model: type[models.Model], path: str) -> dict[Any, str]:
    """Return the same in the reader's language: a list asks it for every cell."""
    if not labels_of(model, path):
        return {}
    return _words_of(model, path, language())


@cache
def _words_of(model: type[models.Model], path: str, _code: str) -> dict[Any, str]:
    return {value: str(words) for value, words in labels_of(model, path).items()}


def moment_in_full(local: datetime.datetime) -> str:
    """Write a local moment with the month in words."""
    return _moment(local, "DATETIME_FORMAT", language())


def day_in_full(local: datetime.date) -> str:
    """Write a day with the month in words."""
    return _day(local, "DATE_FORMAT", language())


def _moment(value: datetime.datetime, name: str, code: str) -> str:
    """Write a moment from its day and its minute, which come again and again."""
    day, _space, clock = _format(name, code).rpartition(" ")
    return (
        f"{_day_as(value.date(), day, code)}"
        f" {_clock_as(value.hour, value.minute, clock, code)}"
    )


def _day(value: datetime.date, name: str, code: str) -> str:
    if isinstance(value, datetime.datetime):
        value = value.date()
    return _day_as(value, _format(name, code), code)


@cache
def _format(name: str, code: str) -> str:
    return get_format(name, lang=code or None)


@lru_cache(maxsize=8000)
def _day_as(value: datetime.date, pattern: str, _code: str) -> str:
    """Write a day; the days of a page are few and come again."""
    return date_format(value, pattern)


@lru_cache(maxsize=3000)
def _clock_as(hour: int, minute: int, pattern: str, _code: str) -> str:
    return time_format(datetime.time(hour, minute), pattern)


def value_at(row: Any, path: str) -> Any:
    """Follow a lookup path from a row; None as soon as something is missing."""
    value = row
    for part in path.split("__"):
        if value is None:
            return None
        value = getattr(value, part, None)
        if type(value) in PLAIN:
            continue
        if isinstance(value, models.Manager):
            return list(value.all())
        if callable(value):
            value = value()
    return value
