"""The search of one list: whose rows, in which order, page by page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.generic.keyset import LAST
from crm.models import Grant
from crm.search.finding import find_all
from crm.testing.world import REACH
from customers.models import Contact, Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def oaks(world):
    """Give Ana 120 customers who are found by one word, and Cleo 30 between them."""
    names = [f"Oak {(7 * number) % 60:02}" for number in range(120)]
    rows = [Customer(name=name, city="Leeds", owner=world.ana) for name in names]
    rows += [
        Customer(name=f"Oak {number:02}", owner=world.cleo) for number in range(30)
    ]
    rows += [Customer(name=f"Ash {number:02}", owner=world.ana) for number in range(30)]
    Customer.objects.bulk_create(rows)
    return Customer.objects.filter(name__startswith="Oak").order_by("name", "pk")


def read(client, **query):
    with CaptureQueriesContext(connection) as queries:
        context = client.get("/customers/", {"q": "oak", **query}).context
    sql = " ".join(one["sql"] for one in queries.captured_queries)
    page = context["page"]
    return page, [row.pk for row in page.objects], context["count"].number, sql


def walk(client, page, way, **query):
    """Return the ids of all pages in one direction, page by page."""
    pages = []
    while True:
        found, pks, _count, _sql = read(client, page=page, **query)
        pages.append(pks)
        page = getattr(found, way)
        if not page:
            return pages


@pytest.mark.parametrize("name", ["ana", "dev"])
def test_pages_of_matches_are_complete_and_in_order_both_ways(world, oaks, name):
    client = world.client(name)
    visible = oaks.filter(owner=world.ana) if name == "ana" else oaks
    expected = list(visible.values_list("pk", flat=True))
    _page, pks, count, sql = read(client)
    assert count == len(expected)
    assert pks == expected[:50]
    assert "GREATEST(" not in sql
    assert [pk for pks in walk(client, "", "next") for pk in pks] == expected
    backward = [pk for pks in walk(client, LAST, "previous")[::-1] for pk in pks]
    assert list(dict.fromkeys(backward)) == expected


def test_other_orders_and_filters_find_the_same_rows(world, oaks):
    client = world.client("ana")
    mine = oaks.filter(owner=world.ana)
    _page, pks, _count, sql = read(client, sort="-name")
    assert pks == list(mine.order_by("-name", "-pk").values_list("pk", flat=True))[:50]
    assert "GREATEST(" in sql
    some = list(mine.values_list("pk", flat=True)[:3])
    Customer.objects.filter(pk__in=some).update(city="York")
    _page, pks, count, _sql = read(client, city="York")
    assert (pks, count) == (some, 3)


def test_a_page_goes_on_where_its_first_row_has_left(world, oaks):
    client = world.client("ana")
    mine = oaks.filter(owner=world.ana)
    first, pks, _count, _sql = read(client)
    expected = list(mine.values_list("pk", flat=True)[50:100])
    Customer.objects.filter(pk=pks[-1]).update(name="Elm")
    assert read(client, page=first.next)[1] == expected
    Customer.objects.filter(pk__in=expected[:2]).update(owner=world.cleo)
    third = list(mine.values_list("pk", flat=True)[49:99])
    assert read(client, page=first.next)[1] == third


def test_a_match_goes_with_its_owner(world, oaks):
    ana, cleo = world.client("ana"), world.client("cleo")
    counts = read(ana)[2], read(cleo)[2]
    assert counts == (120, 30)
    one = oaks.filter(owner=world.ana).first()
    Customer.objects.filter(pk=one.pk).update(owner=world.cleo)
    assert (read(ana)[2], read(cleo)[2]) == (119, 31)
    assert one.pk not in read(ana)[1]
    assert one.pk in read(cleo)[1]


@pytest.mark.parametrize("scope", REACH)
def test_everybody_finds_what_their_scope_reaches(world, oaks, scope):
    Grant.objects.filter(model="customers.customer", verb="view").update(scope=scope)
    for name in ("ana", "abe", "ben", "cleo"):
        reached = [getattr(world, owner) for owner in REACH[scope][name]]
        expected = list(oaks.filter(owner__in=reached).values_list("pk", flat=True))
        _page, pks, count, _sql = read(world.client(name))
        assert (pks, count) == (expected[:50], len(expected))


def test_newer_rows_of_others_hide_nothing_in_the_box(world):
    """The owner of a customer is on the row, that of a contact on the customer."""
    Grant.objects.filter(verb="view").update(scope="own")
    for owner, count in ((world.ana, 3), (world.cleo, 20)):
        for number in range(count):
            customer = Customer.objects.create(name=f"Larch {number}", owner=owner)
            Contact.objects.create(name=f"Larch {number}", customer=customer)
    groups = {group.type: group for group in find_all(world.ana, "larch").groups}
    for model in (Customer, Contact):
        hits = groups[model._meta.label_lower].hits
        mine = model.objects.visible_to(world.ana).order_by("-pk")
        assert [hit.pk for hit in hits] == list(mine.values_list("pk", flat=True))
