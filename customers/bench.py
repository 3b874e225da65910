"""What the bench fills in and measures of customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models.functions import Length

from crm.bench.downloads import Download
from crm.bench.fill import Fill, Step
from crm.bench.measures import (
    DETAIL,
    LIST,
    Process,
    Program,
    Submit,
    Throughput,
    Visit,
    Weight,
)
from crm.bench.staff import ids_of
from crm.models import SavedView, Tag
from customers import seed_names as names
from customers.models import Contact, Customer, Interaction
from customers.seed_texts import TALKS

if TYPE_CHECKING:
    from crm.bench.runner import Bench

# Customers that were there before the four years that the bench tells of.
OLD = 0.3
YEARS = 4
CONTACTS, INTERACTIONS, TAGGED = 0.3, 1.0, 0.25
TAGS = (
    "Key account",
    "Newsletter",
    "Wholesale",
    "Trade fair",
    "Slow payer",
    "大客户",
    "老客户",
    "Partner",
    "Press",
    "Reference",
    "Prefers mail",
    "VIP",
)

PLACES = """
    CREATE TABLE IF NOT EXISTS bench.place (slot int PRIMARY KEY, city text,
        region text, country text, postal text, phone text, form text[], rich float8)
"""
PEOPLE = """
INSERT INTO customers_customer (
    id, created_at, updated_at, is_demo, owner_id, kind, name, phone, email, website,
    address, postal_code, city, region, country, birth_date, gender, annual_income,
    currency, source, acquisition_cost, customer_since, external_system, external_id,
    custom)
SELECT i, made, made, false,
    CASE WHEN bench.chance(i, 1) > 0.03 THEN (%(owners)s::bigint[])[
        1 + floor(power(bench.chance(i, 2), 1.3) * %(people)s)::int] END,
    CASE WHEN firm THEN 'company' ELSE 'person' END,
    CASE
        WHEN firm AND zh THEN city || who[1] || bench.pick(%(trade_zh)s, i, 5)
            || '有限公司'
        WHEN firm THEN who[1] || ' ' || bench.pick(%(trade)s, i, 5) || ' '
            || bench.pick(form, i, 6)
        WHEN zh THEN family[1] || who[1]
        ELSE who[1] || CASE WHEN bench.chance(i, 7) < 0.35 THEN
            ' ' || chr(65 + floor(bench.chance(i, 8) * 26)::int) || '.' ELSE '' END
            || ' ' || family[1]
    END,
    phone || ' ' || lpad((i * 7919 %% 1000)::text, 3, '0') || ' '
        || lpad((i * 104729 %% 10000)::text, 4, '0'),
    CASE WHEN bench.chance(i, 9) < 0.9 THEN
        lower(who[2]) || CASE WHEN firm THEN '' ELSE '.' || lower(family[2]) END || i
        || '@' || bench.pick(ARRAY['mail','post','inbox','work'], i, 10) || '.example'
        ELSE '' END,
    CASE WHEN firm THEN 'https://www.' || lower(who[2]) || i || '.example' ELSE '' END,
    CASE WHEN zh THEN bench.pick(%(street_zh)s, i, 11)
            || (1 + i %% 180) || '号'
        ELSE (1 + i %% 180) || ' ' || bench.pick(%(street)s, i, 11) END,
    postal || lpad((i %% 100)::text, 2, '0'), city, region, country,
    CASE WHEN NOT firm AND bench.chance(i, 12) < 0.85 THEN
        current_date - (6600 + floor(bench.chance(i, 13) * 22000))::int END,
    CASE WHEN firm OR bench.chance(i, 14) > 0.9 THEN '' ELSE sex END,
    CASE WHEN bench.chance(i, 15) < 0.7 THEN
        round((9000 + 60000 * rich * power(bench.chance(i, 16), 2))::numeric, 2) END,
    'EUR', bench.pick(%(sources)s, i, 17),
    CASE WHEN bench.chance(i, 18) < 0.4 THEN
        round((2 + 60 * bench.chance(i, 19))::numeric, 2) END,
    made::date,
    CASE WHEN i %% 3 = 0 THEN 'legacy' ELSE '' END,
    CASE WHEN i %% 3 = 0 THEN 'L' || i ELSE '' END,
    '{}'
