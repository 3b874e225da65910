"""What the bench fills in and measures of sales."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils import timezone

from crm.bench.downloads import Download
from crm.bench.fill import Fill, Step
from crm.bench.measures import BOARD, DETAIL, LIST, REPORT, Visit
from crm.bench.staff import ids_of
from customers.bench import OLD, SOURCES, YEARS
from sales import rollups
from sales.models import (
    Category,
    Lead,
    Opportunity,
    Order,
    OrderLine,
    Pipeline,
    Product,
    StageChange,
)
from sales.seed_catalogue import CATEGORIES, GOODS

ORDERS, LEADS, OPPORTUNITIES = 2.5, 0.1, 0.1
PRODUCTS = 1000
SLOTS = 4000
LANDING = ["/catalogue", "/wholesale", "/gift-guide", "/request-a-sample", "/zh/pifa"]
DEALS = ["Spring range", "Yearly supply", "New branch", "Trial delivery", "年度供货"]

# One statement writes the lines and, from what they came to, the sale above them.
# Whoever has been a customer for long buys more; a sale never comes before its buyer.
ORDER_ROWS = """
WITH head AS (
    SELECT i, (%(days)s::date[])[ceil(i::float8 * %(slots)s / %(total)s)::int]
            + make_interval(secs => 25200 + floor(bench.chance(i, 1) * 50000)) AS at,
        CASE WHEN bench.chance(i, 2) < 0.02 THEN NULL ELSE
            1 + floor(power(bench.chance(i, 3), 1.5) * %(size)s
                * (%(old)s + (1 - %(old)s) * i / %(total)s) * 0.999)::bigint
        END AS buyer,
        bench.chance(i, 4) < 0.03 AS back,
        CASE WHEN i::float8 / %(total)s > 0.99
            THEN bench.pick(ARRAY['draft','confirmed','confirmed','shipped'], i, 5)
            WHEN bench.chance(i, 6) < 0.03 THEN 'cancelled'
            ELSE 'completed' END AS state,
        CASE WHEN bench.chance(i, 15) < 0.02 THEN 'USD' ELSE 'EUR' END AS currency
    FROM generate_series(%(low)s::bigint, %(high)s::bigint) i
), line AS (
    INSERT INTO sales_orderline (id, created_at, updated_at, is_demo, order_id, line_no,
        product_id, description, quantity, unit_price)
    SELECT (i - 1) * 7 + n, at, at, false, i, n, product, '',
        (1 + floor(power(bench.chance(i * 8 + n, 7), 3) * 12))
            * CASE WHEN back THEN -1 ELSE 1 END,
        (%(prices)s::numeric[])[product]
    FROM head CROSS JOIN LATERAL
        generate_series(1, 1 + floor(bench.chance(i, 8) * 7)::int) n
    CROSS JOIN LATERAL (SELECT
        1 + floor(power(bench.chance(i * 8 + n, 9), 2) * %(products)s)::int AS product
    ) AS p
    RETURNING order_id, amount
)
INSERT INTO sales_order (id, created_at, updated_at, is_demo, owner_id, number,
    customer_id, kind, state, placed_at, country, currency, total, notes)
SELECT i, at, at, false, c.owner_id, 'B' || lpad(i::text, 8, '0'), c.id,
    CASE WHEN back THEN 'return' ELSE 'sale' END, state, at, coalesce(c.country, ''),
    head.currency, total, ''
FROM head LEFT JOIN customers_customer c ON c.id = buyer
JOIN (SELECT order_id, sum(amount) AS total FROM line GROUP BY order_id) AS sums
    ON sums.order_id = i
ORDER BY i
"""
LEAD_ROWS = """
INSERT INTO sales_lead (id, created_at, updated_at, is_demo, owner_id, name, company,
    email, phone, source, landing_page, first_contact_on, state, customer_id, closed_at,
    lost_reason, external_system, external_id, notes)
SELECT i, at, at, false, (%(owners)s::bigint[])[
        1 + floor(bench.chance(i, 61) * %(people)s)::int],
    c.name, '', c.email, c.phone, origin, bench.pick(%(landing)s, i, 62), at::date,
    state, CASE WHEN state = 'converted' THEN c.id END,
    CASE WHEN state IN ('converted', 'lost') THEN at + interval '9 days' END,
    CASE WHEN state = 'lost' THEN 'Price' ELSE '' END, '', '', ''
