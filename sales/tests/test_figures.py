"""Figures on pages: right, exact, never of what the reader may not see."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from crm.testing.query_budget import queries_of
from crm.testing.world import make_world
from customers.tests.recipes import make_customer
from sales.choices import OrderKind, OrderState
from sales.models import OrderLine
from sales.selectors import booked, customer_sales, totals
from sales.tests.recipes import make_lead, make_opportunity, make_order

NOON = datetime(2025, 6, 15, 12, tzinfo=UTC)


@pytest.fixture
def world(db):
    return make_world()


def book(owner, lines, **values):
    """Make an order that counts as revenue."""
    values.setdefault("state", OrderState.COMPLETED)
    values.setdefault("placed_at", NOON)
    return make_order(owner, lines=lines, **values)


@pytest.fixture
def orders(world):
    """Two currencies, sales and returns, three owners, and what does not count."""
    customer = make_customer(world.ana)
    book(
        world.ana, [("3", "0.3333"), ("1", "10")], customer=customer, country="Ireland"
    )
    book(
        world.ana,
        [("-1", "0.3333")],
        customer=customer,
        kind=OrderKind.RETURN,
        country="Ireland",
    )
    book(world.ana, [("1", "5")], customer=customer, currency="GBP")
    book(world.abe, [("1", "100")], placed_at=NOON - timedelta(days=40))
    book(world.cleo, [("1", "7000")], country="China")
    for state in (OrderState.DRAFT, OrderState.CANCELLED):
        book(world.ana, [("1", "99999")], customer=customer, state=state)
    return customer


def test_currencies_are_never_added_up(world, orders):
    found = {one.currency: one for one in totals(booked(world.dev))}
    assert found["EUR"].net == Decimal("7110.6666")
    assert found["EUR"].returned == Decimal("-0.3333")
    assert (found["EUR"].sales, found["EUR"].returns) == (3, 1)
    assert found["GBP"].net == Decimal(5)


def test_totals_equal_a_recomputation_from_the_lines(world, orders):
    for user in (world.dev, world.ben, world.ana, world.cleo):
        visible = booked(user)
        for one in totals(visible):
            lines = OrderLine.objects.filter(
                order__in=visible.filter(currency=one.currency)
            )
            assert one.net == lines.aggregate(sum=Sum("amount"))["sum"]


@pytest.mark.parametrize(
    ("person", "expected"),
    [("ana", "110.6666"), ("ben", "110.6666"), ("cleo", "7000"), ("dev", "7110.6666")],
)
def test_nobody_sums_up_what_they_may_not_see(world, orders, person, expected):
    found = {one.currency: one.net for one in totals(booked(getattr(world, person)))}
    assert found["EUR"] == Decimal(expected)


def test_a_customer_has_totals_net_of_returns_by_currency(world, orders):
    facts = customer_sales(world.ana, orders)
    euro = next(one for one in facts.totals if one.currency == "EUR")
    assert (euro.sales, euro.returns, euro.net) == (1, 1, Decimal("10.6666"))
    assert euro.average == Decimal("10.6666")
    text = world.client("ana").get(orders.get_absolute_url()).text
    assert "€10.67" in text
    assert "£5.00" in text
    assert "15.67" not in text


ALL = {"period": "all-time"}


def figures_of(part):
    """Yield each figure of a part of the report with the address of its rows."""
    lines = [part.line, *part.countries]
    lines += [one for year in part.years for one in (year.line, *year.months)]
    for line in lines:
        yield line.url, line.totals.net, line.totals.sales + line.totals.returns
        yield line.sales_url, line.totals.sold, line.totals.sales
        yield line.returns_url, line.totals.returned, line.totals.returns
    for place, url in enumerate(part.chart.links):
        yield url, sum(one["data"][place] for one in part.chart.series), None
    if part.before:
        yield part.before.url, part.before.totals.net, None


def assert_rows_behind(client, figures):
    """Follow each address; its rows have to be as many and to bring as much."""
    for url, amount, count in figures:
        rows = [row.object for row in client.get(url).context["rows"]]
        assert sum(row.total for row in rows) == amount, url
        assert count is None or len(rows) == count, url


@pytest.mark.parametrize(
    "query",
    [
        "period=all-time",
        "period=custom&start=2025-06-01&end=2025-06-30",
        "period=custom&start=2025-05-06&end=2025-08-15",
        "period=custom&end=2025-06-15",
    ],
)
@pytest.mark.parametrize("team", ["", "desk", "north"])
def test_every_figure_of_the_report_opens_its_rows(world, orders, query, team):
    client = world.client("ben")
    if team:
        query += f"&team={world.teams[team].pk}"
    response = client.get(f"/sales/?{query}")
    assert response.status_code == 200
    assert "7,000" not in response.text
    parts = response.context["parts"]
    assert [part.totals.currency for part in parts] == ["EUR", "GBP"]
    for part in parts:
        figures = list(figures_of(part))
        assert len(figures) > 8
        assert_rows_behind(client, figures)


def test_the_report_of_a_person(world, orders):
    client = world.client("ben")
    response = client.get("/sales/", ALL | {"person": world.abe.pk})
    (part,) = response.context["parts"]
    assert part.totals.net == 100
    assert_rows_behind(client, figures_of(part))
    nobody = client.get("/sales/", ALL | {"person": world.ben.pk})
    assert "No orders in this period" in nobody.text


@pytest.mark.parametrize(("person", "status"), [("fay", 403), ("eve", 302)])
def test_the_report_is_for_those_who_see_orders(world, person, status):
    assert world.client(person).get("/sales/").status_code == status


def test_the_report_of_nothing_says_so(world):
    response = world.client("ana").get("/sales/")
    assert response.context["parts"] == []
    assert "No orders in this period" in response.text


def test_the_report_sends_as_many_queries_for_many_orders(world, orders):
    client = world.client("dev")
    few = len(queries_of(client, "/sales/?period=all-time"))
    for number in range(30):
        book(
            world.ana,
            [("1", "1")],
            placed_at=NOON - timedelta(days=30 * number),
            country=f"Country {number}",
        )
    assert len(queries_of(client, "/sales/?period=all-time")) == few <= 8


def tile(response, template):
    """Return the context of a tile on the start page."""
    return next(
        part["context"]
        for part in response.context["parts"]
        if part["tile"].template == template
    )


JUNE = "/?period=custom&start=2025-06-01&end=2025-06-30"


def test_the_start_page_compares_with_the_days_before(world, orders):
    context = tile(world.client("ana").get(JUNE), "sales/_tile_revenue.html")
    figures = {one["one"].currency: one["one"] for one in context["figures"]}
    assert figures["EUR"].now.net == Decimal("10.6666")
    assert figures["EUR"].before.net == Decimal(100)
    assert figures["EUR"].change == pytest.approx(-0.893334)
    assert figures["GBP"].before.net == 0
    assert figures["GBP"].change is None


def test_a_start_page_of_other_days_leads_to_the_newest_order(world, orders):
    client = world.client("ana")
    response = client.get("/?period=custom&start=2001-01-01&end=2001-12-31")
    context = tile(response, "sales/_tile_sales.html")
    assert context["charts"] == []
    assert "No orders in this period; the newest is of 15 Jun 2025." in response.text
    context = tile(client.get(context["elsewhere"].url), "sales/_tile_sales.html")
    euro = context["charts"][0]
    assert (str(context["period"].start), str(context["period"].end)) == (
        "2024-07-01",
        "2025-06-15",
    )
    assert sum(euro.series[0]["data"]) == Decimal("110.9999")
    assert sum(euro.series[1]["data"]) == Decimal("-0.3333")


def test_the_start_page_counts_open_work_that_the_reader_sees(world):
    for owner in (world.ana, world.abe, world.cleo):
        make_lead(owner)
        make_lead(owner, state="working")
        make_lead(owner, state="lost")
        make_opportunity(owner, code="proposal", amount=100)
        make_opportunity(owner, code="won", amount=100)
    response = world.client("ana").get("/")
    leads = tile(response, "sales/_tile_leads.html")
    assert (leads["total"], [one["count"] for one in leads["states"]]) == (4, [2, 2])
    pipeline = tile(response, "sales/_tile_pipeline.html")
    assert [(row["stage"], row["count"]) for row in pipeline["rows"]] == [
        ("Proposal", 2)
    ]
    for context, count in ((leads, 4), (pipeline, 2)):
        listed = world.client("ana").get(context["list_url"]).context["rows"]
        assert len(listed) == count


def test_a_start_page_without_any_order_works(world):
    assert world.client("ana").get("/").status_code == 200
    assert world.client("fay").get("/").status_code == 200
