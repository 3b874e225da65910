"""Previous and next, going on after a save, and what Ctrl-K offers."""

import pytest
from django.utils import timezone

from crm.audit import record
from crm.custom import definitions
from crm.models import User
from crm.testing.query_budget import queries_of
from customers.models import Contact, Customer, Interaction
from customers.tests.recipes import make_customer
from sales.models import Opportunity, Order, OrderLine
from sales.tests.recipes import make_order, make_product, stage
from service.models import Message
from service.tests.recipes import make_category, make_ticket


@pytest.fixture
def row_of(world):
    """Return three customers of Ana and one of a stranger between them."""
    for name, owner, city in (
        ("Alder", world.ana, "Bonn"),
        ("Beech", world.cleo, "Bonn"),
        ("Cedar", world.ana, "Ulm"),
        ("Dogwood", world.ana, "Bonn"),
    ):
        Customer.objects.create(name=name, owner=owner, city=city)
    return {row.name: row for row in Customer.objects.all()}


def neighbours(client, row, query=""):
    response = client.get(f"/customers/{row.pk}/neighbours/{query}")
    context = response.context
    return [str(context["before"]), str(context["after"]), context["has_left"]]


def test_neighbours_follow_filter_sort_and_rights(world, row_of):
    client = world.client("ana")
    assert neighbours(client, row_of["Cedar"]) == ["Alder", "Dogwood", False]
    assert neighbours(client, row_of["Alder"]) == ["None", "Cedar", False]
    sort = "?sort=-name&page=last"
    assert neighbours(client, row_of["Cedar"], sort) == ["Dogwood", "Alder", False]
    bonn = "?city=Bonn"
    assert neighbours(client, row_of["Alder"], bonn) == ["None", "Dogwood", False]
    # Somebody has moved to Ulm: the list of Bonn still has a before and an after.
    assert neighbours(client, row_of["Cedar"], bonn) == ["Alder", "Dogwood", True]
    page = client.get(f"/customers/{row_of['Cedar'].pk}/neighbours/{bonn}").text
    assert 'href="/customers/?city=Bonn"' in page


def test_a_neighbours_address_opens_no_hidden_row(world, row_of):
    url = f"/customers/{row_of['Beech'].pk}/neighbours/"
    assert world.client("ana").get(url).status_code == 404


def edit(client, row, **more):
    url = f"/customers/{row.pk}/edit/"
    form = client.get(url).context["form"]
    data = {name: form[name].value() or "" for name in form.fields if name != "tags"}
    return client.post(url, data | more), url


def test_a_save_goes_on_where_it_was_asked_to(world, row_of):
    client = world.client("ana")
    cedar, dogwood = row_of["Cedar"], row_of["Dogwood"]
    response, url = edit(client, cedar, city="Kiel", then="stay")
    assert response.url == url
    response, _url = edit(client, cedar, city="Jena", then=str(dogwood.pk))
    assert response.url == f"/customers/{dogwood.pk}/edit/"
    for odd in ("//elsewhere.example", "new?x", "9" * 40, "\x00", "²"):
        response, _url = edit(client, cedar, city=f"Gera {odd[:1]}x", then=odd)
        if response.status_code == 302:
            assert response.url == f"/customers/{cedar.pk}/"


def test_the_palette_offers_what_one_may_do_in_both_languages(world):
    data = world.client("ana").get("/palette/").json()
    go, add = data["groups"]
    customers = next(one for one in go["entries"] if one["url"] == "/customers/")
    assert customers["label"] == "Customers"
    assert "客户" in customers["also"]
    assert "/customers/new/" in {one["url"] for one in add["entries"]}
    nobody = world.client("fay").get("/palette/").json()
    assert [one["url"] for group in nobody["groups"] for one in group["entries"]] == [
        "/"
    ]


def test_a_call_is_logged_by_the_short_form(world, row_of):
    client = world.client("ana")
    customer = row_of["Cedar"]
    page = client.get(f"/customers/{customer.pk}/").text
    url = f"/interactions/new/?customer={customer.pk}&amp;kind=call"
    assert url in page
    address = f"/interactions/quick/?customer={customer.pk}&kind=call"
    form = client.get(address, headers={"HX-Request": "true"}).context["form"]
    assert (form["customer"].value(), form["kind"].value()) == (
        str(customer.pk),
        "call",
    )
    data = {name: form[name].value() or "" for name in form.fields}
    answer = client.post(
        address, data | {"subject": "Rang"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    made = customer.interactions.get()
    assert (made.subject, made.kind, made.owner) == ("Rang", "call", world.ana)
    assert User.objects.count() == 6


def fill_customer(world, row, numbers):
    """Give a customer children of every kind; their owners and stages change."""
    people = (world.ana, world.abe)
    stages = (stage("new"), stage("qualified"), stage("proposal"))
    states = ("new", "open", "waiting")
    for number in numbers:
        owner, now = people[number % 2], timezone.now()
        common = {"customer": row, "owner": owner}
        contact = Contact.objects.create(customer=row, name=f"Person {number}")
        Interaction.objects.create(subject=f"Talk {number}", contact=contact, **common)
        Order.objects.create(number=f"C{number}", placed_at=now, **common)
        category = make_category()
        state = states[number % 3]
        make_ticket(number=f"K{number}", category=category, state=state, **common)
        Opportunity.objects.create(
            name=f"Deal {number}", stage=stages[number % 3], **common
        )
        record(owner, "changed", row, {"city": ["", f"City {number}"]})


def fill_order(world, row, numbers):
    """Give an order lines, each with a product of its own."""
    for number in numbers:
        OrderLine.objects.create(
            order=row,
            line_no=number + 1,
            product=make_product(),
            quantity=number + 1,
            unit_price=2,
        )


def fill_ticket(world, row, numbers):
    """Give a ticket messages of several authors."""
    people = (world.ana, world.abe, world.dev)
    for number in numbers:
        author = people[number % 3]
        Message.objects.create(ticket=row, author=author, body=f"Word {number}")


def queries_with_panels(client, url):
    """Return the queries of a row's page and of each panel that it loads later."""
    context = client.get(url).context
    parts = [*context["main_parts"], *context["side_parts"]]
    later = [part.url for part in parts if part.url]
    return {address: queries_of(client, address) for address in (url, *later)}


@pytest.mark.parametrize("kind", ["customer", "order", "ticket"])
def test_a_page_sends_as_many_queries_for_50_children_as_for_3(
    world, monkeypatch, kind
):
    # Asked for anew after seconds, in whatever request comes then.
    monkeypatch.setattr(definitions, "KEPT_FOR", 3600)
    customer = make_customer(world.ana, kind="company")
    row, fill, panels = {
        "customer": (customer, fill_customer, {"customeropportunities", "history"}),
        "order": (make_order(world.ana, lines=()), fill_order, {"history"}),
        "ticket": (make_ticket(world.ana, customer=customer), fill_ticket, {"history"}),
    }[kind]
    clients = {name: world.client(name) for name in ("ana", "dev")}
    url, known = row.get_absolute_url(), {}
    for numbers in (range(3), range(3, 50)):
        fill(world, row, numbers)
        for name, client in clients.items():
            pages = queries_with_panels(client, url)
            assert panels <= {address.split("/")[-2] for address in pages}
            for address, queries in pages.items():
                before = known.setdefault((name, address), queries)
                assert len(queries) == len(before), (name, address, *queries)