FROM generate_series(%(low)s::bigint, %(high)s::bigint) i
CROSS JOIN LATERAL (SELECT now() - make_interval(days => %(days)s)
        * (1 - i::float8 / %(total)s) AS at,
    bench.pick(%(sources)s, i, 63) AS origin) AS a
CROSS JOIN LATERAL (SELECT CASE
    WHEN i::float8 / %(total)s > 0.96 THEN
        CASE WHEN bench.chance(i, 64) < 0.5 THEN 'new' ELSE 'working' END
    WHEN bench.chance(i, 65) < CASE origin WHEN 'referral' THEN 0.5
        WHEN 'organic' THEN 0.3 WHEN 'social' THEN 0.08 ELSE 0.18 END
        THEN 'converted' ELSE 'lost' END AS state) AS b
JOIN customers_customer c
    ON c.id = 1 + floor(bench.chance(i, 66) * %(size)s)::bigint
"""
DEAL_ROWS = """
INSERT INTO sales_opportunity (id, created_at, updated_at, is_demo, owner_id, name,
    customer_id, stage_id, amount, currency, expected_close, closed_at, lost_reason,
    external_system, external_id, details, notes)
SELECT i, at, at, false, c.owner_id, bench.pick(%(deals)s, i, 71) || ' ' || c.name,
    c.id, s.id, round((200 + 40000 * power(bench.chance(i, 72), 4))::numeric, 2), 'EUR',
    (at + interval '60 days')::date,
    CASE WHEN s.kind <> 'open' THEN least(now(), at + interval '40 days') END,
    CASE WHEN s.kind = 'lost' THEN 'Price' ELSE '' END, '', '', '{}', ''
FROM generate_series(%(low)s::bigint, %(high)s::bigint) i
CROSS JOIN LATERAL (SELECT now() - make_interval(days => %(days)s)
        * (1 - i::float8 / %(total)s) AS at) AS a
JOIN sales_stage s ON s.id = CASE
    WHEN i::float8 / %(total)s > 0.8 OR bench.chance(i, 73) < 0.05 THEN
        (%(open)s::bigint[])[1 + floor(bench.chance(i, 74) * %(open_count)s)::int]
    WHEN bench.chance(i, 75) < 0.4 THEN %(won)s ELSE %(lost)s END
JOIN customers_customer c
    ON c.id = 1 + floor(bench.chance(i, 76) * %(size)s)::bigint
"""
MOVE_ROWS = """
INSERT INTO sales_stagechange (created_at, updated_at, is_demo, opportunity_id,
    from_stage_id, to_stage_id, actor_id, at)
SELECT o.created_at, o.created_at, false, o.id, m.source, m.target, o.owner_id, m.at
FROM sales_opportunity o CROSS JOIN LATERAL (VALUES
    (NULL::bigint, %(first)s::bigint, o.created_at),
    (%(first)s, CASE WHEN o.stage_id <> %(first)s THEN o.stage_id END,
        coalesce(o.closed_at, o.created_at + interval '5 days'))
    ) AS m (source, target, at)
