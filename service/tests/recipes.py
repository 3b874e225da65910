"""Rows for tests."""

from __future__ import annotations

from itertools import count
from typing import Any

from crm.models import User
from service.models import Ticket, TicketCategory

numbers = count(1)


def make_ticket(owner: User | None = None, **values: Any) -> Ticket:
    """Return a saved ticket."""
    number = next(numbers)
    values.setdefault("number", f"X{number:05d}")
    values.setdefault("subject", f"The kettle leaks ({number})")
    return Ticket.objects.create(owner=owner, **values)


def make_category(code: str = "", **values: Any) -> TicketCategory:
    """Return a saved category."""
    code = code or f"category-{next(numbers)}"
    values.setdefault("name", code.title())
    return TicketCategory.objects.create(code=code, **values)
