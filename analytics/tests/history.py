"""Histories of customers for tests: made up, seeded, with patterns known beforehand."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from customers.models import Customer
from sales.choices import OrderKind, OrderState
from sales.models import Order

TODAY = date(2026, 6, 30)
NOW = datetime.combine(TODAY, time(12), tzinfo=UTC)


def add_customers(count: int, **fields: object) -> list[Customer]:
    """Add customers of three regions, with incomes and birth dates."""
    regions = ("North", "South", "West")
    return Customer.objects.bulk_create(
        Customer(
            **{
                "name": f"Customer {place:04d}",
                "region": regions[place % 3],
                "gender": ("female", "male", "")[place % 3],
                "annual_income": Decimal(20_000 + 1_000 * (place % 50)),
                "birth_date": date(1950 + place % 50, 1 + place % 12, 1),
                **fields,
            }
        )
        for place in range(count)
    )


def add_orders(customers: list[Customer], *, seed: int = 1) -> list[Order]:
    """Add two years of orders: a third buys often, a third seldom, a third left."""
    chance = random.Random(seed)
    rows = []
    for place, customer in enumerate(customers):
        kind = place % 3
        day = chance.randint(420, 720)
        gap, worth = ((25, 220), (110, 60), (60, 90))[kind]
        until = 250 if kind == 2 else 0
        while day > until:
            amount = Decimal(round(worth * chance.lognormvariate(0, 0.4), 2))
            rows.append(order(customer, day, amount, number=len(rows)))
            day -= max(1, int(chance.expovariate(1 / gap)))
    return Order.objects.bulk_create(rows)


def order(
    customer: Customer,
    days_ago: float,
    amount: Decimal | int,
    *,
    number: object = "",
    kind: str = OrderKind.SALE,
    state: str = OrderState.COMPLETED,
    **fields: object,
) -> Order:
    """Return an unsaved order some days before NOW."""
    placed = NOW - timedelta(days=days_ago)
    name = f"{kind[0].upper()}-{customer.pk}-{number}-{days_ago}"
    return Order(
        number=name,
        customer=customer,
        placed_at=placed,
        total=amount,
        kind=kind,
        state=state,
        **fields,
    )
