"""Stretches of days, and what they are compared with."""

from datetime import date, timedelta

import pytest

from crm.generic.periods import first_and_last
from crm.periods import (
    EARLIEST,
    Period,
    PeriodKey,
    month_start,
    months_of,
    months_until,
    period_before,
    period_of,
)

QUARTER, YEAR = PeriodKey.THIS_QUARTER, PeriodKey.LAST_12_MONTHS


def test_months_go_over_the_turn_of_the_year():
    assert month_start(date(2025, 1, 31), 1) == date(2024, 12, 1)
    assert month_start(date(2025, 12, 5), -1) == date(2026, 1, 1)
    found = months_until(date(2025, 2, 14), 24)
    assert (found[0], found[-1], len(found)) == (date(2023, 3, 1), date(2025, 2, 1), 24)
    touched = months_of(Period(date(2024, 12, 31), date(2025, 2, 1)))
    assert touched == [date(2024, 12, 1), date(2025, 1, 1), date(2025, 2, 1)]


@pytest.mark.parametrize(
    ("key", "today", "now", "before"),
    [
        ("this-month", "2025-03-31", "2025-03-01/2025-03-31", "2025-02-01/2025-02-28"),
        ("this-month", "2025-03-30", "2025-03-01/2025-03-30", "2025-02-01/2025-02-28"),
        ("this-month", "2025-01-10", "2025-01-01/2025-01-10", "2024-12-01/2024-12-10"),
        ("last-month", "2024-03-15", "2024-02-01/2024-02-29", "2024-01-01/2024-01-31"),
        (QUARTER, "2025-05-31", "2025-04-01/2025-05-31", "2025-01-01/2025-02-28"),
        (YEAR, "2024-02-29", "2023-03-01/2024-02-29", "2022-03-01/2023-02-28"),
    ],
)  # fmt: skip
def test_a_period_is_compared_with_as_much_of_the_one_before(key, today, now, before):
    period = period_of(key, date.fromisoformat(today))
    assert f"{period.start}/{period.end}" == now
    found = period_before(key, period)
    assert f"{found.start}/{found.end}" == before


def test_own_days_are_compared_with_as_many_and_all_time_with_nothing():
    period = Period(date(2025, 2, 9), date(2025, 3, 10))
    found = period_before(PeriodKey.CUSTOM, period)
    assert found == Period(date(2025, 1, 10), date(2025, 2, 8))
    assert period_before(PeriodKey.CUSTOM, Period(EARLIEST, period.end)) is None
    assert period_before("all-time", period_of("all-time", period.end)) is None


NEW_YEAR, EVE, LEAP = "2025-01-01", "2024-12-31", "2024-02-29"


@pytest.mark.parametrize(
    ("period", "today", "first", "last"),
    [
        ("this_week", NEW_YEAR, "2024-12-30", "2025-01-05"),
        ("last_week", NEW_YEAR, "2024-12-23", "2024-12-29"),
        ("this_month", NEW_YEAR, "2025-01-01", "2025-01-31"),
        ("last_month", NEW_YEAR, "2024-12-01", "2024-12-31"),
        ("this_quarter", NEW_YEAR, "2025-01-01", "2025-03-31"),
        ("last_quarter", NEW_YEAR, "2024-10-01", "2024-12-31"),
        ("this_year", NEW_YEAR, "2025-01-01", "2025-12-31"),
        ("last_year", NEW_YEAR, "2024-01-01", "2024-12-31"),
        ("last_7_days", NEW_YEAR, "2024-12-26", "2025-01-01"),
        ("next_7_days", NEW_YEAR, "2025-01-02", "2025-01-08"),
        ("next_30_days", NEW_YEAR, "2025-01-02", "2025-01-31"),
        ("yesterday", NEW_YEAR, "2024-12-31", "2024-12-31"),
        ("this_week", EVE, "2024-12-30", "2025-01-05"),
        ("last_week", EVE, "2024-12-23", "2024-12-29"),
        ("this_month", EVE, "2024-12-01", "2024-12-31"),
        ("last_month", EVE, "2024-11-01", "2024-11-30"),
        ("this_quarter", EVE, "2024-10-01", "2024-12-31"),
        ("last_quarter", EVE, "2024-07-01", "2024-09-30"),
        ("this_year", EVE, "2024-01-01", "2024-12-31"),
        ("last_year", EVE, "2023-01-01", "2023-12-31"),
        ("next_7_days", EVE, "2025-01-01", "2025-01-07"),
        ("next_30_days", EVE, "2025-01-01", "2025-01-30"),
        ("this_week", LEAP, "2024-02-26", "2024-03-03"),
        ("last_week", LEAP, "2024-02-19", "2024-02-25"),
        ("this_month", LEAP, "2024-02-01", "2024-02-29"),
        ("last_month", LEAP, "2024-01-01", "2024-01-31"),
        ("this_quarter", LEAP, "2024-01-01", "2024-03-31"),
        ("last_quarter", LEAP, "2023-10-01", "2023-12-31"),
        ("this_year", LEAP, "2024-01-01", "2024-12-31"),
        ("last_year", LEAP, "2023-01-01", "2023-12-31"),
        ("last_365_days", LEAP, "2023-03-02", "2024-02-29"),
        ("next_7_days", LEAP, "2024-03-01", "2024-03-07"),
        ("next_30_days", LEAP, "2024-03-01", "2024-03-30"),
        ("last_month", "2024-03-31", "2024-02-01", "2024-02-29"),
        ("last_month", "2025-03-31", "2025-02-01", "2025-02-28"),
        ("last_year", "2025-02-28", "2024-01-01", "2024-12-31"),
    ],
)  # fmt: skip
def test_a_relative_period_is_whole_on_the_calendar(period, today, first, last):
    found = first_and_last(period, date.fromisoformat(today))
    assert found == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize("today", [NEW_YEAR, EVE, LEAP, "2023-02-28", "2024-06-16"])
def test_a_period_and_the_one_before_it_meet(today):
    day = date.fromisoformat(today)
    for unit in ("week", "month", "quarter", "year"):
        first, last = first_and_last(f"this_{unit}", day)
        assert first <= day <= last
        assert first_and_last(f"last_{unit}", day)[1] == first - timedelta(days=1)
