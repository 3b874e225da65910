"""Columns of days and moments, however people write them."""

from __future__ import annotations

import datetime
import re

from django.utils.translation import gettext as _

from crm.days import can_be_meant
from crm.importing.cells import Column, Habits

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
    if not can_be_meant(found):
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
