"""Forms: own reach, nothing typed is lost, nobody is overwritten, all or nothing."""

import json
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.exceptions import UserVisibleError
from crm.generic import forms as generic_forms
from crm.generic.registry import registry
from crm.models import AuditEntry, Grant, Tag, User
from crm.testing.snapshot import unchanged
from customers.models import Contact, Customer
from sales.models import Order, OrderLine, Product


@pytest.fixture
def customer(world):
    return Customer.objects.create(name="Alpha", owner=world.ana, city="Bonn")


def data_of(client, url, **changes):
    """Return what the browser would send for the form at an address."""
    context = client.get(url).context
    form = context["form"]
    data = {}
    for name in form.fields:
        value = form[name].value()
        if isinstance(value, list):
            value = [getattr(one, "pk", one) for one in value]
        if value is not None and value is not False:
            data[name] = value
    if context.get("version"):
        data["row_version"] = context["version"]
    return data | changes


def test_the_owner_of_a_new_row_is_its_author(world):
    client = world.client("ana")
    data = data_of(client, "/customers/new/", name="New")
    assert data["owner"] == world.ana.pk
    client.post("/customers/new/", data)
    assert Customer.objects.get(name="New").owner == world.ana


def test_a_new_row_without_tags_asks_nothing_about_them(world):
    client = world.client("ana")
    tag = Tag.objects.create(name="Fair")
    data = data_of(client, "/customers/new/")
    with CaptureQueriesContext(connection) as captured:
        assert client.post("/customers/new/", {**data, "name": "A"}).status_code == 302
    assert not [one for one in captured if "customers_customer_tags" in one["sql"]]
    client.post("/customers/new/", {**data, "name": "B", "tags": [tag.pk]})
    assert list(Customer.objects.get(name="B").tags.all()) == [tag]
    # To take the last one away is asked for.
    url = f"/customers/{Customer.objects.get(name='B').pk}/edit/"
    client.post(url, data_of(client, url, tags=[]))
    assert not Customer.objects.get(name="B").tags.exists()


@pytest.mark.django_db(transaction=True)
def test_a_new_customer_takes_few_statements(world):
    client = world.client("ana")
    data = data_of(client, "/customers/new/")
    client.post("/customers/new/", {**data, "name": "A"})
    with CaptureQueriesContext(connection) as captured:
        client.post("/customers/new/", {**data, "name": "B"})
    assert Customer.objects.filter(name="B").exists()
    # Without BEGIN and COMMIT, which are no questions.
    asked = [one["sql"] for one in captured if one["sql"] not in ("BEGIN", "COMMIT")]
    assert len(asked) <= 20, asked


def test_nobody_can_put_a_row_out_of_their_own_reach(world, customer):
    client = world.client("ana")
    url = f"/customers/{customer.pk}/edit/"
    with unchanged(Customer):
        response = client.post(url, data_of(client, url, owner=world.cleo.pk))
    assert response.status_code == 422
    assert response.context["form"]["owner"].errors
    with unchanged(Customer):
        data = data_of(client, "/customers/new/", name="New", owner=world.cleo.pk)
        response = client.post("/customers/new/", data)
    assert response.status_code == 422


def test_a_manager_may_hand_a_row_to_their_people(world, customer):
    client = world.client("ben")
    url = f"/customers/{customer.pk}/edit/"
    client.post(url, data_of(client, url, owner=world.abe.pk))
    customer.refresh_from_db()
    assert customer.owner == world.abe


def test_someone_elses_row_in_a_field_is_refused(world, customer):
    hidden = Customer.objects.create(name="Hidden", owner=world.cleo)
    client = world.client("ana")
    data = {"name": "Pat", "customer": hidden.pk}
    with unchanged(Contact):
        response = client.post("/contacts/new/", data)
    assert response.status_code == 422
    assert response.context["form"]["customer"].errors
    assert "Hidden" not in response.text


def test_a_present_value_that_one_may_not_see_can_stay(world):
    """Saving an order keeps its customer, even one that moved to another team."""
    hidden = Customer.objects.create(name="Moved", owner=world.cleo)
    order = Order.objects.create(number="S1", customer=hidden, owner=world.ana)
    client = world.client("ana")
    form = client.get(f"/orders/{order.pk}/edit/").context["form"]
    assert form.fields["customer"].queryset.filter(pk=hidden.pk).exists()
    assert form["customer"].value() == hidden.pk


def test_the_address_can_begin_a_form(world, customer):
    hidden = Customer.objects.create(name="Hidden", owner=world.cleo)
    client = world.client("ana")
    form = client.get(
        "/contacts/new/", {"customer": customer.pk, "name": "Pat"}
    ).context["form"]
    assert str(form["customer"].value()) == str(customer.pk)
    assert form["name"].value() == "Pat"
    for value in (hidden.pk, "x", "99999999999999999999"):
        response = client.get("/contacts/new/", {"customer": value})
        assert response.status_code == 200
        assert not response.context["form"]["customer"].value()
        assert "Hidden" not in response.text