WHERE o.id BETWEEN %(low)s AND %(high)s AND m.target IS NOT NULL
"""


def add_products(fill: Fill) -> int:
    """Write a catalogue: the goods of the demo in several makes."""
    goods = [line.split("|") for line in GOODS.strip().splitlines()]
    groups = {name: Category.objects.get_or_create(name=name)[0] for name in CATEGORIES}
    Product.objects.bulk_create(
        Product(
            sku=f"SKU-{number:05}",
            name=f"{goods[number % len(goods)][1]} {number // len(goods) + 1}",
            category=groups[goods[number % len(goods)][0]],
            unit_price=goods[number % len(goods)][2],
            currency="EUR",
        )
        for number in range(PRODUCTS)
    )
    return PRODUCTS


def season_days() -> list[date]:
    """Return days in order, busy ones more often: each year more, most in autumn."""
    first = timezone.localdate() - timedelta(days=365 * YEARS)
    days = [first + timedelta(days=number) for number in range(365 * YEARS + 1)]
    weights = [
        (1 + 0.25 * number / 365)
        * (0.7 + 0.05 * day.month + (0.5 if day.month in (11, 12) else 0))
        * (0.5 if day.weekday() > 4 else 1)
        for number, day in enumerate(days)
    ]
    share, found, place = sum(weights) / SLOTS, [], 0.0
    for day, weight in zip(days, weights, strict=True):
        place += weight
        while len(found) < SLOTS and place >= share * (len(found) + 0.5):
            found.append(day)
    return found + [days[-1]] * (SLOTS - len(found))


def add_orders(fill: Fill) -> int:
    """Write sales and returns with four lines on average."""
    prices = list(Product.objects.order_by("pk").values_list("unit_price", flat=True))
    with fill.bare(Order, OrderLine):
        rows = fill.many(
            fill.count(ORDERS),
            ORDER_ROWS,
            batch=50_000,
            size=fill.size,
            old=OLD,
            days=season_days(),
            slots=SLOTS,
            prices=prices,
            products=len(prices),
        )
    # As an import does at its end.
    rollups.refresh()
    fill.sql("VACUUM ANALYZE sales_ordersum")
    return rows


def add_leads(fill: Fill) -> int:
    """Write leads; some sources convert better."""
    owners = ids_of("representative")
    with fill.bare(Lead):
        return fill.many(
            fill.count(LEADS),
            LEAD_ROWS,
            size=fill.size,
            owners=owners,
            people=len(owners),
            days=365 * YEARS,
            sources=SOURCES,
            landing=LANDING,
        )


def add_opportunities(fill: Fill) -> int:
    """Write opportunities with their way through the stages."""
    stages = list(Pipeline.objects.get(is_default=True).stages.order_by("position"))
    still_open = [stage.pk for stage in stages if stage.kind == "open"]
    ends = {stage.kind: stage.pk for stage in stages if stage.kind != "open"}
    total = fill.count(OPPORTUNITIES)
    with fill.bare(Opportunity):
        rows = fill.many(
            total,
            DEAL_ROWS,
            size=fill.size,
            days=365 * YEARS,
            deals=DEALS,
            open=still_open,
            open_count=len(still_open),
            **ends,
        )
    with fill.bare(StageChange):
        fill.many(total, MOVE_ROWS, first=still_open[0])
    return rows


def sum_up(fill: Fill) -> int:
    """Bring the daily sums up to date, as a worker does after each change."""
    return rollups.refresh()


STEPS = (
    Step("products", add_products),
    Step("orders", add_orders),
    Step("leads", add_leads),
    Step("opportunities", add_opportunities),
    Step("daily sums", sum_up),
)


def middle_order(bench: object) -> str:
    """Return the page of a sale like most."""
    middle = Order.objects.filter(pk__gt=bench.size).order_by("pk")[0]
    return f"/orders/{middle.pk}/"


def an_opportunity(bench: object) -> str:
    """Return the page of an opportunity."""
    return f"/opportunities/{Opportunity.objects.order_by('pk')[0].pk}/"


MEASURES = (
    Visit("start page, executive", "/", REPORT),
    Visit("start page, manager", "/", REPORT, "sales_manager"),
    Visit("start page, representative", "/", REPORT, "representative"),
    Visit("sales report, executive", "/sales/", REPORT),
    Visit("sales report, manager", "/sales/", REPORT, "sales_manager"),
    Visit("order list, first page", "/orders/", LIST),
    Visit("order list, last page", "/orders/?page=last", LIST),
    Visit("order list, own team", "/orders/", LIST, "representative"),
    Visit("order list, region", "/orders/", LIST, "sales_manager"),
    Visit("order list, sorted by total", "/orders/?sort=-total", LIST),
    Visit("order list, drafts", "/orders/?state=draft", LIST),
    Visit("order list, number", "/orders/?q=B00001234", LIST),
    Visit("order, detail", middle_order, DETAIL),
    Visit("lead list", "/leads/", LIST),
    Visit("lead list, own team", "/leads/", LIST, "representative"),
    Visit("opportunity list", "/opportunities/", LIST),
    Visit("opportunity list, own team", "/opportunities/", LIST, "representative"),
    Visit("opportunity list, by amount", "/opportunities/?sort=-amount", LIST),
    Visit("opportunity board", "/opportunities/?layout=board", BOARD),
    Visit(
        "opportunity board, own team",
        "/opportunities/?layout=board",
        BOARD,
        "representative",
    ),
    Visit("lead board", "/leads/?layout=board", BOARD),
    Visit("opportunity, detail", an_opportunity, DETAIL),
    Download("export of orders", "/orders/export/", 100_000, grows=50),
)
