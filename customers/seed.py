"""Demo customers, the people at them, and what was said."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from crm.models import Tag
from crm.notifications.seeding import Talk, add_talks, login
from crm.seeding import Demo
from customers.choices import Gender, Kind, Source
from customers.models import Contact, Customer, Interaction
from customers.seed_names import Name, Place, address, company, fill, person, places
from customers.seed_texts import JOBS, NOTES, TALKS

CUSTOMERS = 3000
SHARE_OF_COMPANIES = 0.28
YEARS = 4
TAGS = (("VIP", "purple"), ("Wholesale", "blue"), ("Newsletter", "green"))
# source → (share in %, what winning a customer cost on average)
SOURCES = {
    Source.ORGANIC: (24, 9),
    Source.PAID: (18, 46),
    Source.SOCIAL: (14, 31),
    Source.EMAIL: (8, 12),
    Source.REFERRAL: (12, 18),
    Source.DIRECT: (9, 6),
    Source.DISPLAY: (5, 58),
    Source.EVENT: (5, 95),
    Source.PHONE: (3, 27),
    Source.STORE: (2, 14),
}


def seed(demo: Demo) -> None:
    """Add customers, contacts, interactions and tags."""
    customers = demo.add(make_customers(demo))
    demo.add(make_contacts(demo, customers))
    demo.add(make_interactions(demo, customers))
    demo.add(make_taggings(demo, customers))
    add_talks(demo, make_talks(demo, customers))


def language_of(customer: Customer) -> str:
    """Return the language that a demo customer speaks."""
    return "zh" if customer.country == "China" else "en"


# --- Customers ------------------------------------------------------------------------


def make_customers(demo: Demo) -> list[Customer]:
    """Return the customers, oldest first, so that each knows those who came before."""
    chance = demo.random("customers.customer")
    known = places()
    weights = [place.weight for place in known]
    taken: set[str] = set()
    dates = sorted(start_date(demo, chance) for _number in range(demo.count(CUSTOMERS)))
    made: list[Customer] = []
    for since in dates:
        place = chance.choices(known, weights)[0]
        customer = make_customer(demo, place, since, taken, chance)
        made.append(customer)
    add_referrals(demo, made)
    return made


def start_date(demo: Demo, chance: Random) -> date:
    """Return the day of a first contact; more came lately than years ago."""
    share = math.sqrt(chance.random())
    return demo.today - timedelta(days=1 + int((1 - share) * 365 * YEARS))


def make_customer(
    demo: Demo, place: Place, since: date, taken: set[str], chance: Random
) -> Customer:
    """Return one customer, with gaps as real data has them."""
    is_company = chance.random() < SHARE_OF_COMPANIES
    name = company(place, chance) if is_company else person(place.country, chance)
    domain = mail_domain(name, taken, chance) if is_company else ""
    source = chance.choices(
        list(SOURCES), [share for share, _cost in SOURCES.values()]
    )[0]
    customer = Customer(
        kind=Kind.COMPANY if is_company else Kind.PERSON,
        name=name.text,
        phone=fill(place.phone, chance) if chance.random() < 0.92 else "",
        email=f"info@{domain}" if is_company else mail_address(name, taken, chance),
        website=f"https://www.{domain}" if is_company else "",
        address=address(place, chance),
        postal_code=fill(place.postal_code, chance),
        city=place.city,
        region=place.region,
        country=place.country,
        source=source,
        acquisition_cost=cost_of(source, chance),
        customer_since=since,
        owner=chance.choice(staff_for(demo, place)),
        created_at=moment(since, chance),
    )
    if not is_company:
        add_personal(customer, name, place, demo, chance)
    return customer


def staff_for(demo: Demo, place: Place) -> list:
    """Return the representatives who look after the place."""
    language = "zh-hans" if place.country == "China" else "en"
    return demo.people("representative", language)


def add_personal(
    customer: Customer, name: Name, place: Place, demo: Demo, chance: Random
) -> None:
    """Fill in what a person may have told."""
    age = min(max(chance.gauss(43, 14), 18), 88)
    if chance.random() < 0.9:
        days = int(age * 365.25) + chance.randint(0, 364)
        customer.birth_date = demo.today - timedelta(days=days)
    if chance.random() < 0.95:
        customer.gender = name.gender if chance.random() < 0.99 else Gender.OTHER
    if chance.random() < 0.85:
        # Incomes rise to about fifty and fall a little afterwards.
        by_age = 1.15 - ((age - 51) / 60) ** 2
        income = 36_000 * place.affluence * by_age * chance.lognormvariate(0, 0.42)
        customer.annual_income = Decimal(round(income / 100) * 100)


def cost_of(source: Source, chance: Random) -> Decimal | None:
    """Return what it cost to win the customer, where that is known."""
    mean = SOURCES[source][1]
    if chance.random() < 0.12:
        return None
    return Decimal(f"{mean * chance.lognormvariate(-0.08, 0.4):.2f}")


def mail_domain(name: Name, taken: set[str], chance: Random) -> str:
    """Return a domain that no other company of the demo data has."""
    domain = f"{name.latin}.example"
    while domain in taken:
        domain = f"{name.latin}{chance.randint(2, 9999)}.example"
    taken.add(domain)
    return domain


def mail_address(name: Name, taken: set[str], chance: Random) -> str:
    """Return a mail address that nobody else has, or none at all."""
    if chance.random() < 0.07:
        return ""
    provider = chance.choice(("mail", "post", "inbox", "home"))
    address = f"{name.latin}@{provider}.example"
    while address in taken:
        address = f"{name.latin}{chance.randint(2, 9999)}@{provider}.example"
    taken.add(address)
    return address


def moment(day: date, chance: Random) -> datetime:
    """Return a moment of the day in office hours."""
    start = datetime.combine(day, time(8), tzinfo=UTC)
    return start + timedelta(seconds=chance.randint(0, 9 * 3600))


def add_referrals(demo: Demo, customers: list[Customer]) -> None:
    """Let somebody who came before have referred those who came by referral."""
    chance = demo.random("customers.referral")
    demo.give_ids(customers)
    for place, customer in enumerate(customers):
        if customer.source == Source.REFERRAL and place > 20 and chance.random() < 0.7:
            same = [
                one
                for one in customers[max(0, place - 400) : place]
                if one.country == customer.country
            ]
            if same:
                customer.referred_by = chance.choice(same)


# --- Contacts and interactions --------------------------------------------------------


def make_contacts(demo: Demo, customers: list[Customer]) -> list[Contact]:
    """Return one to three people at each company."""
    chance = demo.random("customers.contact")
    contacts = []
    for customer in customers:
        if customer.kind != Kind.COMPANY:
            continue
        domain = customer.email.partition("@")[2]
        for number in range(chance.choices((1, 2, 3), (60, 30, 10))[0]):
            name = person(customer.country, chance)
            contacts.append(
                Contact(
                    customer=customer,
                    name=name.text,
                    job_title=chance.choice(JOBS[language_of(customer)]),
                    email=f"{name.latin}@{domain}",
                    phone=customer.phone if chance.random() < 0.5 else "",
                    is_primary=number == 0,
                    created_at=customer.created_at,
                )
            )
    return contacts


def make_interactions(demo: Demo, customers: list[Customer]) -> list[Interaction]:
    """Return what was said in the last two years; companies hear more from us."""
    chance = demo.random("customers.interaction")
    contacts: dict[int, list[Contact]] = {}
    for contact in demo.made(Contact):
        contacts.setdefault(contact.customer_id, []).append(contact)
    made = []
    for customer in customers:
        start = max(customer.created_at, demo.now - timedelta(days=730))
        span = (demo.now - start).total_seconds() - 1
        mean = 5.0 if customer.kind == Kind.COMPANY else 1.8
        for _number in range(min(int(chance.expovariate(1 / mean)), 25)):
            kind, direction, subject, text = chance.choice(TALKS[language_of(customer)])
            at = in_office(start + timedelta(seconds=chance.random() * span), chance)
            at = max(at, customer.created_at)
            made.append(
                Interaction(
                    customer=customer,
                    contact=chance.choice(contacts.get(customer.pk, [None])),
                    kind=kind,
                    direction=direction,
                    subject=subject,
                    body=text,
                    occurred_at=at,
                    owner=customer.owner,
                    created_at=at,
                )
            )
    return made


def in_office(at: datetime, chance: Random) -> datetime:
    """Return a moment of the same day, or of the Friday before, in office hours."""
    day = at.date() - timedelta(days=max(at.weekday() - 4, 0))
    return moment(day, chance)


def make_taggings(demo: Demo, customers: list[Customer]) -> list:
    """Put tags on some customers; a tag that is there already is used."""
    chance = demo.random("customers.tag")
    tags = {tag.name: tag for tag in Tag.objects.filter(name__in=dict(TAGS))}
    demo.add(Tag(name=name, colour=colour) for name, colour in TAGS if name not in tags)
    tags |= {tag.name: tag for tag in demo.made(Tag)}
    through = Customer.tags.through
    made = []
    for customer in customers:
        chances = {
            "VIP": 0.04,
            "Wholesale": 0.5 if customer.kind == Kind.COMPANY else 0,
            "Newsletter": 0.3 if customer.email else 0,
        }
        made += [
            through(customer=customer, tag=tags[name])
            for name, share in chances.items()
            if chance.random() < share
        ]
    return made


# --- Notes between colleagues ---------------------------------------------------------


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
