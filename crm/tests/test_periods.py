"""Stretches of days, and what they are compared with."""

from datetime import date

import pytest

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
