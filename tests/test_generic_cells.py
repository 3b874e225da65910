"""One cell edited where it stands: its own field, its own error, two people at once."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from crm.models import AuditEntry
from crm.testing.snapshot import unchanged
from customers.models import Customer
from customers.tests.recipes import make_customer
from sales.models import Order
from sales.tests.recipes import make_opportunity, make_order

HTMX = {"HX-Request": "true"}


@pytest.fixture
def customer(world):
    return make_customer(world.ana, city="Leeds", phone="1")


def cell(row, name):
    return f"/customers/{row.pk}/cell/{name}/"


def test_the_list_says_which_cells_may_be_edited(world, customer):
    make_customer(world.abe)
    own, mates = world.client("ana").get("/customers/").context["rows"]
    if own.object != customer:
        own, mates = mates, own
    assert "city" in {one.edit for one in own.cells}
    assert {one.edit for one in mates.cells} == {""}


def test_the_facts_of_a_page_can_be_edited_by_those_who_may(world, customer):
    url = customer.get_absolute_url()
    assert 'data-edit="source"' in world.client("ana").get(url).text
    assert "data-edit" not in world.client("abe").get(url).text


def test_a_cell_opens_as_the_forms_own_control_and_saves_alone(dev, customer):
    control = dev.get(cell(customer, "kind"), headers=HTMX).text
    assert "<select" in control
    assert "<html" not in control
    answer = dev.post(cell(customer, "kind"), {"kind": "company"}, headers=HTMX)
    assert "Company" in answer.text
    customer.refresh_from_db()
    assert (customer.kind, customer.city, customer.phone) == ("company", "Leeds", "1")


def test_without_script_the_whole_form_is_offered(dev, customer):
    response = dev.get(cell(customer, "city"))
    assert response.url == f"/customers/{customer.pk}/edit/"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("name", " ", "This field is required."),
        ("city", "x" * 121, "at most 120"),
        ("kind", "neither", "Select a valid choice"),
        ("birth_date", str(timezone.localdate() + timedelta(9)), "lies in the past"),
        ("owner", "999999", "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_in_the_cell(dev, customer, name, value, sentence):
    with unchanged(Customer):
        response = dev.post(cell(customer, name), {name: value}, headers=HTMX)
    assert response.status_code == 422
    assert sentence in response.text
    assert 'aria-invalid="true"' in response.text


def test_nobody_puts_a_row_out_of_their_own_reach(world, customer):
    client = world.client("ana")
    with unchanged(Customer):
        response = client.post(
            cell(customer, "owner"), {"owner": world.cleo.pk}, headers=HTMX
        )
    assert response.status_code == 422
    assert "could not reach it yourself" in response.text


def test_two_people_at_one_cell_see_each_other(world, dev, customer):
    data = {"city": "York", "value_before": "Leeds"}
    assert dev.post(cell(customer, "city"), data, headers=HTMX).status_code == 200
    mine = {"city": "Hull", "value_before": "Leeds"}
    client = world.client("ana")
    with unchanged(Customer):
        response = client.post(cell(customer, "city"), mine, headers=HTMX)
    assert response.status_code == 409
    assert "Now: York" in response.text
    assert "Dev Tester" in response.text
    assert 'value="Hull"' in response.text
    assert "York" in client.get(cell(customer, "city") + "?shown", headers=HTMX).text
    again = {"city": "Hull", "value_before": response.context["was"]}
    assert client.post(cell(customer, "city"), again).status_code == 200
    customer.refresh_from_db()
    assert customer.city == "Hull"
    assert AuditEntry.objects.filter(object_id=customer.pk).count() == 2


def test_another_cell_of_the_row_is_nobodys_conflict(dev, customer):
    Customer.objects.filter(pk=customer.pk).update(phone="2")
    data = {"city": "York", "value_before": "Leeds"}
    assert dev.post(cell(customer, "city"), data).status_code == 200
    customer.refresh_from_db()
    assert (customer.city, customer.phone) == ("York", "2")


def test_the_same_value_twice_is_no_conflict_and_no_entry(dev, customer):
    data = {"city": "Leeds", "value_before": "Hull"}
    with unchanged(Customer):
        assert dev.post(cell(customer, "city"), data).status_code == 200


def test_what_the_models_rules_fix_is_refused_in_words(world, dev):
    order = make_order(world.ana, country="France")
    Order.objects.filter(pk=order.pk).update(state="confirmed")
    url = f"/orders/{order.pk}/cell/placed_at/"
    with unchanged(Order):
        for response in (
            dev.get(url, headers=HTMX),
            dev.post(url, {"placed_at": "2020-01-01T00:00"}, headers=HTMX),
        ):
            assert response.status_code in (200, 409)
            assert "As it stands now" in response.text


def test_what_is_no_field_of_the_form_is_no_cell(dev, customer, world):
    opportunity = make_opportunity(world.ana)
    for url in (
        cell(customer, "created_at"),
        cell(customer, "id"),
        cell(customer, "custom"),
        f"/opportunities/{opportunity.pk}/cell/closed_at/",
    ):
        assert dev.get(url, headers=HTMX).status_code == 404
        assert dev.post(url, {"x": "1"}).status_code == 404


def test_odd_strings_are_kept_or_refused_in_words(dev, customer):
    strings = json.loads(Path(settings.DATA_DIR, "blns", "blns.json").read_text())
    for text in [one for one in strings if len(one) <= 200][::12]:
        response = dev.post(cell(customer, "name"), {"name": text}, headers=HTMX)
        if response.status_code == 422:
            assert 'aria-invalid="true"' in response.text
            continue
        assert response.status_code == 200, text
        customer.refresh_from_db()
        assert customer.name == text.strip()
