"""The one timeline of a customer."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.testing.world import make_world
from customers.tests.recipes import make_customer, make_interaction
from customers.timeline import SIZE, sources_for, timeline

START = datetime(2025, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def world(db):
    return make_world()


def titles(page):
    return [entry.title for entry in page.entries]


def test_newest_first_and_page_by_page_without_gap_or_repeat(world):
    customer = make_customer(world.ana)
    count = 2 * SIZE + 3
    for number in range(count):
        make_interaction(
            world.ana,
            customer=customer,
            subject=f"Call {number}",
            occurred_at=START + timedelta(hours=number),
        )
    make_interaction(world.ana, subject="Of somebody else")
    seen, number = [], 1
    while True:
        page = timeline(user=world.ana, customer=customer, page=number)
        seen += titles(page)
        if not page.has_older:
            break
        number += 1
    assert seen == [f"Call {one}" for one in range(count - 1, -1, -1)]
    assert number == 3


def test_kinds_that_the_reader_may_not_see_are_not_offered(world):
    customer = make_customer(world.fay)
    make_interaction(customer=customer)
    assert sources_for(world.fay) == []
    assert timeline(user=world.fay, customer=customer).entries == []


def test_an_unknown_kind_shows_everything(world):
    customer = make_customer(world.ana)
    make_interaction(customer=customer, subject="Hello")
    page = timeline(user=world.ana, customer=customer, kind="no such")
    assert titles(page) == ["Hello"]
