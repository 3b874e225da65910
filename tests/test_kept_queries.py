"""Queries put together once answer as if they were put together anew."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import Grant, Share, User
from crm.statements import KeptQuery
from customers.models import Customer
from customers.tests.recipes import make_customer, make_interaction
from customers.timeline import timeline

pytestmark = pytest.mark.django_db
PEOPLE = ("ana", "abe", "ben", "cleo", "dev", "fay")


def build(user, first, last):
    found = Customer.objects.visible_to(user).filter(pk__gte=first, pk__lte=last)
    return found.order_by("pk").values_list("pk", "custom", "created_at")


@pytest.fixture
def rows(world):
    return {
        name: make_customer(getattr(world, name), custom={"shoe": name})
        for name in ("ana", "abe", "ben", "cleo")
    }


@pytest.fixture
def query():
    return KeptQuery(build, Customer)


def reader(world, name):
    """Return a person as the next request reads them."""
    return User.objects.get(pk=getattr(world, name).pk)


def check(query, world, numbers):
    """Compare with the query itself, for everybody, twice; return who sees how many."""
    found = {}
    for name in PEOPLE * 2:
        expected = list(build(reader(world, name), *numbers))
        assert query.rows(reader(world, name), *numbers) == expected, name
        found[name] = len(expected)
    return found


def test_everybody_gets_their_own_rows_whatever_was_kept_before(world, rows, query):
    keys = sorted(row.pk for row in rows.values())
    numbers = keys[0], keys[-1]
    before = check(query, world, numbers)
    assert before == {"ana": 2, "abe": 2, "ben": 3, "cleo": 1, "dev": 4, "fay": 0}
    # A share, another team, a wider and no right: all of it counts at once.
    Share.objects.create(
        model="customers.customer",
        object_id=rows["cleo"].pk,
        person=world.ana,
        verb="view",
        by=world.cleo,
    )
    assert check(query, world, numbers) == before | {"ana": 3}
    User.objects.filter(pk=world.abe.pk).update(team=world.cleo.team)
    assert check(query, world, numbers) == {
        **{"ana": 2, "abe": 2, "ben": 2, "cleo": 2, "dev": 4, "fay": 0}
    }
    Grant.objects.filter(model="customers.customer", verb="view").delete()
    Grant.objects.filter(model="*").delete()
    assert set(check(query, world, numbers).values()) == {0}


def test_other_numbers_get_other_rows_from_the_same_text(world, rows, query):
    for row in rows.values():
        assert check(query, world, (row.pk, row.pk))["dev"] == 1
    keys = sorted(row.pk for row in rows.values())
    # Numbers in their own order, also where one is as large as a key can be.
    assert len(query.rows(reader(world, "dev"), keys[1], 2**62)) == len(keys) - 1
    assert query.rows(reader(world, "dev"), keys[1], keys[0]) == []


def test_it_is_put_together_once_for_all_who_see_everything(world, rows):
    asked = []

    def counted(user, *numbers):
        asked.append(user)
        return build(user, *numbers)

    query = KeptQuery(counted, Customer)
    for _time in range(3):
        query.rows(reader(world, "dev"), 1, 2)
        query.rows(reader(world, "ana"), 1, 2)
    assert asked == [world.dev, world.ana]


def test_a_number_that_the_query_does_not_ask_for_is_refused(world):
    query = KeptQuery(lambda user, one: build(user, 1, 2), Customer)
    with pytest.raises(ValueError, match="does not ask"):
        query.rows(reader(world, "dev"), 7)


def test_each_part_of_the_timeline_is_one_query(world):
    customer = make_customer(world.ana)
    make_interaction(world.ana, customer=customer, subject="Hello")
    ana = reader(world, "ana")
    timeline(user=ana, customer=customer)
    with CaptureQueriesContext(connection) as captured:
        page = timeline(user=ana, customer=customer)
    assert [entry.title for entry in page.entries] == ["Hello"]
    assert [one.person for one in page.entries] == [str(world.ana)]
    assert len(captured) == 4
