"""Lists sorted by custom fields: by an index, page by page, or with the reason."""

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from crm.custom.indexes import sort_index
from crm.generic.listing import Listing
from crm.generic.registry import registry
from crm.models import CustomField, Job, SavedView
from crm.tasks import keep_field_indexes
from crm.testing.workers import run_jobs
from customers.models import Customer
from customers.tests.custom_fields import (
    CHOICES,
    FIELDS,
    edit_field,
    has_index,
    make_field,
    names_in,
)
from customers.tests.recipes import make_customer

# What stands in the rows, lowest first; the last two rows have nothing.
SORTED = {
    "number": [-3, 2, 10.5],
    "money": [0, 9.99, 1000],
    "date": ["2023-12-31", "2024-01-01", "2024-02-29"],
    "text": ["Alpha", "Beta", "Gamma"],
    "boolean": [False, True],
    "link": ["https://a.example", "https://b.example"],
}


def sortable_field(client, kind="number", label="Weight", **more):
    """Make a field that lists can be sorted by, with its index."""
    field = make_field(client, kind, label, sortable="on", **more)
    run_jobs()
    return field


@pytest.mark.parametrize("kind", SORTED)
def test_a_list_is_sorted_page_by_page(dev, world, kind, monkeypatch):
    monkeypatch.setattr("crm.generic.list.ListPage.size", 2)
    field = sortable_field(dev, kind)
    wanted = [f"Row {place}" for place, _value in enumerate(SORTED[kind])]
    for place, value in reversed(list(enumerate(SORTED[kind]))):
        make_customer(world.ana, name=f"Row {place}", custom={field.key: value})
    for name in ("Blank 1", "Blank 2"):
        make_customer(world.ana, name=name)
    columns = f"name,{field.name}"
    for sign, filled in (("", wanted), ("-", wanted[::-1])):
        query = {"columns": columns, "sort": f"{sign}{field.name}"}
        ordered, page = [], dev.get("/customers/", query)
        assert f'aria-sort="{"descending" if sign else "ascending"}"' in page.text
        while True:
            ordered += [row.object.name for row in page.context["rows"]]
            token = page.context["page"].next
            if not token:
                break
            page = dev.get("/customers/", {**query, "page": token})
        assert ordered[: len(filled)] == filled
        assert set(ordered[len(filled) :]) == {"Blank 1", "Blank 2"}
        # And back again, from the last page on.
        back, token = [], "last"
        while token:
            page = dev.get("/customers/", {**query, "page": token})
            back = [row.object.name for row in page.context["rows"]] + back
            token = page.context["page"].previous
        assert list(dict.fromkeys(back)) == ordered


def test_the_sort_reads_the_index(dev, world):
    field = sortable_field(dev)
    assert has_index(field, sort_index)
    for number in range(60):
        custom = {field.key: number} if number % 3 else {}
        make_customer(world.ana, name=f"Row {number}", custom=custom)
    request = RequestFactory().get(
        "/customers/", {"columns": f"name,{field.name}", "sort": field.name}
    )
    request.user = world.dev
    listing = Listing(registry.pages_of(Customer), request)
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as queries:
        page = listing.keyset(10).page("")
        listing.keyset(10).page(page.next)
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        read = [one["sql"] for one in queries.captured_queries]
        read = [sql for sql in read if "_key_custom" in sql]
        assert len(read) == 2
        for one in read:
            cursor.execute(f"EXPLAIN {one}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert sort_index(field.pk) in plan, plan
            assert "Sort" not in plan, plan


def test_what_cannot_be_sorted_says_why(dev, world):
    plain = make_field(dev, "number", "Plain")
    size = make_field(dev, "choice", "Size", **CHOICES)
    waiting = make_field(dev, "number", "Waiting", sortable="on")
    make_customer(world.ana, name="Ada")
    columns = ",".join(["name", plain.name, size.name, waiting.name])
    for field, sentence in (
        (plain, "not marked as sortable"),
        (size, "no index serves this column"),
        (waiting, "its index is being made"),
    ):
        page = dev.get("/customers/", {"columns": columns, "sort": field.name})
        assert names_in(page) == {"Ada"}
        assert f"{field.label}: Not sortable" in page.text
        assert sentence in page.text
    assert not has_index(waiting, sort_index)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    run_jobs()
    page = dev.get("/customers/", {"columns": columns, "sort": waiting.name})
    assert 'aria-sort="ascending"' in page.text
    assert "its index is being made" not in page.text
    answer = edit_field(dev, size, sortable="on")
    assert "Lists cannot be sorted by this kind" in answer.text


def test_a_view_sorted_by_a_field_that_goes_says_so(dev, world):
    field = sortable_field(dev, "number", "Weight")
    make_customer(world.ana, name="Ada", custom={field.key: 3})
    query = f"columns=name,{field.name}&sort=-{field.name}"
    view = SavedView.objects.create(
        name="Heavy", owner=world.dev, list_key="customers.customer", query=query
    )
    assert 'aria-sort="descending"' in dev.get(f"/customers/?view={view.pk}").text
    for change in (
        lambda: edit_field(dev, field, state="retired"),
        lambda: Customer.objects.update(custom={}),
    ):
        change()
        page = dev.get(f"/customers/?view={view.pk}")
        assert page.status_code == 200
        assert names_in(page) == {"Ada"}
        assert "No longer sorted by this, because it is not in use: Weight" in page.text
    dev.post(f"{FIELDS}{field.pk}/delete/")
    assert not CustomField.objects.exists()
    page = dev.get(f"/customers/?view={view.pk}")
    assert page.status_code == 200
    assert "it is not in use: A custom field" in page.text
    token = "not-a-token"
    assert dev.get(f"/customers/?view={view.pk}&page={token}").status_code == 200
    run_jobs()
    assert not has_index(field, sort_index)


def test_missing_indexes_are_made_and_those_of_no_field_dropped(dev):
    kept, gone = sortable_field(dev, label="Kept"), sortable_field(dev, label="Gone")
    waiting = make_field(dev, label="Waiting", often_filtered="on")
    Job.objects.all().delete()
    CustomField.objects.filter(pk=gone.pk).delete()
    keep_field_indexes()
    assert Job.objects.filter(state="queued").count() == 2
    run_jobs()
    assert has_index(kept, sort_index)
    assert has_index(waiting)
    assert not has_index(gone, sort_index)
    keep_field_indexes()
    assert not Job.objects.filter(state="queued").exists()


def test_neighbours_and_files_follow_the_sort(dev, world):
    field = sortable_field(dev)
    heavy, light, middle = (
        make_customer(world.ana, name=name, custom={field.key: value})
        for name, value in (("Heavy", 300.5), ("Light", 1), ("Middle", 20))
    )
    query = {"columns": f"name,{field.name}", "sort": field.name}
    page = dev.get(f"/customers/{middle.pk}/neighbours/", query)
    assert page.context["before"] == light
    assert page.context["after"] == heavy
    page = dev.get(f"/customers/{light.pk}/neighbours/", query)
    assert page.context["before"] is None
    text = b"".join(dev.get("/customers/export/", query).streaming_content).decode()
    names = [line.split(",")[0] for line in text.splitlines()[1:]]
    assert names == ["Light", "Middle", "Heavy"]
