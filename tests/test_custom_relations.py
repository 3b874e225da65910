"""Custom fields and other rows: asked about, moved with them, named when gone."""

from django.urls import reverse

from crm.models import Operation
from crm.testing.snapshot import all_rows
from customers.tests.custom_fields import (
    COMPARED,
    FIELDS,
    KINDS,
    VALUES,
    condition,
    edit_field,
    make_field,
)
from customers.tests.recipes import make_contact, make_customer


def test_custom_fields_of_related_rows_are_asked_about(dev, world):
    fields = {
        kind: make_field(dev, kind, f"Extra {kind}", **KINDS[kind][0])
        for kind in VALUES
    }
    for place, name in enumerate(("Nine", "Ten")):
        custom = {fields[kind].key: values[place] for kind, values in VALUES.items()}
        customer = make_customer(world.ana, name=name, custom=custom)
        make_contact(customer=customer, name=name)
    make_contact(customer=make_customer(world.ana, name="None"), name="None")
    for kind, parts, wanted in COMPARED:
        key = f"customer__{fields[kind].name}"
        answer = dev.get("/contacts/", condition(key, *parts))
        assert not answer.context["listing"].conditions.errors
        assert {row.object.name for row in answer.context["rows"]} == wanted
        assert f"Customer: Extra {kind}" in answer.text


def test_nothing_hidden_is_found_by_a_related_custom_field(dev, world):
    field = make_field(dev)
    customer = make_customer(world.cleo, custom={field.key: "secret"})
    contact = make_contact(customer=customer)
    query = condition(f"customer__{field.name}", "is", "secret")
    found = dev.get("/contacts/", query)
    assert [row.object for row in found.context["rows"]] == [contact]
    found = world.client("ana").get("/contacts/", query)
    assert not found.context["rows"]


def test_a_related_field_that_goes_says_so(dev, world):
    field = make_field(dev)
    make_contact(world.ana)
    query = condition(f"customer__{field.name}", "is", "x")
    edit_field(dev, field, state="retired")
    answer = dev.get("/contacts/", query)
    assert "Nickname does not count: this custom field is retired" in answer.text
    assert len(answer.context["rows"]) == 1
    dev.post(f"{FIELDS}{field.pk}/delete/")
    answer = dev.get("/contacts/", query)
    assert "A custom field does not count: it is no longer there" in answer.text
    for key in ("x__custom__f1", "custom__f1__custom__f2", "__custom__", "custom__"):
        assert dev.get("/contacts/", condition(key, "filled")).status_code == 200


def test_references_move_when_rows_are_merged_and_back(dev, world):
    parent = make_field(dev, "reference", "Parent firm", target="customers.customer")
    broker = make_field(
        dev,
        "reference",
        "Broker",
        model="customers.contact",
        target="customers.customer",
    )
    stays, goes, own, other = (
        make_customer(world.ana, name=name)
        for name in ("Stays", "Goes", "Own", "Other")
    )
    for row, target in ((stays, goes), (own, goes), (other, stays)):
        row.custom = {parent.key: target.pk}
        row.save()
    contact = make_contact(customer=other, custom={broker.key: goes.pk})
    before = all_rows()
    keys = [stays.pk, goes.pk]
    page = dev.get("/customers/merge/", {"pk": keys})
    assert "1 contact" in page.text
    assert "2 customers" in page.text
    data = {"pk": keys, "into": stays.pk, "step": "merge", "seen": page.context["seen"]}
    answer = dev.post("/customers/merge/", data)
    assert answer.status_code == 302
    for row in (stays, own, other, contact):
        row.refresh_from_db()
    assert stays.custom == {}
    assert own.custom == other.custom == {parent.key: stays.pk}
    assert contact.custom == {broker.key: stays.pk}
    operation = Operation.objects.get(kind="merge")
    dev.post(reverse("crm:operation_undo", args=[operation.number]))
    assert all_rows() == before


def test_a_deleted_row_is_told_where_it_is_referred_to(dev, world):
    parent = make_field(dev, "reference", "Parent firm", target="customers.customer")
    ada, bea = (make_customer(world.ana, name=name) for name in ("Ada", "Bea"))
    bea.custom = {parent.key: ada.pk}
    bea.save()
    page = dev.get(f"/customers/{ada.pk}/delete/")
    assert "1 customer (Parent firm)" in page.text
    columns = {"columns": f"name,{parent.name}"}
    dev.post(f"/customers/{ada.pk}/delete/")
    for address in ("/customers/", bea.get_absolute_url()):
        page = dev.get(address, columns).text
        assert "(deleted)" in page
        assert ada.get_absolute_url() not in page
    assert dev.get(f"/customers/{bea.pk}/edit/").status_code == 200
    assert dev.get(f"/customers/{bea.pk}/panel/history/").status_code == 200
    export = b"".join(dev.get("/customers/export/", columns).streaming_content)
    assert b"deleted" not in export
    operation = Operation.objects.order_by("pk").last()
    dev.post(reverse("crm:operation_undo", args=[operation.number]))
    page = dev.get("/customers/", columns).text
    assert f'<a href="{ada.get_absolute_url()}">Ada</a>' in page