def test_an_edit_notes_old_and_new(world, customer):
    client = world.client("ana")
    url = f"/customers/{customer.pk}/edit/"
    client.post(url, data_of(client, url, city="Ulm"))
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.actor, entry.changes) == (
        "changed",
        world.ana,
        {"city": ["Bonn", "Ulm"]},
    )
    page = client.get(f"/customers/{customer.pk}/panel/history/").text
    assert "Bonn" in page
    assert "Ulm" in page


def test_a_save_without_a_change_writes_nothing(world, customer):
    client = world.client("ana")
    url = f"/customers/{customer.pk}/edit/"
    with unchanged(Customer):
        response = client.post(url, data_of(client, url))
    assert response.status_code == 302


def test_two_people_do_not_overwrite_each_other(world, customer):
    ana, ben = world.client("ana"), world.client("ben")
    url = f"/customers/{customer.pk}/edit/"
    first = data_of(ana, url, city="Ulm")
    second = data_of(ben, url, city="Trier")
    assert ana.post(url, first).status_code == 302
    with unchanged(Customer):
        response = ben.post(url, second)
    assert response.status_code == 422
    assert "Somebody changed this" in response.text
    # What Ben typed is still there, and what is saved stands beside it.
    assert response.context["form"]["city"].value() == "Trier"
    assert "Ulm" in str(response.context["form"]["city"].errors)
    # He has read it now, so he may decide.
    again = second | {"row_version": response.context["version"]}
    assert ben.post(url, again).status_code == 302
    customer.refresh_from_db()
    assert customer.city == "Trier"


def test_a_conflict_shows_the_original_theirs_and_mine(world, customer):
    ana, ben = world.client("ana"), world.client("ben")
    url = f"/customers/{customer.pk}/edit/"
    form = {"city": "Trier", "phone": "+49 30 1234567"}
    first = data_of(ana, url, city="Ulm", email="ana@mail.example")
    second = data_of(ben, url, **form)
    ana.post(url, first)
    page = ben.post(url, second)
    conflict = page.context["conflict"]
    assert conflict.actor == world.ana
    assert [(c.name, c.original, c.theirs, c.mine) for c in conflict.clashes] == [
        ("city", "Bonn", "Ulm", "Trier")
    ]
    assert [str(label) for label in conflict.taken] == ["Email"]
    values = page.context["form"]
    assert (values["email"].value(), values["phone"].value()) == (
        "ana@mail.example",
        "+49 30 1234567",
    )
    again = dict(values.data.items()) | {"row_version": page.context["version"]}
    assert ben.post(url, again | {"theirs-city": "1"}).status_code == 302
    customer.refresh_from_db()
    assert (customer.city, customer.phone, customer.email) == (
        "Ulm",
        "+49 30 1234567",
        "ana@mail.example",
    )


def test_changes_of_different_fields_do_not_clash(world, customer):
    ana, ben = world.client("ana"), world.client("ben")
    url = f"/customers/{customer.pk}/edit/"
    first, second = data_of(ana, url, city="Ulm"), data_of(ben, url, region="Mosel")
    ana.post(url, first)
    page = ben.post(url, second)
    assert page.status_code == 422
    assert not page.context["conflict"].clashes
    again = dict(page.context["form"].data.items())
    again |= {"row_version": page.context["version"]}
    assert ben.post(url, again).status_code == 302
    customer.refresh_from_db()
    assert (customer.city, customer.region) == ("Ulm", "Mosel")


def test_a_refusal_of_a_service_is_shown_in_the_form(world, customer, monkeypatch):
    def refuse(form, formset, actor):
        form.save()
        raise UserVisibleError("Not on a Friday.")

    monkeypatch.setattr(registry.pages_of(Customer), "save", refuse)
    client = world.client("ana")
    url = f"/customers/{customer.pk}/edit/"
    with unchanged(Customer):
        response = client.post(url, data_of(client, url, city="Ulm"))
    assert response.status_code == 422
    assert "Not on a Friday." in response.text
    assert response.context["form"]["city"].value() == "Ulm"


def test_two_who_save_the_same_at_once_get_a_sentence(world, monkeypatch):
    """The database refuses what the form could not see yet."""
    Tag.objects.create(name="same")
    monkeypatch.setattr(
        "crm.forms.TagForm.validate_unique", lambda form: None, raising=False
    )
    monkeypatch.setattr(
        "crm.forms.TagForm.validate_constraints", lambda form: None, raising=False
    )
    with unchanged(Tag):
        response = world.client("dev").post(
            "/tags/new/", {"name": "same", "colour": "red"}
        )
    assert response.status_code == 422
    assert "Somebody saved a row" in response.text


def lines(*rows):
    """Return what the browser sends for new rows below an order."""
    data = {"lines-TOTAL_FORMS": len(rows), "lines-INITIAL_FORMS": 0}
    for place, row in enumerate(rows):
        data |= {f"lines-{place}-{name}": value for name, value in row.items()}
    return data


