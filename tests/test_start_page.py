"""The page of a manager: a period and people chosen once, rows behind each number."""

import re
from datetime import UTC, datetime
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from crm.periods import PeriodKey, months_earlier
from crm.testing.query_budget import queries_of
from crm.testing.world import make_person, make_world
from sales.choices import OrderState
from sales.tests.recipes import make_lead, make_opportunity, make_order
from service.tests.recipes import make_ticket

TODAY = timezone.now().date()


def at_noon(day):
    """Return a moment that lies on the same day on nearly every clock."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@pytest.fixture
def cast(db):
    """Return the cast, Ben as manager of sales and service, and rows of everyone."""
    world = make_world()
    world.ben.roles.add(*make_person("zoe", None, "service_manager").roles.all())
    for place, owner in enumerate((world.ana, world.abe, world.ben, world.cleo), 1):
        for months in (0, 0, 3, 11, 14):
            make_order(
                owner,
                lines=[(str(place), "100.01")],
                placed_at=at_noon(months_earlier(TODAY, months)),
                state=OrderState.COMPLETED,
                currency="GBP" if months == 3 else "EUR",
            )
        for state in ("new", "working", "lost"):
            make_lead(owner, state=state)
        make_opportunity(owner, code="proposal", amount=100 * place)
        make_opportunity(owner, code="proposal", amount=7, currency="GBP")
        for urgency in ("low", "urgent"):
            make_ticket(owner, urgency=urgency)
    make_ticket(None)
    return world


def links_of(response):
    """Return {address: text} of the figures on the tiles."""
    pattern = r'<a[^>]*href="(/[^"?]+/\?[^"]*)"[^>]*>\s*([^<]*?)\s*</a>'
    return {
        unescape(url): unescape(text)
        for url, text in re.findall(pattern, response.text)
        if re.fullmatch(r"[^\w\s]*[\d,]+", text)
    }


def value_of(rows, is_money):
    """Return how many rows there are, or what they bring, as the tiles write it."""
    if not is_money:
        return str(len(rows))
    found = [getattr(row, "total", None) or getattr(row, "amount", 0) for row in rows]
    return f"{sum(found):,.0f}"


@pytest.mark.parametrize(
    ("period", "people"),
    [
        *((period, "") for period in PeriodKey.values),
        ("last-12-months", "team=desk"),
        ("this-month", "team=north&person=abe"),
    ],
)
def test_every_figure_opens_its_rows(cast, period, people):
    team, _, person = people.removeprefix("team=").partition("&person=")
    query = f"period={period}"
    if period == "custom":
        query += f"&start={months_earlier(TODAY, 11)}&end={TODAY}"
    query += f"&team={cast.teams[team].pk}" if team else ""
    query += f"&person={getattr(cast, person).pk}" if person else ""
    client = cast.client("ben")
    response = client.get(f"/?{query}")
    figures = links_of(response)
    assert len(figures) > 8
    for url, text in figures.items():
        listed = client.get(url)
        rows = [row.object for row in listed.context["rows"]]
        is_money = not re.fullmatch(r"[\d,]+", text)
        assert value_of(rows, is_money) == re.sub(r"[^\d,.]", "", text), url
        owners = {row.owner for row in rows}
        allowed = {"desk": {cast.ana, cast.abe}, "north": {cast.abe}}
        assert not team or owners <= allowed[team], url


def test_every_link_keeps_the_choice(cast):
    desk = cast.teams["desk"].pk
    response = cast.client("ben").get(f"/?period=this-month&team={desk}")
    report = re.search(r'href="(/sales/\?[^"]*)"', response.text)[1]
    assert parse_qs(urlsplit(unescape(report)).query) == {
        "period": ["this-month"],
        "team": [str(desk)],
    }
    assert "As of now." in response.text
    for url in links_of(response):
        query = parse_qs(urlsplit(url).query)
        assert query.get("team") == [str(desk)] or "owner" in query, url


@pytest.mark.parametrize("path", ["/", "/sales/"])
def test_what_cannot_be_read_is_said_beside_its_field(cast, path):
    client = cast.client("ben")
    wrong = {
        "start=2025-06-30&end=2025-06-01": "The end lies before the start.",
        "period=custom&start=0000-01-01": "Enter a valid date.",
        "period=custom&start=0001-01-01": "This year cannot be meant.",
        "period=tomorrow": "Select a valid choice. tomorrow",
        "team=987654": "Select a valid choice.",
        "team=%00": "Null characters are not allowed.",
        "person=99999999999999999999": "Select a valid choice.",
    }
    for query, sentence in wrong.items():
        response = client.get(f"{path}?{query}")
        assert response.status_code == 200, query
        assert sentence in response.text, query
    focus = client.get(f"{path}?period=custom&start=9&team=9").context["focus"]
    assert (focus.key, focus.chosen) == ("last-12-months", None)


def test_only_people_in_reach_can_be_chosen(cast):
    """Ana sees the orders of her team, Dev those of all."""
    fields = cast.client("ana").get("/sales/").context["focus_form"].fields
    offered = [str(one) for key in ("team", "person") for one in fields[key].queryset]
    assert offered == ["North desk", "Abe Tester", "Ana Tester", "Fay Tester"]
    for query in (f"team={cast.teams['south'].pk}", f"person={cast.cleo.pk}"):
        response = cast.client("ana").get(f"/sales/?period=all-time&{query}")
        assert "Select a valid choice." in response.text
        assert sum(part.totals.sales for part in response.context["parts"]) == 10
    fields = cast.client("dev").get("/sales/").context["focus_form"].fields
    assert {"South desk", "Company"} <= {str(one) for one in fields["team"].queryset}


def test_the_period_is_of_the_readers_calendar(cast):
    first = TODAY.replace(day=1)
    edge = datetime(first.year, first.month, 1, 1, tzinfo=UTC)
    make_order(cast.ana, placed_at=edge, state="completed", currency="CHF")
    client = cast.client("ana")
    shown = client.get("/?period=this-month").text
    assert "CHF" in shown
    cast.ana.time_zone = "America/New_York"
    cast.ana.save()
    response = client.get("/?period=this-month")
    # In New York the order is of the last evening of the month before.
    assert "CHF" not in response.text
    assert "CHF" in client.get("/?period=last-month").text


def test_the_page_costs_as_many_queries_for_many_rows(cast):
    client = cast.client("ben")
    for path in ("/", "/sales/"):
        few = len(queries_of(client, path))
        for _number in range(10):
            make_order(cast.ana, state="completed")
            make_opportunity(cast.ana)
        assert len(queries_of(client, path)) == few <= (20 if path == "/" else 10)
