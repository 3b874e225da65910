"""The entries of the search in the order of the lists, while others write them."""

import threading

import pytest
from django.db import connection, connections, transaction

from crm.jobs import enqueue
from crm.models import Job, SearchEntry
from crm.search import order
from crm.search.declaration import search_of
from crm.search.finding import find_all
from crm.testing.workers import run_jobs, wait_for
from customers.models import Customer
from tests.interrupted import one_waits

KIND = search_of(Customer).kind
ENTRIES = """
    SELECT object_id, place, recent, owner_id, tokens::text FROM crm_searchentry
    WHERE kind = %s ORDER BY {}"""


def entries(by="object_id"):
    with connection.cursor() as cursor:
        cursor.execute(ENTRIES.format(by), [KIND])
        return cursor.fetchall()


@pytest.fixture
def oaks(world, monkeypatch):
    """Have customers whose names come in another order than they do."""
    monkeypatch.setattr(order, "MIN_ROWS", 1)
    monkeypatch.setattr(order, "BATCH", 7)
    Customer.objects.bulk_create(
        Customer(name=f"Oak {number * 7 % 40:02}", city="Leeds", owner=world.ana)
        for number in range(40)
    )
    return Customer.objects.order_by("name", "pk")


@pytest.mark.django_db
def test_entries_lie_in_the_order_of_the_list_and_are_the_same(world, oaks):
    before, wanted = entries(), list(oaks.values_list("pk", flat=True))
    assert [row[0] for row in entries("ctid")] != wanted
    done = []
    count = order.put_in_order(done.append)
    assert [row[0] for row in entries("ctid")] == wanted
    assert entries() == before
    assert done[-1] == count >= 40
    assert len(done) > 40 / 7


@pytest.mark.django_db
def test_few_entries_are_left_where_they_are(oaks, monkeypatch):
    monkeypatch.setattr(order, "MIN_ROWS", 41)
    before = entries("ctid")
    assert order.put_in_order() == 0
    assert entries("ctid") == before


@pytest.mark.django_db(transaction=True)
def test_who_changes_or_deletes_a_row_meanwhile_is_followed(world, oaks):
    renamed, gone, added = oaks[3], oaks[5], []

    def write():
        try:
            Customer.objects.filter(pk=renamed.pk).update(name="Zelkova")
            Customer.objects.filter(pk=gone.pk).delete()
            added.append(Customer.objects.create(name="Oak 03", owner=world.ana).pk)
        finally:
            connections.close_all()

    with transaction.atomic():
        order.put_in_order()
        other = threading.Thread(target=write)
        other.start()
        wait_for(one_waits)
    other.join()
    found = {row[0]: row[1] for row in entries()}
    assert found == dict(Customer.objects.values_list("pk", "name"))
    assert found[renamed.pk] == "Zelkova"
    assert gone.pk not in found
    assert added[0] in found
    titles = [
        hit.title for one in find_all(world.dev, "zelkova").groups for hit in one.hits
    ]
    assert titles == ["Zelkova"]


@pytest.mark.django_db(transaction=True)
def test_a_row_that_was_deleted_first_does_not_come_back(oaks):
    gone = oaks[5]
    done = []

    def put():
        try:
            done.append(order.put_in_order())
        finally:
            connections.close_all()

    with transaction.atomic():
        Customer.objects.filter(pk=gone.pk).delete()
        other = threading.Thread(target=put)
        other.start()
        wait_for(one_waits)
    other.join()
    assert done
    assert not SearchEntry.objects.filter(kind=KIND, object_id=gone.pk).exists()
    assert SearchEntry.objects.filter(kind=KIND).count() == 39


@pytest.mark.django_db(transaction=True)
def test_the_weekly_job(oaks, settings):
    planned = settings.CELERY_BEAT_SCHEDULE["search-order"]
    assert planned["task"] == "crm.enqueue_job"
    enqueue(*planned["args"])
    assert run_jobs() == ["done"]
    assert Job.objects.get(kind="search-order").result["entries"] >= 40
