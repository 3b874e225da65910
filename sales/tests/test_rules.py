"""The arithmetic of sales."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from sales.rules import (
    average_sale,
    share_of_change,
    stays,
    total_of,
)


def test_a_total_is_exact():
    lines = [(Decimal("3"), Decimal("0.1"))] * 1000 + [
        (Decimal("0.001"), Decimal("0.0001"))
    ]
    assert total_of(lines) == Decimal("300.0000001")
    assert total_of([]) == 0


def test_the_average_takes_returns_off():
    assert average_sale(Decimal("90"), 4) == Decimal("22.5")
    assert average_sale(Decimal("-5"), 0) is None


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [(150, 100, 0.5), (50, 100, -0.5), (0, 100, -1.0), (10, 0, None), (10, -10, 2.0)],
)
def test_change_is_a_share_of_what_was_before(now, before, expected):
    assert share_of_change(Decimal(now), Decimal(before)) == expected


@dataclass
class Move:
    at: datetime


def test_a_stay_ends_where_the_next_begins_and_the_last_one_lasts():
    start = datetime(2025, 1, 1, tzinfo=UTC)
    moves = [Move(start), Move(start + timedelta(days=3)), Move(start + timedelta(9))]
    now = start + timedelta(days=10)
    assert [stay.length(now).days for stay in stays(moves)] == [3, 6, 1]
    assert stays([]) == []
