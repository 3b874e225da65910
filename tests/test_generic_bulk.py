"""Many rows at once: chosen, looked at, changed, with the rights of each row."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from django.conf import settings

from crm.generic.bulk import page as bulk_page
from crm.generic.bulk.run import BulkRun
from crm.models import AuditEntry, Job, Operation, Tag
from crm.testing.snapshot import unchanged
from crm.testing.workers import run_jobs
from customers.models import Contact, Customer
from sales.models import Order
from sales.tests.recipes import make_order

BULK = "/customers/bulk/"


def add(owner, count, **values):
    """Add customers of one owner."""
    return Customer.objects.bulk_create(
        Customer(name=f"Row {number:05d}", owner=owner, **values)
        for number in range(count)
    )


def preview(client, action, data):
    """Look at a bulk action; return the answer."""
    return client.post(f"{BULK}{action}/", {**data, "step": "preview"})


def do(client, action, data, permit=None):
    """Look at a bulk action and carry it out."""
    permit = permit or preview(client, action, data).context["permit"]
    return client.post(
        f"{BULK}{action}/", {**data, "step": "apply", "permit": permit}, follow=True
    )


def pks(rows):
    return [row.pk for row in rows]


def test_the_preview_counts_names_and_changes_nothing(world, dev):
    rows = add(world.ana, 3, city="Leeds") + add(world.ana, 1, city="York")
    data = {"pk": pks(rows), "owner": world.cleo.pk}
    with unchanged(Customer):
        first = dev.post(f"{BULK}assign/", {"pk": pks(rows)})
        response = preview(dev, "assign", data)
    assert first.status_code == response.status_code == 200
    assert "4 rows chosen" in response.text
    assert "Ana Tester (4)" in response.text
    assert "Ana Tester → Cleo Tester" in response.text


def test_rows_are_assigned_and_each_is_noted_under_one_number(world, dev):
    rows = add(world.ana, 3)
    response = do(dev, "assign", {"pk": pks(rows), "owner": world.cleo.pk})
    assert "3 rows were changed" in response.text
    assert Customer.objects.filter(owner=world.cleo).count() == 3
    entries = AuditEntry.objects.filter(object_id__in=pks(rows))
    assert len({entry.operation for entry in entries}) == 1
    for entry in entries:
        assert entry.operation is not None
        assert (entry.actor, entry.verb) == (world.dev, "changed")
        assert entry.changes == {"owner": ["Ana Tester", "Cleo Tester"]}


def test_fields_are_set_and_emptied_and_the_others_stay(world, dev):
    rows = add(world.ana, 2, city="Leeds", phone="1", region="North")
    data = {
        "pk": pks(rows),
        "mode_city": "set",
        "city": "York",
        "mode_phone": "empty",
        "phone": "left in the box",
        "region": "not chosen",
    }
    do(dev, "edit", data)
    for row in Customer.objects.filter(pk__in=pks(rows)):
        assert (row.city, row.phone, row.region) == ("York", "", "North")
        assert row.updated_at > rows[0].updated_at


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "Choose at least one field"),
        ({"mode_city": "set", "city": ""}, "Enter a value."),
        ({"mode_birth_date": "set", "birth_date": "soon"}, "Enter a valid date."),
        ({"mode_annual_income": "set", "annual_income": "-1"}, "greater than or equal"),
        ({"mode_kind": "empty"}, "Select a valid choice"),
        ({"mode_city": "set", "city": "x" * 200}, "at most 120"),
    ],
)
def test_a_wrong_value_is_said_in_its_place(world, dev, data, sentence):
    rows = add(world.ana, 2)
    with unchanged(Customer):
        response = preview(dev, "edit", {"pk": pks(rows), **data})
    assert response.status_code == 422
    assert sentence in response.text


def test_a_row_that_the_model_refuses_is_listed_and_the_others_change(world, dev):
    rows = add(world.ana, 3)
    data = {"pk": pks(rows), "mode_referred_by": "set", "referred_by": rows[1].pk}
    response = do(dev, "edit", data)
    assert "cannot be referred by itself" in response.text
    assert rows[1].name in response.text
    assert Customer.objects.filter(referred_by=rows[1]).count() == 2
    rows[1].refresh_from_db()
    assert rows[1].referred_by is None


def test_a_model_with_rules_is_changed_through_its_own_save(world, dev):
    draft = make_order(world.ana, country="France")
    fixed = make_order(world.ana, country="France")
    Order.objects.filter(pk=fixed.pk).update(state="confirmed")
    data = {"pk": [draft.pk, fixed.pk], "mode_country": "set", "country": "Spain"}
    url = "/orders/bulk/edit/"
    seen = dev.post(url, {**data, "step": "preview"})
    permit = seen.context["permit"]
    response = dev.post(url, {**data, "step": "apply", "permit": permit})
    assert response.context["result"]["changed"] == 1
    assert "As it stands now" in response.context["result"]["reasons"][0]["reason"]
    assert Order.objects.get(pk=draft.pk).country == "Spain"
    assert Order.objects.get(pk=fixed.pk).country == "France"


def test_tags_are_added_and_taken_away(world, dev):
    old, new = (Tag.objects.create(name=name) for name in ("old", "new"))
    rows = add(world.ana, 3)
    rows[0].tags.add(old)
    rows[1].tags.add(new)
    data = {"pk": pks(rows), "add": [new.pk], "remove": [old.pk]}
    do(dev, "tag", data)
    for row in rows:
        assert list(row.tags.all()) == [new]
    changes = AuditEntry.objects.filter(object_id__in=pks(rows)).order_by("object_id")
    assert [one.changes["tags"] for one in changes] == [["old", "new"], [None, "new"]]


def test_what_others_depend_on_is_kept_and_listed(world, dev):
    rows = add(world.ana, 2)
    make_order(world.ana, customer=rows[0])
    response = do(dev, "delete", {"pk": pks(rows)})
    assert response.context["result"]["changed"] == 1
    assert "1 order" in response.text
    assert list(Customer.objects.filter(pk__in=pks(rows))) == [rows[0]]


def test_the_file_holds_the_chosen_rows_only(world, dev):
    rows = add(world.ana, 3)
    response = dev.post(
        f"{BULK}export/", {"pk": pks(rows[:2]), "query": "columns=name"}
    )
    lines = list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    assert lines == [["Name"], [rows[0].name], [rows[1].name]]


# --- whose rows -----------------------------------------------------------------


def test_rows_of_strangers_are_counted_left_alone_and_never_named(world):
    own = add(world.ana, 2)
    other = add(world.cleo, 1, city="Secret City")
    Customer.objects.filter(pk=other[0].pk).update(name="Secret Name")
    data = {"pk": [*pks(own + other), 999_999_999], "mode_city": "set", "city": "York"}
    seen = preview(world.client("ana"), "edit", data)
    assert "2 are out of your reach" in seen.text
    response = do(world.client("ana"), "edit", data)
    result = response.context["result"]
    assert Operation.objects.get(number=result.pop("operation")).actor == world.ana
    assert result == {
        "changed": 2, "unchanged": 0, "refused": 0, "left": 2, "reasons": []
    }  # fmt: skip
    for text in (seen.text, response.text):
        assert "Secret" not in text
    other[0].refresh_from_db()
    assert other[0].city == "Secret City"


@pytest.mark.parametrize(
    ("person", "action", "status"),
    [
        ("ana", "delete", 403),
        ("fay", "edit", 403),
        ("fay", "export", 403),
        ("eve", "edit", 302),
    ],
)
def test_who_lacks_the_verb_is_refused(world, person, action, status):
    rows = add(world.ana, 2)
    data = {"pk": pks(rows), "mode_city": "set", "city": "York", "step": "apply"}
    with unchanged(Customer):
        response = world.client(person).post(f"{BULK}{action}/", data)
    assert response.status_code == status


def test_nobody_gives_rows_to_where_they_could_not_reach_them(world):
    rows = add(world.ana, 1)
    for data in ({"owner": world.cleo.pk}, {"nobody": "on"}):
        with unchanged(Customer):
            response = preview(world.client("ana"), "assign", {"pk": pks(rows), **data})
        assert response.status_code == 422
        assert "could not reach these rows yourself" in response.text


def test_who_cannot_sign_in_any_more_gets_no_rows(world, dev):
    rows = add(world.ana, 1)
    data = {"pk": pks(rows), "owner": world.cleo.pk}
    permit = preview(dev, "assign", data).context["permit"]
    world.cleo.is_active = False
    world.cleo.save()
    with unchanged(Customer):
        assert do(dev, "assign", data, permit).status_code == 422


# --- all results ----------------------------------------------------------------


def test_all_results_are_those_of_the_lists_own_address(world, dev):
    here = add(world.ana, 3, city="Bonn")
    add(world.ana, 2, city="Ulm")
    data = {"all": "1", "query": "city=Bonn", "mode_city": "set", "city": "Köln"}
    seen = preview(dev, "edit", data)
    assert "3 rows chosen" in seen.text
    add(world.ana, 1, city="Bonn")
    do(dev, "edit", data, seen.context["permit"])
    changed = Customer.objects.filter(city="Köln").values_list("pk", flat=True)
    assert sorted(changed) == pks(here), "a row added after the preview was changed"


def test_rows_that_vanish_or_stop_to_fit_are_left_and_counted(world, dev):
    rows = add(world.ana, 4, city="Bonn")
    data = {"all": "1", "query": "city=Bonn", "mode_region": "set", "region": "West"}
    permit = preview(dev, "edit", data).context["permit"]
    rows[0].delete()
    Customer.objects.filter(pk=rows[1].pk).update(city="Ulm")
    response = do(dev, "edit", data, permit)
    result = response.context["result"]
    assert (result["changed"], result["left"]) == (2, 2)
    assert Customer.objects.get(pk=rows[1].pk).region == ""


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"pk": ["1", "²"]},
        {"pk": ["9" * 40]},
        {"ids": "1,x"},
        {"all": "1", "query": "customer_since_after=never"},
        {"all": "1", "query": "q=\x00"},
        {"all": "1", "query": "q=" + "x" * 30_000},
        {"ids": ",".join(map(str, range(1, 10_002)))},
    ],
)
def test_a_selection_that_cannot_be_read_changes_nothing(world, dev, data):
    add(world.ana, 2)
    data |= {"mode_city": "set", "city": "York", "step": "preview"}
    with unchanged(Customer):
        response = dev.post(f"{BULK}edit/", data, follow=True)
    assert response.redirect_chain
    assert 'class="alert' in response.text


def test_ten_thousand_single_rows_are_taken(world, dev):
    (row,) = add(world.ana, 1)
    others = range(row.pk + 1, row.pk + 10_000)
    data = {"ids": ",".join(map(str, [row.pk, *others])), "owner": world.cleo.pk}
    response = do(dev, "assign", data)
    assert response.context["result"]["changed"] == 1
    assert response.context["result"]["left"] == 9_999


# --- once -----------------------------------------------------------------------


def test_what_is_sent_twice_is_done_once(world, dev):
    rows = add(world.ana, 2)
    data = {"pk": pks(rows), "owner": world.cleo.pk}
    permit = preview(dev, "assign", data).context["permit"]
    do(dev, "assign", data, permit)
    Customer.objects.update(owner=world.ben)
    with unchanged(Customer):
        assert "done already" in do(dev, "assign", data, permit).text


def test_a_permit_is_for_one_person_and_one_action(world, dev):
    rows = add(world.ana, 1)
    data = {"pk": pks(rows), "owner": world.ben.pk}
    permit = preview(dev, "assign", data).context["permit"]
    for client, action in ((world.client("ben"), "assign"), (dev, "delete")):
        with unchanged(Customer):
            response = do(client, action, data, permit)
        assert "too old" in response.text


# --- by a job -------------------------------------------------------------------


@pytest.fixture
def _few_at_once(monkeypatch):
    monkeypatch.setattr(bulk_page, "AT_ONCE", 2)


@pytest.mark.usefixtures("_few_at_once")
def test_many_rows_are_a_job_that_runs_once_as_its_owner(world):
    rows = add(world.ana, 4)
    add(world.cleo, 2)
    client = world.client("ana")
    data = {"all": "1", "query": "", "mode_city": "set", "city": "York"}
    permit = preview(client, "edit", data).context["permit"]
    page = do(client, "edit", data, permit)
    do(client, "edit", data, permit)
    job = Job.objects.get(kind="bulk")
    assert page.redirect_chain[0][0] == job.get_absolute_url()
    assert run_jobs() == ["done"]
    assert do(client, "edit", data, permit).redirect_chain[0][0] == "/customers/"
    assert Job.objects.count() == 1
    assert Customer.objects.filter(city="York").count() == 4
    job.refresh_from_db()
    assert job.result["changed"] == 4
    assert "What became of the rows" in client.get(job.get_absolute_url()).text
    assert AuditEntry.objects.filter(object_id__in=pks(rows)).count() == 4


@pytest.mark.usefixtures("_few_at_once")
def test_rights_that_are_gone_by_then_count(world):
    add(world.ana, 4)
    client = world.client("ana")
    data = {"all": "1", "query": "", "mode_city": "set", "city": "York"}
    do(client, "edit", data)
    world.ana.roles.clear()
    with unchanged(Customer):
        run_jobs()
    assert not Customer.objects.filter(city="York").exists()


# --- odd strings ----------------------------------------------------------------


def test_odd_strings_are_kept_as_they_are_or_refused_in_words(world, dev):
    strings = json.loads(Path(settings.DATA_DIR, "blns", "blns.json").read_text())
    rows = add(world.ana, 1)
    for text in [one for one in strings if 0 < len(one) <= 120][::25]:
        data = {"pk": pks(rows), "mode_city": "set", "city": text}
        response = preview(dev, "edit", data)
        if response.status_code == 422:
            assert re.search("Enter a value|Null characters", response.text), text
            continue
        do(dev, "edit", data, response.context["permit"])
        rows[0].refresh_from_db()
        assert rows[0].city == text.strip()


def test_a_run_survives_being_written_down(world):
    row = Contact.objects.create(
        customer=add(world.ana, 1)[0], name="Nora", job_title="Buyer"
    )
    params = {
        "model": "customers.contact",
        "action": "edit",
        "selection": {"query": "", "ids": [row.pk]},
        "data": "mode_job_title=empty",
        "number": "8e7c5e60-0000-4000-8000-000000000000",
        "previewed_at": "2026-01-01T00:00:00+00:00",
        "expected": 1,
    }
    assert BulkRun.from_params(world.dev, params).params() == params
