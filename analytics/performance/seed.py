"""Demo targets: revenue of each sales person and solved tickets of each agent."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from analytics.performance.models import Kpi, Target
from crm.seeding import Demo
from sales.models import Order
from service.models import Ticket


def quarters(today: date, count: int) -> list[tuple[date, date]]:
    """Return the first and last day of the newest quarters, the running one first."""
    found = []
    start = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    for _number in range(count):
        after = (start + timedelta(days=100)).replace(day=1)
        found.append((start, after - timedelta(days=1)))
        start = (start - timedelta(days=80)).replace(day=1)
    return found


def seed(demo: Demo) -> None:
    """Add targets for four quarters, near what was reached, as good targets are."""
    chance = demo.random("performance.targets")
    rows = []
    for start, end in quarters(demo.today, 4):
        revenue: dict[int, Decimal] = defaultdict(Decimal)
        for order in demo.made(Order):
            if order.owner_id and start <= order.placed_at.date() <= end:
                revenue[order.owner_id] += order.total
        solved: dict[int, Decimal] = defaultdict(Decimal)
        for ticket in demo.made(Ticket):
            at = ticket.solved_at
            if at and ticket.owner_id and start <= at.date() <= end:
                solved[ticket.owner_id] += 1
        passed = min(1, ((demo.today - start).days + 1) / ((end - start).days + 1))
        for kpi, role, figures, step in (
            (Kpi.REVENUE, "representative", revenue, 1000),
            (Kpi.TICKETS_SOLVED, "agent", solved, 10),
        ):
            for person in demo.people(role):
                near = float(figures[person.pk]) / passed * chance.uniform(0.8, 1.25)
                value = max(step, round(near / step) * step)
                rows.append(
                    Target(
                        owner=person,
                        kpi=kpi,
                        starts_on=start,
                        ends_on=end,
                        value=Decimal(value),
                    )
                )
    demo.add(rows)
