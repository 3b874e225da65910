"""Rows for tests."""

from __future__ import annotations

from itertools import count
from typing import Any

from crm.models import User
from customers.models import Contact, Customer, DuplicatePair, Interaction

numbers = count(1)


def make_customer(owner: User | None = None, **values: Any) -> Customer:
    """Return a saved customer."""
    values.setdefault("name", f"Fletcher {next(numbers):04d}")
    return Customer.objects.create(owner=owner, **values)


def make_contact(owner: User | None = None, **values: Any) -> Contact:
    """Return a saved contact at a customer of the owner."""
    if "customer" not in values:
        values["customer"] = make_customer(owner, kind="company")
    values.setdefault("name", f"Nora {next(numbers):04d}")
    return Contact.objects.create(**values)


def make_interaction(owner: User | None = None, **values: Any) -> Interaction:
    """Return a saved interaction with a customer of the owner."""
    if "customer" not in values:
        values["customer"] = make_customer(owner)
    values.setdefault("subject", f"Asked for a price {next(numbers)}")
    return Interaction.objects.create(owner=owner, **values)


def make_pair(owner: User | None = None, **values: Any) -> DuplicatePair:
    """Return a saved pair of two customers of the owner."""
    for name in ("customer_a", "customer_b"):
        if name not in values:
            values[name] = make_customer(owner)
    values.setdefault("score", 0.97)
    values.setdefault("reasons", [["name", "same", 16.0], ["birth", "differs", -4.6]])
    return DuplicatePair.objects.create(**values)
