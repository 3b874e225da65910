"""Relative dates: "last 30 days", "this quarter", on the reader's calendar."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

Days = tuple[datetime.date, datetime.date]

PERIODS: dict[str, Any] = {
    "today": _("today"),
    "yesterday": _("yesterday"),
    "this_week": _("this week"),
    "last_week": _("last week"),
    "this_month": _("this month"),
    "last_month": _("last month"),
    "this_quarter": _("this quarter"),
    "last_quarter": _("last quarter"),
    "this_year": _("this year"),
    "last_year": _("last year"),
    "last_7_days": _("the last 7 days"),
    "last_30_days": _("the last 30 days"),
    "last_90_days": _("the last 90 days"),
    "last_365_days": _("the last 365 days"),
    "next_7_days": _("the next 7 days"),
    "next_30_days": _("the next 30 days"),
}
ONE = datetime.timedelta(days=1)
# So many days after its first one every such span is over, and the next is not.
LONGEST = {"week": 7, "month": 31, "quarter": 92, "year": 366}


def first_and_last(period: str, today: datetime.date) -> Days:
    """Return the first and the last day of a period.

    "The last 7 days" are seven with today; "the next 7 days" begin tomorrow.
    """
    head, _sep, unit = period.partition("_")
    if period == "today":
        return today, today
    if period == "yesterday":
        return today - ONE, today - ONE
    if unit.endswith("_days"):
        count = int(unit.removesuffix("_days"))
        if head == "last":
            return today - (count - 1) * ONE, today
        return today + ONE, today + count * ONE
    first = _first(unit, today)
    if head == "this":
        return first, _first(unit, first + LONGEST[unit] * ONE) - ONE
    return _first(unit, first - ONE), first - ONE


def _first(unit: str, day: datetime.date) -> datetime.date:
    """Return the first day of the week, month, quarter or year around a day."""
    if unit == "week":
        return day - day.weekday() * ONE
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1)
