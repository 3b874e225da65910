"""Merging: what is previewed is what happens, everything moves, un-merging restores."""

import re
import threading

import pytest
from django.apps import apps
from django.db import connection, models

from crm.access import can
from crm.generic.merge import find_rows, merge, merged_fields, merged_values
from crm.generic.registry import registry
from crm.history.plan import references_to
from crm.history.tables import tracked_models
from crm.history.undo import undo
from crm.models import Operation, Tag
from crm.testing.snapshot import all_rows, unchanged
from customers.models import Contact, Customer, DuplicatePair, Interaction
from customers.tests.recipes import make_contact, make_customer, make_interaction
from sales.models import Order
from sales.tests.recipes import make_lead, make_opportunity, make_order
from service.tests.recipes import make_ticket

PAGES = registry.pages_of(Customer)


def make_pair(owner):
    """Return two customers with rows of every app."""
    first = make_customer(owner, name="Ada Byron", email="ada@mail.example")
    second = make_customer(
        owner, name="A. Byron", phone="+44 20 7946 0001", city="Leeds"
    )
    vip, news = Tag.objects.create(name="VIP"), Tag.objects.create(name="News")
    first.tags.add(vip)
    second.tags.add(vip, news)
    for customer in (first, second):
        contact = make_contact(customer=customer)
        make_interaction(owner, customer=customer, contact=contact)
        make_order(owner, customer=customer)
        make_lead(owner, customer=customer)
        make_opportunity(owner, customer=customer)
        make_ticket(owner, customer=customer)
    make_customer(owner, name="Friend", referred_by=second)
    return first, second


def page_data(client, *rows, **choices):
    """Return what the page would send."""
    url = "/customers/merge/?" + "&".join(f"pk={row.pk}" for row in rows)
    page = client.get(url)
    assert page.status_code == 200
    seen = page.context["seen"]
    return {"pk": [row.pk for row in rows], "seen": seen} | choices


def test_everything_moves_and_comes_back(world):
    first, second = make_pair(world.ana)
    before = all_rows()
    client = world.client("ben")
    data = page_data(client, first, second, into=first.pk)
    data |= {"from-name": second.pk, "step": "show"}
    shown = client.post("/customers/merge/", data)
    result = {line["name"]: line["result"] for line in shown.context["lines"]}
    assert all_rows() == before
    answer = client.post("/customers/merge/", data | {"step": "merge"}, follow=True)
    merged = Customer.objects.get(pk=first.pk)
    for line, text in result.items():
        assert str(getattr(merged, line.removeprefix("from-"))) == text
    assert (merged.name, merged.email, merged.city) == (
        "A. Byron",
        "ada@mail.example",
        "Leeds",
    )
    assert not Customer.objects.filter(pk=second.pk).exists()
    assert set(merged.tags.values_list("name", flat=True)) == {"VIP", "News"}
    for model, link in references_to(Customer):
        if model is not Customer.tags.through:
            # Pairs of possible duplicates go with the customer; the rest has moved.
            assert not model._base_manager.filter(**{link.name: second.pk}).exists()
    assert Order.objects.filter(customer=first).count() == 2
    assert Interaction.objects.filter(customer=first).count() == 2
    assert Customer.objects.get(name="Friend").referred_by == merged
    undo_url = re.search(r'action="(/operations/[\w-]+/undo/)"', answer.text)[1]
    assert client.post(undo_url).status_code == 302
    assert all_rows() == before


def test_every_app_that_points_to_a_merged_model_is_seen():
    """A foreign key of a model without a history would be left behind."""
    merged = {pages.model for pages in registry.pages.values() if pages.mergeable}
    assert Customer in merged
    known = set(tracked_models().values())
    missed = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and field.related_model in merged
        and model not in known
    ]
    # Derived rows are made again.
    assert [one for one in missed if not one.startswith("analytics.")] == []


def test_what_the_preview_says_is_what_is_written(world):
    rows = [
        make_customer(world.ana, name="One", annual_income="10.50"),
        make_customer(world.ana, name="Two", city="Leeds", custom={"a": 1, "b": 2}),
        make_customer(world.ana, name="Three", city="York", custom={"b": 3}),
    ]
    rows[0].referred_by = rows[2]
    rows[0].save()
    sources = {"name": rows[1].pk, "city": rows[2].pk, "annual_income": rows[0].pk}
    expected = merged_values(rows[0], rows[1:], sources, world.ben)
    assert expected["referred_by_id"] is None
    assert expected["custom"] == {"a": 1, "b": 2}
    merge(PAGES, world.ben, rows[0], rows[1:], sources)
    row = Customer.objects.get()
    names = [one.attname for one in merged_fields(Customer)]
    assert {name: getattr(row, name) for name in names} == {
        one.attname: one.to_python(expected[one.attname])
        for one in merged_fields(Customer)
    }


@pytest.mark.parametrize("keys", [[], ["1"], ["1", "1"], ["x", "1"], ["1", "9" * 30]])
def test_too_few_the_same_twice_and_nonsense_are_refused(world, keys):
    make_customer(world.ana)
    client = world.client("ben")
    with unchanged(Customer, Operation):
        for answer in (
            client.get("/customers/merge/", {"pk": keys}),
            client.post("/customers/merge/", {"pk": keys, "step": "merge"}),
        ):
            assert answer.status_code in (302, 404)


