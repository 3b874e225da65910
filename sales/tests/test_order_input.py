"""What people and programs may send to the form of an order."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.utils import timezone

from crm.generic.forms import MAX_ROWS
from crm.testing.pages import assert_went_through, formset_data
from crm.testing.snapshot import unchanged
from customers.tests.recipes import make_customer
from sales.choices import OrderState
from sales.forms import OrderLineFormSet
from sales.models import Order, OrderLine
from sales.tests.recipes import make_order


@pytest.fixture
def data(world):
    return {
        "customer": make_customer(world.ana).pk,
        "placed_at": "2025-05-06T10:30",
        "currency": "EUR",
        "owner": world.ana.pk,
    }


def with_lines(data, lines):
    return data | formset_data(OrderLineFormSet(actor=None), lines)


@pytest.mark.parametrize("field", ["quantity", "unit_price"])
@pytest.mark.parametrize("figure", ["9" * 30, "1e400", "1e999999", "NaN", "-Infinity"])
def test_a_figure_that_no_line_can_hold_is_explained(world, data, field, figure):
    line = {"description": "Thing", "quantity": "1", "unit_price": "1", field: figure}
    with unchanged(Order, OrderLine):
        response = world.client("ana").post("/orders/new/", with_lines(data, [line]))
    assert response.status_code == 422
    assert response.context["formset"].forms[0].errors[field]
    assert figure in response.text


def test_a_total_that_no_column_can_hold_is_explained(world, data):
    line = {"description": "Thing", "quantity": "9" * 11, "unit_price": "9" * 10}
    with unchanged(Order, OrderLine):
        response = world.client("ana").post(
            "/orders/new/", with_lines(data, [line] * 2)
        )
    assert response.status_code == 422
    assert response.context["form"].non_field_errors()


def test_an_order_dated_ahead_is_refused_and_one_of_today_taken(world, data):
    client = world.client("ana")
    ahead = timezone.now() + timedelta(days=400)
    with unchanged(Order):
        response = client.post(
            "/orders/new/", with_lines(data | {"placed_at": ahead.isoformat()}, [])
        )
    assert response.context["form"].errors["placed_at"]
    today = {"placed_at": timezone.now().isoformat()}
    assert_went_through(client.post("/orders/new/", with_lines(data | today, [])))


def test_an_order_dated_ahead_does_not_push_the_others_out_of_sight(world):
    for day in ("2025-03-04", "2199-12-31"):
        make_order(
            world.ana,
            state=OrderState.CONFIRMED,
            placed_at=datetime.fromisoformat(f"{day}T12:00+00:00"),
        )
    client = world.client("ana")
    text = client.get("/").text
    assert "Mar 2025" in text
    assert "2199" not in text
    assert "Mar 2025" in client.get("/sales/").text


@pytest.mark.parametrize("currency", ["<b>", "1%x", "E R", "EU", "٣٣٣"])
def test_a_currency_is_three_letters(world, data, currency):
    data = with_lines(data, []) | {"currency": currency}
    with unchanged(Order):
        response = world.client("ana").post("/orders/new/", data)
    assert response.context["form"].errors["currency"]


def test_a_currency_is_offered_and_kept_in_capitals(world, data):
    form = world.client("ana").get("/orders/new/").context["form"]
    assert form["currency"].value() == settings.DEFAULT_CURRENCY
    data = with_lines(data, []) | {"currency": "usd"}
    assert_went_through(world.client("ana").post("/orders/new/", data))
    assert Order.objects.get().currency == "USD"


@pytest.mark.parametrize("total", ["1001", "99999999", "9" * 30])
def test_a_claim_of_endless_lines_builds_only_so_many(world, data, total):
    claim = {"lines-TOTAL_FORMS": total, "lines-INITIAL_FORMS": "0"}
    with unchanged(Order, OrderLine):
        response = world.client("ana").post("/orders/new/", data | claim)
    assert response.status_code == 422
    assert len(response.context["formset"].forms) <= MAX_ROWS


def test_an_order_with_as_many_lines_as_a_page_takes_is_saved(world, data):
    line = {"description": "Thing", "quantity": "1", "unit_price": "0.1"}
    # As a browser sends it: the empty fields of a line too.
    line |= {"id": "", "order": "", "product": ""}
    response = world.client("ana").post(
        "/orders/new/", with_lines(data, [line] * MAX_ROWS)
    )
    assert_went_through(response)
    assert Order.objects.get().total == Decimal("0.1") * MAX_ROWS
