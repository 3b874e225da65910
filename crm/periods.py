"""Stretches of days, and those that a page offers; plain arithmetic."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from crm.days import FIRST_YEAR, LAST_YEAR

EARLIEST, LATEST = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)


@dataclass(frozen=True)
class Period:
    """Days from ``start`` up to and with ``end``."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """Return how many days it has."""
        return (self.end - self.start).days + 1

    @property
    def is_open_at_start(self) -> bool:
        """Tell whether it has no first day that anybody chose."""
        return self.start == EARLIEST

    @property
    def is_open_at_end(self) -> bool:
        """Tell whether it has no last day that anybody chose."""
        return self.end == LATEST

    def before(self) -> Period:
        """Return the period of the same length that ends where this one starts."""
        end = self.start - timedelta(days=1)
        return Period(end - (self.end - self.start), end)

    def clip(self, other: Period) -> Period | None:
        """Return the days that lie in both; None without any."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start <= end else None


def month_start(day: date, back: int = 0) -> date:
    """Return the first day of the month, some months back."""
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def months_until(last: date, count: int) -> list[date]:
    """Return the first days of so many months, the last one last."""
    return [month_start(last, back) for back in range(count - 1, -1, -1)]


def months_of(period: Period) -> list[date]:
    """Return the first days of the months that the period touches."""
    first, last = period.start, period.end
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return months_until(last, count)


def month_end(day: date) -> date:
    """Return the last day of the month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def months_earlier(day: date, months: int) -> date:
    """Return the same day some months before, or the last one of a shorter month."""
    first = month_start(day, months)
    return first.replace(day=min(day.day, month_end(first).day))


class PeriodKey(TextChoices):
    """The periods that a page offers."""

    THIS_MONTH = "this-month", _("This month")
    LAST_MONTH = "last-month", _("Last month")
    THIS_QUARTER = "this-quarter", _("This quarter")
    LAST_12_MONTHS = "last-12-months", _("Last 12 months")
    ALL_TIME = "all-time", _("All time")
    CUSTOM = "custom", _("Own dates")


# How many months back the stretch lies that a period is compared with.
STEPS = {
    PeriodKey.THIS_MONTH: 1,
    PeriodKey.LAST_MONTH: 1,
    PeriodKey.THIS_QUARTER: 3,
    PeriodKey.LAST_12_MONTHS: 12,
}


def period_of(key: str, today: date) -> Period:
    """Return the days of a named period; one that still runs ends today."""
    first = month_start(today)
    if key == PeriodKey.THIS_MONTH:
        return Period(first, today)
    if key == PeriodKey.LAST_MONTH:
        last = first - timedelta(days=1)
        return Period(month_start(last), last)
    if key == PeriodKey.THIS_QUARTER:
        return Period(month_start(today, (today.month - 1) % 3), today)
    if key == PeriodKey.LAST_12_MONTHS:
        return Period(month_start(today, 11), today)
    return Period(EARLIEST, LATEST)


def period_before(key: str, period: Period) -> Period | None:
    """Return what a period is compared with: as far into the month, quarter or year.

    Days of one's own are compared with as many days before them, all time with nothing.
    """
    if key == PeriodKey.ALL_TIME or period.is_open_at_start or period.is_open_at_end:
        return None
    step = STEPS.get(PeriodKey(key))
    if step is None:
        before = period.before()
        return before if before.start >= EARLIEST else None
    end = months_earlier(period.end, step)
    if period.end == month_end(period.end):
        end = month_end(end)
    return Period(months_earlier(period.start, step), end)