def test_rows_of_strangers_and_lacking_rights_are_refused(world):
    mine, theirs = make_customer(world.ana), make_customer(world.cleo)
    for name, status in {"ben": 404, "ana": 403, "fay": 403}.items():
        client = world.client(name)
        with unchanged(Customer, Operation):
            url = f"/customers/merge/?pk={mine.pk}&pk={theirs.pk}"
            assert client.get(url).status_code == status
            data = {"pk": [mine.pk, theirs.pk], "step": "merge"}
            assert client.post("/customers/merge/", data).status_code == status


def test_a_change_meanwhile_is_shown_before_anything_is_merged(world):
    first, second = make_customer(world.ana), make_customer(world.ana)
    client = world.client("ben")
    data = page_data(client, first, second, step="merge")
    second.city = "Hull"
    second.save()
    with unchanged(Customer):
        answer = client.post("/customers/merge/", data)
    assert answer.status_code == 409
    assert "Hull" in answer.text


def test_the_list_leads_to_the_comparison(world):
    first, second = make_customer(world.ana), make_customer(world.ana)
    client = world.client("ben")
    answer = client.post("/customers/bulk/merge/", {"pk": [first.pk, second.pk]})
    assert answer.url == f"/customers/merge/?pk={first.pk}&pk={second.pk}"
    one = client.post("/customers/bulk/merge/", {"pk": first.pk}, follow=True)
    assert "between 2 and 10" in one.text
    assert not can(world.ana, "delete", Customer)


def test_contacts_are_merged_too(world):
    customer = make_customer(world.ana, kind="company")
    first = make_contact(customer=customer, name="Nora")
    second = make_contact(customer=customer, name="N. Smith", email="n@mail.example")
    interaction = make_interaction(world.ana, customer=customer, contact=second)
    before = all_rows()
    pages = registry.pages_of(Contact)
    number = merge(pages, world.ben, first, [second], {})
    interaction.refresh_from_db()
    assert interaction.contact == first
    assert Contact.objects.get().email == "n@mail.example"
    undo(Operation.objects.get(number=number), world.ben)
    assert all_rows() == before


def test_tags_are_merged_in_bulk(world):
    first, second = make_customer(world.ana), make_customer(world.ana)
    names = ("VIP", "Big", "Large")
    vip, big, large = (Tag.objects.create(name=name) for name in names)
    first.tags.add(vip, big, large)
    second.tags.add(big, large)
    before = all_rows()
    client = world.client("dev")
    answer = client.post("/tags/bulk/merge/", {"pk": [vip.pk, big.pk, large.pk]})
    seen = client.get(answer.url).context["seen"]
    data = {"pk": [vip.pk, big.pk, large.pk], "into": vip.pk, "seen": seen}
    client.post("/tags/merge/", data | {"step": "merge"})
    assert list(Tag.objects.all()) == [vip]
    for customer in (first, second):
        assert list(customer.tags.all()) == [vip]
    undo(Operation.objects.get(kind="merge"), world.dev)
    assert all_rows() == before


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_merge_in_a_circle_one_is_refused(world):
    first, second = make_customer(world.ana), make_customer(world.ana)
    barrier, outcomes = threading.Barrier(2), []

    def attempt(client, data):
        barrier.wait()
        outcomes.append(client.post("/customers/merge/", data).status_code)
        connection.close()

    threads = []
    for into, other in ((first, second), (second, first)):
        client = world.client("ben")
        data = page_data(client, into, other, into=into.pk, step="merge")
        threads.append(threading.Thread(target=attempt, args=(client, data)))
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(outcomes) == [302, 404]
    assert Customer.objects.count() == 1
    assert Operation.objects.filter(kind="merge").count() == 1


def test_a_row_that_is_gone_is_not_found(world):
    first, second = make_customer(world.ana), make_customer(world.ana)
    keys = [first.pk, second.pk]
    second.delete()
    assert find_rows(PAGES, keys, world.ben) is None


def test_ten_thousand_rows_move_and_come_back(world):
    first, second = make_customer(world.ana), make_customer(world.ana, city="Leeds")
    Interaction.objects.bulk_create(
        Interaction(customer=customer, owner=world.ana, subject=f"Call {number}")
        for number in range(5_000)
        for customer in (first, second)
    )
    Contact.objects.bulk_create(
        Contact(customer=second, name=f"Contact {number}") for number in range(5_000)
    )
    before = all_rows()
    number = merge(PAGES, world.ben, first, [second], {})
    assert Interaction.objects.filter(customer=first).count() == 10_000
    assert Contact.objects.filter(customer=first).count() == 5_000
    assert undo(Operation.objects.get(number=number), world.ben).left_count == 0
    assert all_rows() == before


def test_a_pair_of_duplicates_leads_to_the_merge_and_goes_with_it(world):
    first, second = make_customer(world.ana), make_customer(world.ana)
    pair = DuplicatePair.objects.create(customer_a=first, customer_b=second, score=0.9)
    before = all_rows()
    client = world.client("ben")
    url = f"/customers/merge/?pk={first.pk}&amp;pk={second.pk}"
    assert url in client.get(pair.get_absolute_url()).text
    assert url not in world.client("ana").get(pair.get_absolute_url()).text
    number = merge(PAGES, world.ben, first, [second], {})
    assert not DuplicatePair.objects.exists()
    undo(Operation.objects.get(number=number), world.ben)
    assert all_rows() == before
