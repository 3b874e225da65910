"""Rows for tests."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import count
from typing import Any

from crm.models import User
from customers.tests.recipes import make_customer
from sales.choices import OrderState
from sales.models import (
    Category,
    Lead,
    Opportunity,
    Order,
    OrderLine,
    Product,
    Stage,
)
from sales.services.opportunities import write_history
from sales.services.orders import update_total

numbers = count(1)


def make_category(**values: Any) -> Category:
    """Return a saved category."""
    values.setdefault("name", f"Category {next(numbers):04d}")
    return Category.objects.create(**values)


def make_product(**values: Any) -> Product:
    """Return a saved product."""
    number = next(numbers)
    values.setdefault("sku", f"T-{number:05d}")
    values.setdefault("name", f"Teapot {number:04d}")
    values.setdefault("unit_price", Decimal("12.50"))
    return Product.objects.create(**values)


def make_lead(owner: User | None = None, **values: Any) -> Lead:
    """Return a saved lead."""
    values.setdefault("name", f"Harriet {next(numbers):04d}")
    return Lead.objects.create(owner=owner, **values)


def stage(code: str) -> Stage:
    """Return a stage of the pipeline that every fresh database has."""
    return Stage.objects.get(code=code, pipeline__is_default=True)


def make_opportunity(
    owner: User | None = None, code: str = "new", **values: Any
) -> Opportunity:
    """Return a saved opportunity with the first row of its history."""
    values.setdefault("name", f"Yearly order {next(numbers):04d}")
    values.setdefault("stage", stage(code))
    opportunity = Opportunity.objects.create(owner=owner, **values)
    write_history(opportunity, None, owner)
    return opportunity


def make_order(
    owner: User | None = None,
    lines: Iterable[tuple[str, str]] = (("2", "10.00"),),
    **values: Any,
) -> Order:
    """Return a saved order with lines (quantity, price)."""
    values.setdefault("number", f"T{next(numbers):06d}")
    values.setdefault("state", OrderState.DRAFT)
    if "customer" not in values:
        values["customer"] = make_customer(owner)
    order = Order.objects.create(owner=owner, **values)
    for line_no, (quantity, price) in enumerate(lines, start=1):
        OrderLine.objects.create(
            order=order,
            line_no=line_no,
            description=f"Thing {line_no}",
            quantity=Decimal(quantity),
            unit_price=Decimal(price),
        )
    update_total(order)
    return order
