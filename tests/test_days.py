"""Days that nobody can mean are refused wherever they are typed."""

import pytest
from django.urls import reverse

from crm.models import User
from crm.testing.snapshot import unchanged
from customers.models import Customer, Interaction
from customers.tests.recipes import make_customer
from sales.models import Order
from sales.tests.recipes import make_order

EDGES = ["0001-01-01", "1799-12-31", "2200-01-01", "9999-12-31"]
SENTENCE = "This year cannot be meant."
ZONES = ["Asia/Shanghai", "America/Los_Angeles"]


@pytest.fixture(params=ZONES)
def client(world, request):
    User.objects.filter(pk=world.ana.pk).update(time_zone=request.param)
    return world.client("ana")


@pytest.mark.parametrize("day", EDGES)
def test_a_form_refuses_a_day_that_would_break_the_pages(world, client, day):
    customer = make_customer(world.ana)
    order = {
        "customer": customer.pk,
        "placed_at": f"{day}T23:59",
        "currency": "EUR",
        "owner": world.ana.pk,
        "lines-TOTAL_FORMS": 0,
        "lines-INITIAL_FORMS": 0,
    }
    talk = {"customer": customer.pk, "kind": "call", "direction": "in", "subject": "Hi"}
    person = {"name": "Kim", "kind": "person", "source": "email", "currency": "EUR"}
    with unchanged(Order, Interaction, Customer):
        for url, data, field in (
            ("/orders/new/", order, "placed_at"),
            ("/interactions/new/", talk | {"occurred_at": f"{day}T00:00"}, None),
            ("/customers/new/", person | {"customer_since": day}, "customer_since"),
        ):
            response = client.post(url, data)
            assert response.status_code == 422
            errors = response.context["form"].errors
            assert SENTENCE in errors[field or "occurred_at"]


@pytest.mark.parametrize("day", EDGES)
@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("sales:order_list", ("placed_at_after", "placed_at_before")),
        ("sales:report", ("start", "end")),
        ("customers:customer_list", ("created_at_after", "created_at_before")),
    ],
)
def test_a_filter_says_so_and_the_page_opens(world, client, page, names, day):
    make_order(world.ana)
    for name in names:
        response = client.get(reverse(page), {name: day})
        assert response.status_code == 200
        assert SENTENCE in response.text


@pytest.mark.parametrize("day", ["1800-01-01", "2024-02-29", "2199-12-31"])
def test_days_up_to_the_edges_are_taken(world, client, day):
    make_order(world.ana)
    for page, name in (
        ("sales:order_list", "placed_at_before"),
        ("sales:report", "end"),
    ):
        response = client.get(reverse(page), {name: day})
        assert response.status_code == 200
        assert SENTENCE not in response.text


@pytest.mark.parametrize(
    "figure", ["9" * 30, "-" + "9" * 30, "1e400", "1e999999", "NaN"]
)
def test_a_figure_beyond_every_column_is_said_beside_the_filter(world, figure):
    make_order(world.ana)
    for name in ("total_min", "total_max"):
        response = world.client("ana").get(reverse("sales:order_list"), {name: figure})
        assert response.status_code == 200
        assert response.context["filterset"].form.errors["total"]
