"""The arithmetic of sales: exact, and without a database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any


def total_of(lines: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
    """Return the exact sum of quantity × price."""
    return sum((quantity * price for quantity, price in lines), Decimal(0))


def average_sale(net_total: Decimal, sales: int) -> Decimal | None:
    """Return what a sale brought on average, returns taken off; None without a sale."""
    return net_total / sales if sales else None


def share_of_change(now: Decimal | int, before: Decimal | int) -> float | None:
    """Return the change against before as a share; None where before was nothing."""
    return float((now - before) / abs(before)) if before else None


@dataclass(frozen=True)
class Stay:
    """How long something stayed in a stage; ``end`` is None while it is there."""

    change: Any
    start: datetime
    end: datetime | None

    def length(self, now: datetime) -> timedelta:
        """Return the time in the stage so far."""
        return (self.end or now) - self.start


def stays(changes: Sequence[Any]) -> list[Stay]:
    """Turn the moves of one opportunity, oldest first, into stays in stages."""
    found = [Stay(old, old.at, new.at) for old, new in pairwise(changes)]
    if changes:
        found.append(Stay(changes[-1], changes[-1].at, None))
    return found
