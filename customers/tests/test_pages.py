"""Pages of the customers app."""

import pytest

from crm.testing.pages import PageTests
from crm.testing.snapshot import unchanged
from crm.testing.world import make_world
from customers.models import Interaction
from customers.pages import (
    ContactPages,
    CustomerPages,
    DuplicatePairPages,
    InteractionPages,
)
from customers.tests.recipes import (
    make_contact,
    make_customer,
    make_interaction,
    make_pair,
)


class TestCustomerPages(PageTests):
    pages = CustomerPages
    changed_value = ("city", "Leeds")
    list_queries = (
        "kind=company&city=Leeds",
        "has_orders=true",
        "has_orders=false",
        "customer_since_after=2024-01-01&customer_since_before=2024-12-31",
        "source=paid&source=social",
        "columns=name,sales_count,last_sale_at",
    )

    def make(self, owner, **values):
        return make_customer(owner, **values)

    def form_data(self, world):
        return {
            "kind": "person",
            "name": "Olivia Hartley",
            "currency": "EUR",
            "source": "organic",
            "owner": world.dev.pk,
            "city": "York",
        }


class TestContactPages(PageTests):
    pages = ContactPages
    changed_value = ("job_title", "Head of purchasing")

    def make(self, owner, **values):
        return make_contact(owner, **values)

    def form_data(self, world):
        customer = make_customer(world.dev, kind="company")
        return {"customer": customer.pk, "name": "Martha Sinclair"}


class TestInteractionPages(PageTests):
    pages = InteractionPages
    changed_value = ("subject", "Something else")

    def make(self, owner, **values):
        return make_interaction(owner, **values)

    def form_data(self, world):
        return {
            "customer": make_customer(world.dev).pk,
            "kind": "call",
            "direction": "in",
            "occurred_at": "2025-04-01T10:00",
            "owner": world.dev.pk,
            "subject": "Asked for the catalogue",
        }


class TestDuplicatePairPages(PageTests):
    pages = DuplicatePairPages
    list_queries = ("state=dismissed", "score_min=0.9", "found_at_after=2024-01-01")

    def make(self, owner, **values):
        return make_pair(owner, **values)


@pytest.fixture
def world(db):
    return make_world()


def test_the_page_shows_what_one_looks_for_first(world):
    customer = make_customer(
        world.ana,
        name="Ada Brooks",
        phone="+44 20 7946 0001",
        email="ada@mail.example",
        address="1 High Street",
        city="London",
        customer_since="2024-02-03",
    )
    text = world.client("ana").get(customer.get_absolute_url()).text
    for word in (
        "Ada Brooks",
        'href="tel:+442079460001"',
        'href="mailto:ada@mail.example"',
        "1 High Street",
        "London",
    ):
        assert word in text


def test_a_call_is_logged_on_the_page(world):
    customer = make_customer(world.ana)
    client = world.client("ana")
    assert "customer_log" not in client.get(customer.get_absolute_url()).text
    response = client.post(
        f"/customers/{customer.pk}/log/",
        {"kind": "call", "direction": "in", "subject": "Wants a visit", "body": ""},
        follow=True,
    )
    assert response.status_code == 200
    assert Interaction.objects.get().customer == customer
    assert "Wants a visit" in response.text


@pytest.mark.parametrize(
    ("owner", "person", "status"),
    [
        ("abe", "ana", 403),
        ("cleo", "ana", 404),
        ("ana", "fay", 403),
        ("ana", "eve", 302),
    ],
)
def test_a_log_by_others_is_refused_and_changes_nothing(world, owner, person, status):
    customer = make_customer(getattr(world, owner))
    with unchanged(Interaction):
        response = world.client(person).post(
            f"/customers/{customer.pk}/log/",
            {"kind": "call", "direction": "in", "subject": "Wants a visit"},
        )
    assert response.status_code == status


def test_an_empty_log_is_refused_in_words(world):
    customer = make_customer(world.ana)
    with unchanged(Interaction):
        response = world.client("ana").post(
            f"/customers/{customer.pk}/log/",
            {"kind": "call", "direction": "in", "subject": " ", "body": "Long talk"},
        )
    assert response.status_code == 422
    assert response.context["form"].errors["subject"]
    # What was typed is still there, to be sent once more.
    assert "Long talk" in response.text


def test_the_timeline_answers_htmx_alone_and_others_with_the_page(world):
    customer = make_customer(world.ana)
    make_interaction(world.ana, customer=customer, subject="Sent a sample")
    url = f"/customers/{customer.pk}/timeline/"
    client = world.client("ana")
    part = client.get(f"{url}?kind=interaction", headers={"HX-Request": "true"})
    assert "Sent a sample" in part.text
    assert "<html" not in part.text
    whole = client.get(f"{url}?kind=interaction", follow=True)
    assert "Sent a sample" in whole.text
    assert "<html" in whole.text
    assert world.client("cleo").get(url).status_code == 404


def test_a_broken_page_number_shows_the_first_page(world):
    customer = make_customer(world.ana)
    make_interaction(world.ana, customer=customer, subject="Sent a sample")
    for text in ("x", "-1", "0", "²", "99999999999"):
        response = world.client("ana").get(
            customer.get_absolute_url(), {"older": text, "kind": "\x00"}
        )
        assert response.status_code == 200
        assert "Sent a sample" in response.text