def test_a_row_and_the_rows_below_are_saved_together(world, customer):
    product = Product.objects.create(sku="P1", name="Kettle", unit_price=5)
    client = world.client("ana")
    row = {"product": product.pk, "quantity": "2", "unit_price": "4.50"}
    data = data_of(client, "/orders/new/", customer=customer.pk) | lines(row, row)
    response = client.post("/orders/new/", data)
    assert response.status_code == 302
    assert OrderLine.objects.filter(order__customer=customer).count() == 2


def test_an_error_below_saves_nothing_at_all(world, customer):
    product = Product.objects.create(sku="P1", name="Kettle", unit_price=5)
    client = world.client("ana")
    good = {"product": product.pk, "quantity": "2", "unit_price": "4.50"}
    bad = good | {"quantity": "many"}
    data = data_of(client, "/orders/new/", customer=customer.pk) | lines(good, bad)
    with unchanged(Order, OrderLine):
        response = client.post("/orders/new/", data)
    assert response.status_code == 422
    assert response.context["formset"].forms[1]["quantity"].errors
    assert response.context["formset"].forms[0]["quantity"].value() == "2"


@pytest.mark.parametrize(
    "broken", [{}, {"lines-TOTAL_FORMS": "x", "lines-INITIAL_FORMS": "-1"}]
)
def test_a_formset_without_its_frame_is_an_error_not_a_crash(world, customer, broken):
    client = world.client("ana")
    data = data_of(client, "/orders/new/", customer=customer.pk) | broken
    with unchanged(Order, OrderLine):
        assert client.post("/orders/new/", data).status_code == 422


def test_a_big_relation_is_searched_not_listed(world, monkeypatch):
    monkeypatch.setattr(generic_forms, "MAX_OPTIONS", 3)
    rows = [
        Customer.objects.create(name=f"Company {number}", owner=world.ana)
        for number in range(9)
    ]
    client = world.client("ana")
    for _visit in range(2):
        text = client.get("/contacts/new/").text
        assert 'data-enhance-url="/customers/choices/"' in text
        assert "Company 5" not in text
    # The chosen one is there, also without JavaScript, and can be sent.
    text = client.get("/contacts/new/", {"customer": rows[5].pk}).text
    assert f'<option value="{rows[5].pk}" selected>Company 5</option>' in text
    response = client.post("/contacts/new/", {"name": "Pat", "customer": rows[5].pk})
    assert response.status_code == 302


def test_a_small_relation_works_without_javascript(world, customer):
    text = world.client("ana").get("/contacts/new/").text
    assert f'<option value="{customer.pk}">Alpha</option>' in text


def test_people_who_left_are_not_offered(world):
    User.objects.filter(pk=world.abe.pk).update(is_active=False)
    with unchanged(Customer):
        response = world.client("ben").post(
            "/customers/new/",
            data_of(
                world.client("ben"), "/customers/new/", name="X", owner=world.abe.pk
            ),
        )
    assert response.status_code == 422


def test_the_form_asks_for_the_right_again_when_it_is_sent(world, customer):
    client = world.client("ana")
    url = f"/customers/{customer.pk}/edit/"
    data = data_of(client, url, city="Ulm")
    Grant.objects.filter(model="customers.customer", verb="change").delete()
    with unchanged(Customer):
        assert client.post(url, data).status_code == 403


def naughty_posts(form, part):
    """Yield what is typed: a string of the list in every text field, each another."""
    strings = json.loads(Path(settings.DATA_DIR, "blns", "blns.json").read_text())
    names = [
        name
        for name, field in form.fields.items()
        if isinstance(field, forms.CharField)
    ]
    assert len(names) > 4
    strings = strings[part]
    for start in range(0, len(strings) - len(names), len(names)):
        # Each field gets strings of every kind, which stand together in the list.
        turn = start // len(names) % len(names)
        some = strings[start : start + len(names)]
        yield dict(zip(names, some[turn:] + some[:turn], strict=True))


@pytest.mark.parametrize(
    ("model", "url", "part"),
    [
        (Customer, "/customers/new/", slice(0, None, 2)),
        (Contact, "/contacts/new/", slice(1, None, 4)),
    ],
)
def test_a_naughty_string_is_stored_as_typed_or_refused_at_its_field(
    world, customer, model, url, part
):
    client = world.client("ana")
    usual = data_of(client, url, name="Usual")
    if model is Contact:
        usual["customer"] = customer.pk
    refusals = 0
    for typed in naughty_posts(client.get(url).context["form"], part):
        known = set(model.objects.values_list("pk", flat=True))
        response = client.post(url, usual | typed)
        if response.status_code == 422:
            assert set(model.objects.values_list("pk", flat=True)) == known
            refused = set(response.context["form"].errors)
            assert refused
            assert refused <= set(typed), response.context["form"].errors
            assert response.text.count('aria-invalid="true"') >= len(refused)
            refusals += 1
            # Without what was refused the rest is taken.
            typed = {name: typed[name] for name in typed if name not in refused}
            response = client.post(url, usual | typed)
        assert response.status_code == 302, (typed, response.context["form"].errors)
        row = model.objects.exclude(pk__in=known).get()
        stored = {name: getattr(row, name) for name in typed}
        assert stored == {name: text.strip() for name, text in typed.items()}
    assert refusals
