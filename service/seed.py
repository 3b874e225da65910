"""Demo tickets in English and Chinese, with messages and categories."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from crm.seeding import Demo
from customers.models import Customer
from sales.models import Order
from service.choices import (
    CategoryOrigin,
    MessageDirection,
    TicketChannel,
    TicketState,
    Urgency,
)
from service.models import Message, Ticket, TicketCategory
from service.seed_texts import CATEGORIES, EN, ZH

TICKETS = 3000
# Share of tickets that somebody put under the wrong category, as in real life.
MISLABELLED = 0.04
# So many of those who write more go on to another matter. Were every text clear, the
# simple rule would get all right, too, and no model would be better.
OTHER_MATTER = 0.5
# Days of work after which a ticket is solved as a rule.
PATIENCE = 6


def seed(demo: Demo) -> None:
    """Add categories, 3,000 tickets over two years, and their messages."""
    categories = seed_categories(demo)
    chance = demo.random("service.tickets")
    customers = demo.made(Customer)
    orders: dict[int, list[Order]] = {}
    for order in demo.made(Order):
        if order.customer_id:
            orders.setdefault(order.customer_id, []).append(order)
    # Who buys more also writes more.
    weights = [1 + len(orders.get(one.pk, ())) for one in customers]
    tickets = [
        make_ticket(demo, chance, categories, customer, orders.get(customer.pk, []))
        for customer in chance.choices(customers, weights, k=demo.count(TICKETS))
    ]
    tickets.sort(key=lambda ticket: ticket.opened_at)
    number(tickets)
    demo.add(tickets)
    demo.add(message for ticket in tickets for message in messages_of(demo, ticket))


def number(tickets: list[Ticket]) -> None:
    """Number the tickets; numbers of rows that stayed are left out."""
    taken = set(
        Ticket.objects.filter(number__startswith="D-T").values_list("number", flat=True)
    )
    last = 0
    for ticket in tickets:
        last += 1
        while f"D-T{last:05d}" in taken:
            last += 1
        ticket.number = f"D-T{last:05d}"


def seed_categories(demo: Demo) -> list[TicketCategory]:
    """Add the categories that are not there yet and return all of the demo's."""
    known = {one.code: one for one in TicketCategory.objects.all()}
    made = demo.add(
        TicketCategory(code=code, name=name)
        for code, name, *_rest in CATEGORIES
        if code not in known
    )
    known |= {one.code: one for one in made}
    return [known[code] for code, *_rest in CATEGORIES]


def opening_time(demo: Demo, chance: Random) -> datetime:
    """Return a moment in the last two years, more of late, in working hours mostly."""
    days = 730 * chance.random() ** 1.3
    moment = demo.now - timedelta(days=days)
    hour = min(max(chance.gauss(13, 3.5), 0), 23.9)
    moment = moment.replace(hour=0, minute=0, second=0) + timedelta(hours=hour)
    return min(moment, demo.now - timedelta(minutes=chance.randint(5, 600)))


def sentence(chance: Random, chinese: bool, template: str, order: Any) -> str:
    """Fill a sentence's gaps with believable words."""
    words = ZH if chinese else EN
    number = order.number if order else f"D-{chance.randint(10000, 99999)}"
    return template.format(
        order=number,
        product=chance.choice(words["products"]),
        weekday=chance.choice(words["weekdays"]),
        days=chance.randint(2, 30),
        count=chance.randint(2, 12),
    )


def make_ticket(
    demo: Demo,
    chance: Random,
    categories: list[TicketCategory],
    customer: Customer,
    orders: list[Order],
) -> Ticket:
    """Return one ticket with its text, category, state and agent."""
    chinese = customer.country == "China"
    words = ZH if chinese else EN
    index = chance.choices(range(len(CATEGORIES)), range(len(CATEGORIES) + 4, 4, -1))[0]
    _code, _name, kind, english, chinese_texts = CATEGORIES[index]
    opened_at = opening_time(demo, chance)
    earlier = [one for one in orders if one.placed_at < opened_at]
    order = chance.choice(earlier) if earlier else None
    texts = chinese_texts if chinese else english
    first = sentence(chance, chinese, chance.choice(texts), order)
    body = chance.choice(words["openings"]) + first
    if chance.random() < 0.45:
        if chance.random() < OTHER_MATTER:
            *_names, english, chinese_texts = chance.choice(CATEGORIES)
            texts = chinese_texts if chinese else english
        second = sentence(chance, chinese, chance.choice(texts), order)
        body += ("" if chinese else " ") + second
    body += chance.choice(words["closings"])
    ticket = Ticket(
        subject=first[:300],
        description=body,
        customer=customer,
        kind=kind,
        urgency=urgency(chance, kind),
        channel=chance.choices(TicketChannel.values, [50, 15, 15, 18, 2])[0],
        opened_at=opened_at,
        created_at=opened_at,
    )
    settle(demo, chance, ticket, chinese)
    label(demo, chance, ticket, categories, index)
    return ticket


def urgency(chance: Random, kind: str) -> str:
    """Return how pressing a ticket is; complaints press more."""
    weights = [5, 45, 35, 15] if kind == "complaint" else [20, 60, 15, 5]
    return chance.choices(Urgency.values, weights)[0]


def settle(demo: Demo, chance: Random, ticket: Ticket, chinese: bool) -> None:
    """Give the ticket an agent and a state that suits its age."""
    age = (demo.now - ticket.opened_at).total_seconds() / 86_400
    agents = demo.people("agent", "zh-hans" if chinese else "en")
    needed = chance.expovariate(1 / PATIENCE)
    if age > needed:
        ticket.solved_at = ticket.opened_at + timedelta(days=needed)
        closed = age > needed + 7
        ticket.state = TicketState.CLOSED if closed else TicketState.SOLVED
    elif age > 1:
        ticket.state = chance.choice([TicketState.OPEN, TicketState.WAITING])
    else:
        ticket.state = TicketState.NEW
    if ticket.state != TicketState.NEW or chance.random() < 0.5:
        ticket.owner = chance.choice(agents)


def label(
    demo: Demo,
    chance: Random,
    ticket: Ticket,
    categories: list[TicketCategory],
    index: int,
) -> None:
    """Give most solved tickets a category by a person; new ones wait for one."""
    labelled = 0.95 if ticket.solved_at else 0.35
    if ticket.state == TicketState.NEW or chance.random() > labelled:
        return
    if chance.random() < MISLABELLED:
        index = chance.randrange(len(categories))
    ticket.category = categories[index]
    ticket.category_origin = CategoryOrigin.PERSON


def messages_of(demo: Demo, ticket: Ticket) -> list[Message]:
    """Return what was written in a ticket, in order."""
    chance = demo.random(f"service.messages.{ticket.number}")
    if ticket.owner_id is None or ticket.state == TicketState.NEW:
        return []
    words = EN if ticket.description.isascii() else ZH
    end = ticket.solved_at or demo.now
    steps = [(MessageDirection.OUT, words["answers"])]
    if chance.random() < 0.4:
        steps.append((MessageDirection.IN, words["replies"]))
    if chance.random() < 0.15:
        steps.append((MessageDirection.NOTE, words["notes"]))
    moments = sorted(
        ticket.opened_at + (end - ticket.opened_at) * chance.random() for _ in steps
    )
    return [
        Message(
            ticket=ticket,
            direction=direction,
            author=None if direction == MessageDirection.IN else ticket.owner,
            body=chance.choice(texts),
            sent_at=moment,
            created_at=moment,
        )
        for (direction, texts), moment in zip(steps, moments, strict=True)
    ]
