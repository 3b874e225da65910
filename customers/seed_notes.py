"""Demo notes: what colleagues wrote to those who can sign in."""

from __future__ import annotations

from collections.abc import Iterator

from crm.notifications.seeding import Talk, login
from crm.seeding import Demo
from customers.models import Customer

# (whose customer, author, reader, what was written)
NOTES = (
    ("rep", "manager", "rep", "{name} they asked for a price for next year. Will you?"),
    (
        "rep",
        "jack.doyle",
        "rep",
        "Met their buyer at the fair; she is looking forward.",
    ),
    ("rep", "rep", "manager", "{name} may I offer the discount of last spring again?"),
    ("chen.jing", "manager", "chen.jing", "{name} 请确认下季度的供货计划。"),
    ("", "chen.jing", "manager", "{name} 客户希望下周安排一次会面。"),
    ("rep", "rep", "marketer", "{name} they would like to be in the next newsletter."),
    ("rep", "rep", "agent", "{name} please tell them when the replacement is sent."),
    (
        "rep",
        "rep",
        "servicemanager",
        "{name} the third complaint in a month, see there.",
    ),
    ("rep", "manager", "analyst", "{name} why is the chance of leaving so high here?"),
    (
        "rep",
        "manager",
        "executive",
        "{name} our largest offer this quarter goes to them.",
    ),
    ("rep", "manager", "admin", "{name} they are here twice, I think."),
)


def make_talks(demo: Demo, customers: list[Customer]) -> Iterator[Talk]:
    """Yield the notes, each at a customer of its own."""
    free = {name: iter(customers_of(demo, customers, name)) for name, *_ in NOTES}
    for place, (whose, author, reader, text) in enumerate(NOTES):
        row = next(free[whose], None)
        if row is not None:
            people = login(demo, author), login(demo, reader)
            yield Talk(row, *people, text, hours_ago=2 + 7 * place)


def customers_of(demo: Demo, customers: list[Customer], name: str) -> list[Customer]:
    """Return the customers of a person; of Chinese staff where none is named."""
    if name:
        return [one for one in customers if one.owner_id == login(demo, name).pk]
    staff = {one.pk for one in demo.people("representative", "zh-hans")}
    return [one for one in customers if one.owner_id in staff]