FROM generate_series(%(low)s::bigint, %(high)s::bigint) i
CROSS JOIN LATERAL (SELECT bench.chance(i, 20) < 0.2 AS firm,
    CASE WHEN bench.chance(i, 21) < 0.53 THEN 'female' ELSE 'male' END AS sex,
    least(now(), now() - make_interval(days => %(days)s) * (1 - greatest(0,
        (i::float8 / %(total)s - %(old)s) / (1 - %(old)s)))
        - interval '700 days' * greatest(0, 1 - i::float8 / %(total)s / %(old)s))
        AS made) AS a
JOIN bench.place ON slot = floor(bench.chance(i, 22) * %(slots)s)::int
CROSS JOIN LATERAL (SELECT country = 'China' AS zh) AS b
CROSS JOIN LATERAL (SELECT string_to_array(bench.pick(CASE
        WHEN firm AND zh THEN %(firm_zh)s::text[] WHEN firm THEN %(firm)s
        WHEN zh AND sex = 'female' THEN %(female_zh)s WHEN zh THEN %(male_zh)s
        WHEN sex = 'female' THEN %(female)s ELSE %(male)s END, i, 23), '|') AS who,
    string_to_array(bench.pick(CASE WHEN zh THEN %(family_zh)s::text[]
        ELSE %(family)s END, i, 24), '|') AS family) AS c
"""
CONTACT_ROWS = """
INSERT INTO customers_contact (id, created_at, updated_at, is_demo, customer_id, name,
    job_title, phone, email, is_primary, notes)
SELECT i, now(), now(), false, customer, who, bench.pick(%(titles)s, i, 34),
    '+44 20 7946 ' || lpad((i %% 10000)::text, 4, '0'), 'contact' || i
        || '@work.example', first, ''
FROM generate_series(%(low)s::bigint, %(high)s::bigint) i
CROSS JOIN LATERAL (SELECT (%(firms)s::bigint[])[1 + i / 2 %% %(count)s] AS customer,
    split_part(bench.pick(%(female)s, i, 32), '|', 1) || ' '
    || split_part(bench.pick(%(family)s, i, 33), '|', 1) AS who,
    i %% 2 = 0 AS first) AS a
"""
TALK_ROWS = """
INSERT INTO customers_interaction (id, created_at, updated_at, is_demo, owner_id,
    customer_id, kind, direction, subject, body, occurred_at)
SELECT i, at, at, false, c.owner_id, c.id, talk[1], talk[2], talk[3], talk[4], at
FROM generate_series(%(low)s::bigint, %(high)s::bigint) i
CROSS JOIN LATERAL (SELECT now() - make_interval(days => %(days)s)
        * (1 - i::float8 / %(total)s) AS at,
    string_to_array(bench.pick(%(talks)s, i, 41), '|') AS talk) AS a
JOIN customers_customer c
    ON c.id = 1 + floor(power(bench.chance(i, 42), 1.4) * %(size)s)::bigint
"""
TAG_ROWS = """
INSERT INTO customers_customer_tags (customer_id, tag_id)
SELECT DISTINCT 1 + floor(bench.chance(i, 51) * %(size)s)::bigint,
    (%(tags)s::bigint[])[1 + floor(power(bench.chance(i, 52), 2) * %(count)s)::int]
