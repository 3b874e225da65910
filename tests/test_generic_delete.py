"""Deleting: what goes with it is said before, what stands in the way is named."""

import pytest

from crm.exceptions import UserVisibleError
from crm.generic.registry import registry
from crm.models import AuditEntry
from crm.testing.snapshot import unchanged
from customers.models import Contact, Customer, Interaction
from sales.models import Order


@pytest.fixture
def customer(world):
    return Customer.objects.create(name="Alpha", owner=world.ana)


@pytest.fixture
def url(customer):
    return f"/customers/{customer.pk}/delete/"


def test_it_is_asked_first(world, customer, url):
    with unchanged(Customer):
        response = world.client("ben").get(url)
    assert "It goes to the trash" in response.text


def test_what_goes_with_it_is_counted(world, customer, url):
    for name in ("Pat", "Kim"):
        Contact.objects.create(customer=customer, name=name)
    Interaction.objects.create(customer=customer, subject="Call")
    text = world.client("ben").get(url).text
    assert "2 contacts" in text
    assert "1 interaction" in text


def test_the_row_and_what_belongs_to_it_are_gone(world, customer, url):
    Contact.objects.create(customer=customer, name="Pat")
    response = world.client("ben").post(url)
    assert response.status_code == 302
    assert not Customer.objects.exists()
    assert not Contact.objects.exists()
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.object_text, entry.actor) == (
        "deleted",
        "Alpha",
        world.ben,
    )


def test_what_stands_in_the_way_is_named(world, customer, url):
    Order.objects.create(number="S-17", customer=customer, owner=world.ana)
    for method in ("get", "post"):
        with unchanged(Customer, Order):
            response = getattr(world.client("ben"), method)(url)
        assert response.status_code == (200 if method == "get" else 409)
        assert "S-17" in response.text
        assert "1 order" in response.text


def test_hidden_rows_in_the_way_are_counted_but_not_named(world, customer, url):
    Order.objects.create(number="S-18", customer=customer, owner=world.cleo)
    text = world.client("ben").get(url).text
    assert "1 order" in text
    assert "S-18" not in text


def test_a_refusal_of_the_app_is_shown(world, customer, url, monkeypatch):
    def refuse(obj, actor):
        raise UserVisibleError("It is needed until spring.")

    monkeypatch.setattr(registry.pages_of(Customer), "delete", refuse)
    with unchanged(Customer):
        response = world.client("ben").post(url)
    assert response.status_code == 409
    assert "It is needed until spring." in response.text


def test_deleting_twice_is_not_found(world, customer, url):
    client = world.client("ben")
    client.post(url)
    assert client.post(url).status_code == 404


def test_a_person_without_the_right_sees_no_button(world, customer):
    text = world.client("ana").get(f"/customers/{customer.pk}/").text
    assert "/delete/" not in text
