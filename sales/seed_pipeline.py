"""Demo leads and opportunities.

Whether a lead becomes a customer depends on where it came from, which page it saw and
the month; when it became one, name and address are those of that customer.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from crm.seeding import Demo
from customers.choices import Kind, Source
from customers.models import Customer
from customers.seed_names import Place, company, fill, person, places
from sales.choices import LeadState, StageKind
from sales.models import Lead, Opportunity, Stage, StageChange
from sales.services.opportunities import first_stage

LEADS = 1500
# source → (share in %, how it shifts the log-odds of buying)
SOURCES = {
    Source.ORGANIC: (26, 0.5),
    Source.PAID: (22, -0.3),
    Source.SOCIAL: (16, -1.0),
    Source.REFERRAL: (9, 1.5),
    Source.EMAIL: (8, 0.7),
    Source.DIRECT: (8, 0.2),
    Source.DISPLAY: (7, -1.8),
    Source.EVENT: (4, 0.9),
}
# landing page → (share in %, shift)
PAGES = {
    "/catalogue": (18, 0.3),
    "/wholesale": (14, 1.1),
    "/gift-guide": (13, -0.6),
    "/garden-season": (11, 0.0),
    "/blog/how-to-brew": (12, -1.3),
    "/request-a-sample": (8, 1.4),
    "/spring-sale": (9, -0.2),
    "/zh/pifa": (8, 0.9),
    "/zh/chahua": (7, -0.4),
}
# From January on: budgets are spent in autumn, summers are slow.
MONTHS = (-0.1, 0.0, 0.2, 0.3, 0.2, -0.2, -0.5, -0.5, 0.3, 0.5, 0.4, -0.4)
BASE = -1.15
REASONS = {
    "en": ("Price", "No answer", "Bought elsewhere", "No need any more", "Wrong fit"),
    "zh": ("价格", "没有回复", "已在别处购买", "暂无需求", "不合适"),
}
OPPORTUNITIES = 620
NAMES = {
    "en": (
        "Spring order",
        "Equipment for the new branch",
        "Yearly supply contract",
        "Christmas range",
        "Tableware for the restaurant",
        "Coffee supply",
        "Garden furniture",
        "Staff gifts",
    ),
    "zh": (
        "春季订货",
        "新店配套采购",
        "年度供货合同",
        "节日礼品采购",
        "餐厅餐具",
        "咖啡供应",
        "户外家具",
        "员工福利",
    ),
}


# --- Leads ----------------------------------------------------------------------------


def add_leads(demo: Demo) -> list[Lead]:
    """Add the leads of two years, oldest first."""
    chance = demo.random("sales.lead")
    pool = CustomerPool(demo.made(Customer))
    known = places()
    days = sorted(
        int(math.sqrt(chance.random()) * 729) for _ in range(demo.count(LEADS))
    )
    return demo.add(
        make_lead(demo, demo.start.date() + timedelta(days=day), pool, known, chance)
        for day in days
    )


class CustomerPool:
    """Customers who may have been a lead once, by source, each given out once."""

    def __init__(self, customers: list[Customer]) -> None:
        self.by_source: dict[str, list[Customer]] = {}
        for customer in sorted(customers, key=lambda one: one.created_at):
            self.by_source.setdefault(customer.source, []).append(customer)

    def take(
        self, source: str, earliest: datetime, is_chinese: bool
    ) -> Customer | None:
        """Return somebody who became a customer soon after the date, or nobody."""
        pool = self.by_source.get(source, [])
        start = bisect_left(pool, earliest, key=lambda one: one.created_at)
        latest = earliest + timedelta(days=75)
        for place in range(start, len(pool)):
            customer = pool[place]
            if customer.created_at > latest:
                return None
            if (customer.country == "China") == is_chinese:
                return pool.pop(place)
        return None


def probability(source: str, page: str, month: int, is_company: bool) -> float:
    """Return the chance that such a lead becomes a customer."""
    odds = BASE + SOURCES[source][1] + PAGES[page][1] + MONTHS[month - 1]
    return 1 / (1 + math.exp(-(odds + (0.4 if is_company else 0.0))))


def make_lead(
    demo: Demo, day: date, pool: CustomerPool, known: list[Place], chance: Random
) -> Lead:
    """Return one lead with what became of it."""
    source = chance.choices(list(SOURCES), [share for share, _ in SOURCES.values()])[0]
    page = chance.choices(list(PAGES), [share for share, _ in PAGES.values()])[0]
    is_chinese = page.startswith("/zh/") or chance.random() < 0.3
    some = [one for one in known if (one.country == "China") == is_chinese]
    place = chance.choices(some, [one.weight for one in some])[0]
    is_company = chance.random() < 0.35
    created = datetime.combine(day, time(8), tzinfo=UTC) + timedelta(
        seconds=chance.randint(0, 10 * 3600)
    )
    lead = Lead(
        source=source,
        landing_page=page,
        first_contact_on=day,
        created_at=created,
        owner=chance.choice(
            demo.people("representative", "zh-hans" if is_chinese else "en")
        ),
    )
    describe(lead, place, is_company, chance)
    wins = chance.random() < probability(source, page, day.month, is_company)
    decide(lead, wins, is_chinese, pool, demo, chance)
    return lead


def describe(lead: Lead, place: Place, is_company: bool, chance: Random) -> None:
    """Fill in who the lead is."""
    name = person(place.country, chance)
    lead.name = name.text
    domain = "mail.example"
    if is_company:
        firm = company(place, chance)
        lead.company = firm.text
        domain = f"{firm.latin}.example"
    if chance.random() < 0.93:
        lead.email = f"{name.latin}@{domain}"
    if chance.random() < 0.7:
        lead.phone = fill(place.phone, chance)


def decide(
    lead: Lead,
    wins: bool,
    is_chinese: bool,
    pool: CustomerPool,
    demo: Demo,
    chance: Random,
) -> None:
    """Close the lead, or leave it open where it is too young to be decided."""
    closed = lead.created_at + timedelta(days=2 + chance.gammavariate(1.5, 11))
    if wins:
        customer = pool.take(
            lead.source, lead.created_at + timedelta(days=2), is_chinese
        )
        wins = customer is not None
        if customer is not None:
            lead.customer = customer
            lead.owner = customer.owner
            closed = customer.created_at
            become(lead, customer)
    if closed >= demo.now:
        lead.state = LeadState.NEW if chance.random() < 0.45 else LeadState.WORKING
        lead.customer = None
        return
    lead.closed_at = lead.updated_at = closed
    lead.state = LeadState.CONVERTED if wins else LeadState.LOST
    if not wins:
        lead.lost_reason = chance.choice(REASONS["zh" if is_chinese else "en"])


def become(lead: Lead, customer: Customer) -> None:
    """Let the lead carry the name under which it became a customer."""
    lead.email, lead.phone = customer.email, customer.phone
    if customer.kind == Kind.COMPANY:
        lead.company = customer.name
    else:
        lead.name, lead.company = customer.name, ""


# --- Opportunities --------------------------------------------------------------------


def add_opportunities(demo: Demo) -> list[Opportunity]:
    """Add opportunities with the way that each went through the stages."""
    chance = demo.random("sales.opportunity")
    pipeline = first_stage().pipeline
    stages = list(Stage.objects.filter(pipeline=pipeline).order_by("position"))
    companies = [one for one in demo.made(Customer) if one.kind == Kind.COMPANY]
    leads = {
        lead.customer_id: lead
        for lead in demo.made(Lead)
        if lead.customer_id and lead.state == LeadState.CONVERTED
    }
    made, moves = [], []
    for _number in range(demo.count(OPPORTUNITIES) if companies else 0):
        customer = chance.choice(companies)
        opportunity, changes = make_opportunity(
            customer, leads.get(customer.pk), stages, demo, chance
        )
        made.append(opportunity)
        moves += changes
    made.sort(key=lambda one: one.created_at)
    demo.add(made)
    for move in moves:
        move.opportunity_id = move.opportunity.pk
    demo.add(sorted(moves, key=lambda one: (one.at, one.opportunity_id)))
    return made


def make_opportunity(
    customer: Customer,
    lead: Lead | None,
    stages: list[Stage],
    demo: Demo,
    chance: Random,
) -> tuple[Opportunity, list[StageChange]]:
    """Return one opportunity and its moves."""
    language = "zh" if customer.country == "China" else "en"
    first = max(demo.start, customer.created_at)
    span = (demo.now - first).total_seconds()
    # Many began lately, so that some are still open.
    at = first + timedelta(seconds=span * chance.random() ** 0.7 * 0.999)
    at = max(min(in_office(at, chance), demo.now - timedelta(hours=1)), first)
    opportunity = Opportunity(
        name=chance.choice(NAMES[language]),
        customer=customer,
        lead=lead,
        owner=customer.owner,
        amount=Decimal(round(chance.lognormvariate(8.1, 0.8) / 10) * 10),
        created_at=at,
        expected_close=(at + timedelta(days=chance.randint(20, 90))).date(),
    )
    changes = walk(opportunity, at, stages, demo, chance)
    if opportunity.stage.kind == StageKind.LOST:
        opportunity.lost_reason = chance.choice(REASONS[language])
    return opportunity, changes


def in_office(at: datetime, chance: Random) -> datetime:
    """Return a moment of the same day, or of the Monday after, in office hours."""
    day = at.date() + timedelta(days=7 - at.weekday() if at.weekday() > 4 else 0)
    start = datetime.combine(day, time(8), tzinfo=UTC)
    return start + timedelta(seconds=chance.randint(0, 8 * 3600))


def walk(
    opportunity: Opportunity,
    at: datetime,
    stages: list[Stage],
    demo: Demo,
    chance: Random,
) -> list[StageChange]:
    """Move the opportunity along until it is won, lost or today is reached."""
    way = [stage for stage in stages if stage.kind == StageKind.OPEN]
    won = next((stage for stage in stages if stage.kind == StageKind.WON), None)
    lost = next((stage for stage in stages if stage.kind == StageKind.LOST), None)
    # The bigger, the harder to win; each step is a hurdle.
    ease = 0.86 - 0.025 * math.log(max(float(opportunity.amount), 500) / 500)
    changes, old, place = [], None, 0
    stage = way[0]
    while True:
        changes.append(
            StageChange(
                opportunity=opportunity,
                from_stage=old,
                to_stage=stage,
                actor=opportunity.owner,
                at=at,
                created_at=at,
            )
        )
        opportunity.stage, opportunity.updated_at = stage, at
        if stage.kind != StageKind.OPEN:
            opportunity.closed_at = at
            return changes
        at += timedelta(days=1 + chance.gammavariate(1.3, 9 + 3 * place))
        at = in_office(at, chance)
        if at >= demo.now:
            return changes
        old, place = stage, place + 1
        if chance.random() > ease and lost is not None:
            stage = lost
        elif place < len(way):
            stage = way[place]
        elif won is not None:
            stage = won
        else:
            return changes