FROM generate_series(%(low)s::bigint, %(high)s::bigint) i ON CONFLICT DO NOTHING
"""


def pairs(words: list[str]) -> list[str]:
    """Return each name with the letters of its mail address: 芳|fang, Lily|lily."""
    if not words[0][0].isascii():
        return ["|".join(names.split(word)) for word in words]
    return [f"{word}|{names.ascii_of(word).replace(' ', '-')}" for word in words]


def add_places(fill: Fill) -> int:
    """Write the cities, each as often as its weight says: big ones come up more."""
    fill.sql(PLACES)
    slots = [place for place in names.places() for _ in range(place.weight)]
    for slot, place in enumerate(slots):
        fill.sql(
            "INSERT INTO bench.place VALUES (%(slot)s, %(city)s, %(region)s, "
            "%(country)s, %(postal)s, %(phone)s, %(form)s, %(rich)s) "
            "ON CONFLICT DO NOTHING",
            slot=slot,
            city=place.city,
            region=place.region,
            country=place.country,
            postal=place.postal_code.partition("#")[0],
            phone=place.phone.partition("#")[0].strip(),
            form=list(names.COMPANY_FORM.get(place.country, ("Ltd",))),
            rich=place.affluence,
        )
    return len(slots)


def add_customers(fill: Fill) -> int:
    """Write people and companies in England, China and a few other countries."""
    owners = ids_of("representative")
    female = names.FEMALE + [one for local in names.LOCAL.values() for one in local[0]]
    male = names.MALE + [one for local in names.LOCAL.values() for one in local[1]]
    family = names.SURNAMES + [
        one for local in names.LOCAL.values() for one in local[2]
    ]
    with fill.bare(Customer):
        return fill.many(
            fill.size,
            PEOPLE,
            owners=owners,
            people=len(owners),
            days=365 * YEARS,
            old=OLD,
            slots=fill.one("SELECT count(*) FROM bench.place"),
            firm=pairs(names.COMPANY_FIRST),
            firm_zh=pairs(names.COMPANY_ZH),
            female=pairs(female),
            male=pairs(male),
            family=pairs(family),
            female_zh=pairs(names.FEMALE_ZH),
            male_zh=pairs(names.MALE_ZH),
            family_zh=pairs(names.SURNAMES_ZH),
            trade=names.COMPANY_TRADE,
            trade_zh=names.TRADE_ZH,
            street=names.STREETS,
            street_zh=names.STREETS_LOCAL["China"].split("|"),
            sources=SOURCES,
        )


SOURCES = "organic organic paid social email referral direct direct store other".split()


def add_contacts(fill: Fill) -> int:
    """Write the people at companies, two at each."""
    firms = list(
        Customer.objects.filter(kind="company").order_by("pk").values_list("pk", flat=1)
    ) or [1]
    with fill.bare(Contact):
        return fill.many(
            min(fill.count(CONTACTS), 2 * len(firms) - 1),
            CONTACT_ROWS,
            firms=firms,
            count=len(firms),
            titles=["Buyer", "Owner", "Head of purchasing", "采购经理", "Assistant"],
            female=pairs(names.FEMALE + names.MALE),
            family=pairs(names.SURNAMES),
        )


def add_interactions(fill: Fill) -> int:
    """Write calls, mails and visits, more of them with older customers."""
    talks = ["|".join(talk) for rows in TALKS.values() for talk in rows]
    with fill.bare(Interaction):
        return fill.many(
            fill.count(INTERACTIONS),
            TALK_ROWS,
            size=fill.size,
            days=365 * YEARS,
            talks=talks,
        )


def add_tags(fill: Fill) -> int:
    """Write the tags and who carries them."""
    colours = [code for code, _name in Tag.COLOURS]
    tags = [
        Tag.objects.get_or_create(
            name=name, defaults={"colour": colours[place % len(colours)]}
        )[0].pk
        for place, name in enumerate(TAGS)
    ]
    with fill.bare(Customer.tags.through):
        return fill.many(
            fill.count(TAGGED), TAG_ROWS, size=fill.size, tags=tags, count=len(tags)
        )


STEPS = (
    Step("places", add_places),
    Step("customers", add_customers),
    Step("contacts", add_contacts),
    Step("interactions", add_interactions),
    Step("tags", add_tags),
)


# --- What is measured --------------------------------------------------------


def list_of_owner(bench: Bench) -> str:
    """Return the list of what one person looks after."""
    return f"/customers/?owner={ids_of('representative')[5]}"


def search_for(
    bench: Bench, field: str, *, end: int = 0, path: str = "/customers/"
) -> str:
    """Return the search for a part of what a filled customer has.

    Not of those that the bench imported since, nor of one whose name is too short to
    have a part: either would measure something else from one run to the next.
    """
    long = Customer.objects.annotate(_size=Length(field)).filter(_size__gte=12)
    some = long.filter(pk__gt=bench.size // 2).order_by("pk").first() or long.first()
    text = getattr(some, field)
    return f"{path}?q={(text[-end:] if end else text[:-6]).replace(' ', '+')}"


def busy_customer(bench: Bench) -> str:
    """Return the page of a customer with very many orders and talks."""
    return f"/customers/{Customer.objects.order_by('pk').first().pk}/"


def usual_customer(bench: Bench) -> str:
    """Return the page of a customer as most are."""
    half = bench.size // 2
    return f"/customers/{Customer.objects.filter(pk__gt=half).order_by('pk')[0].pk}/"


def own_customer(bench: Bench) -> str:
    """Return the page of a customer of the one who looks."""
    mine = ids_of("representative")[0]
    return f"/customers/{Customer.objects.filter(owner=mine).latest('pk').pk}/"


def saved_view(bench: Bench) -> str:
    """Return the list that a saved view stands for, made where it is not there yet."""
    view, _made = SavedView.objects.get_or_create(
        list_key=Customer._meta.label_lower,
        name="Bench",
        owner_id=ids_of("executive")[0],
        defaults={"query": "city=Leeds&kind=person&sort=-name", "is_pinned": False},
    )
    return f"/customers/?view={view.pk}"


def new_customer(bench: Bench, number: int) -> dict[str, str]:
    """Return a form filled in."""
    return {
        "kind": "person",
        "name": f"Bench Person {number}",
        "phone": "+44 20 7946 0123",
        "email": f"bench{number}@post.example",
        "city": "Leeds",
        "currency": "EUR",
        "source": "organic",
        "owner": str(ids_of("sales_manager")[0]),
    }


MEASURES = (
    Process("web process"),
    Weight("page weight of a list", "/customers/"),
    Visit("customer list, first page", "/customers/", LIST),
    Visit("customer list, first page, own team", "/customers/", LIST, "representative"),
    Visit("customer list, first page, region", "/customers/", LIST, "sales_manager"),
    Visit("customer list, last page", "/customers/?page=last", LIST),
    Visit(
        "customer list, last page, own team",
        "/customers/?page=last",
        LIST,
        "representative",
    ),
    Visit("customer list, by city", "/customers/?city=Leeds", LIST),
    Visit(
        "customer list, by city, own team",
        "/customers/?city=Leeds",
        LIST,
        "representative",
    ),
    Visit("customer list, by owner", list_of_owner, LIST),
    Visit("customer list, by kind", "/customers/?kind=company", LIST),
    Visit("customer list, by tag", "/customers/?tags=1", LIST),
    Visit("customer list, by city, sorted", "/customers/?city=Leeds&sort=-name", LIST),
    Visit("customer list, sorted by city", "/customers/?sort=city", LIST),
    Visit("customer list, sorted by date", "/customers/?sort=-customer_since", LIST),
    Visit(
        "customer list, sorted by country",
        "/customers/?columns=name,city,country&sort=country",
        LIST,
    ),
    Visit(
        "customer list, sorted by city, own team",
        "/customers/?sort=city",
        LIST,
        "representative",
    ),
    Visit("search, name", lambda bench: search_for(bench, "name"), LIST),
    Visit("search, common name", "/customers/?q=fletcher", LIST),
    Visit("search, Chinese name", "/customers/?q=欣怡", LIST),
    Visit("search, phone", lambda bench: search_for(bench, "phone", end=8), LIST),
    Visit("search, mail", lambda bench: search_for(bench, "email"), LIST),
    Visit(
        "search, name, own team",
        lambda bench: search_for(bench, "name"),
        LIST,
        "representative",
    ),
    Visit("search, nothing found", "/customers/?q=xyzzyqq", LIST),
    Visit(
        "search over everything, name",
        lambda bench: search_for(bench, "name", path="/search/"),
        LIST,
    ),
    Visit("search over everything, common name", "/search/?q=fletcher", LIST),
    Visit(
        "search over everything, own team",
        lambda bench: search_for(bench, "name", path="/search/"),
        LIST,
        "representative",
    ),
    Visit("picker while typing", "/customers/choices/?q=flet", LIST),
    Visit("customer, busiest", busy_customer, DETAIL),
    Visit("customer, usual", usual_customer, DETAIL),
    Visit("customer, own", own_customer, DETAIL, "representative"),
    Submit("customer, create", "/customers/new/", new_customer, DETAIL),
    Visit("contact list", "/contacts/", LIST),
    Visit("contact list, own team", "/contacts/", LIST, "representative"),
    Visit("interaction list", "/interactions/", LIST),
    Visit("interaction list, own team", "/interactions/", LIST, "representative"),
    Throughput("throughput, 8 clients", "/customers/", 60),
    Visit("customer list, by saved view", saved_view, LIST),
    Download("export CSV", "/customers/export/", 100_000, grows=50),
    Program(
        "export XLSX by a job", "customers.bench_work:export_workbook", most_memory=300
    ),
    Program(
        "import of customers",
        "customers.bench_work:import_customers",
        least_rate=20_000,
        most_memory=300,
    ),
)
