"""Pages of the sales app."""

from decimal import Decimal

import pytest

from crm.models import AuditEntry
from crm.testing.pages import PageTests, assert_went_through, formset_data
from crm.testing.snapshot import unchanged
from crm.testing.world import make_world
from customers.models import Customer
from customers.tests.recipes import make_customer
from sales.choices import LeadState, OrderKind, OrderState
from sales.forms import OrderLineFormSet
from sales.models import Lead, Opportunity, Order, OrderLine, StageChange
from sales.pages import (
    CategoryPages,
    LeadPages,
    OpportunityPages,
    OrderPages,
    ProductPages,
)
from sales.tests.recipes import (
    make_category,
    make_lead,
    make_opportunity,
    make_order,
    make_product,
    stage,
)

NO_LINES = {"lines-TOTAL_FORMS": 0, "lines-INITIAL_FORMS": 0}


class TestOrderPages(PageTests):
    pages = OrderPages
    guarded = (OrderLine,)
    changed_value = ("notes", "Ring twice")
    list_queries = (
        "booked=true",
        "booked=false",
        "state=draft&state=confirmed",
        "placed_at_after=2025-01-01&placed_at_before=2025-12-31&currency=EUR",
        "total_min=10&total_max=20",
        "without_country=true",
        "columns=number,return_of",
    )

    def make(self, owner, **values):
        return make_order(owner, **values)

    def form_data(self, world):
        return {
            "customer": make_customer(world.dev).pk,
            "placed_at": "2025-05-06T10:30",
            "currency": "EUR",
            "owner": world.dev.pk,
        } | NO_LINES


class TestOpportunityPages(PageTests):
    pages = OpportunityPages
    guarded = (StageChange,)
    changed_value = ("name", "Another name")
    list_queries = ("open=true", "open=false", "outcome=won", "amount_min=5")

    def make(self, owner, **values):
        return make_opportunity(owner, **values)

    def form_data(self, world):
        return {
            "name": "Equipment for the new branch",
            "stage": stage("qualified").pk,
            "amount": "2500.00",
            "currency": "EUR",
            "owner": world.dev.pk,
        }


class TestLeadPages(PageTests):
    pages = LeadPages
    changed_value = ("company", "Rowan Hotels Ltd")
    list_queries = ("open=true", "open=false", "state=new&source=paid")

    def make(self, owner, **values):
        return make_lead(owner, **values)

    def form_data(self, world):
        return {
            "name": "Callum Yates",
            "source": "referral",
            "first_contact_on": "2025-05-06",
            "owner": world.dev.pk,
        }


class TestProductPages(PageTests):
    pages = ProductPages
    changed_value = ("name", "Bigger teapot")

    def make(self, owner, **values):
        return make_product(**values)

    def form_data(self, world):
        return {"sku": "N-1", "name": "Whisk", "currency": "EUR", "unit_price": "3.5"}


class TestCategoryPages(PageTests):
    pages = CategoryPages
    changed_value = ("name", "Renamed")

    def make(self, owner, **values):
        return make_category(**values)

    def form_data(self, world):
        return {"name": "Bathroom"}


@pytest.fixture
def world(db):
    return make_world()


# --- Orders ---------------------------------------------------------------------------


def send_order(client, url, customer, lines):
    """Send the form of an order with new lines."""
    return client.post(
        url,
        {
            "customer": customer.pk,
            "placed_at": "2025-05-06T10:30",
            "currency": "EUR",
            "country": "Ireland",
            "owner": customer.owner_id,
        }
        | formset_data(OrderLineFormSet(actor=None), lines),
    )


def test_an_order_is_made_with_its_lines(world):
    product = make_product(name="Casserole", unit_price=Decimal("129.00"))
    response = send_order(
        world.client("ana"),
        "/orders/new/",
        make_customer(world.ana),
        [
            {"product": product.pk, "quantity": "2"},
            {"description": "Engraving", "quantity": "1", "unit_price": "0.3333"},
        ],
    )
    assert_went_through(response)
    order = Order.objects.get()
    assert order.total == Decimal("258.3333")
    assert list(
        order.lines.order_by("line_no").values_list("description", flat=True)
    ) == ["Casserole", "Engraving"]
    text = world.client("ana").get(order.get_absolute_url()).text
    for word in ("Casserole", "Engraving", "€258.33", "129.00", "0.3333"):
        assert word in text


@pytest.mark.parametrize(
    "row",
    [
        {"description": "Thing", "quantity": "-1", "unit_price": "5"},
        {"description": "Thing", "quantity": "1"},
        {"quantity": "1", "unit_price": "5"},
        {"description": "Thing", "quantity": "x", "unit_price": "5"},
    ],
)
def test_a_wrong_line_is_explained_and_nothing_is_saved(world, row):
    customer = make_customer(world.ana)
    with unchanged(Order, OrderLine):
        response = send_order(world.client("ana"), "/orders/new/", customer, [row])
    assert response.status_code == 422


def test_an_order_for_a_hidden_customer_is_refused(world):
    hidden = make_customer(world.cleo)
    with unchanged(Order):
        response = send_order(world.client("ana"), "/orders/new/", hidden, [])
    assert response.status_code == 422
    assert hidden.name not in response.text


def test_a_confirmed_order_offers_no_lines_to_edit(world):
    order = make_order(world.ana, state=OrderState.CONFIRMED)
    client = world.client("ana")
    response = client.get(f"/orders/{order.pk}/edit/")
    assert "lines-TOTAL_FORMS" not in response.text
    assert 'name="customer"' not in response.text
    response = client.post(
        f"/orders/{order.pk}/edit/",
        {
            "notes": "Call first",
            "owner": world.ana.pk,
            "customer": make_customer(world.ana).pk,
        },
    )
    assert_went_through(response)
    fresh = Order.objects.get()
    assert (fresh.notes, fresh.customer, fresh.total) == (
        "Call first",
        order.customer,
        order.total,
    )


def test_an_order_goes_its_way_by_the_buttons(world):
    order = make_order(world.ana)
    client = world.client("ana")
    for move, state in (
        ("confirm", "confirmed"),
        ("ship", "shipped"),
        ("complete", "completed"),
    ):
        page = client.get(order.get_absolute_url()).text
        assert f"/orders/{order.pk}/{move}/" in page
        assert client.post(f"/orders/{order.pk}/{move}/").status_code == 302
        order.refresh_from_db()
        assert order.state == state
    assert (
        f"/orders/{order.pk}/cancel/" not in client.get(order.get_absolute_url()).text
    )
    with unchanged(Order, AuditEntry):
        response = client.post(f"/orders/{order.pk}/cancel/", follow=True)
    assert "cannot become" in response.text


@pytest.mark.parametrize(
    "address",
    ["orders/{order}/confirm/", "orders/{order}/cancel/", "orders/{order}/return/"],
)
@pytest.mark.parametrize(
    ("owner", "person", "status"),
    [
        ("abe", "ana", 404),
        ("cleo", "ana", 404),
        ("ana", "fay", 403),
        ("ana", "eve", 302),
    ],
)
def test_others_cannot_move_an_order(world, address, owner, person, status):
    order = make_order(getattr(world, owner))
    with unchanged(Order, OrderLine, AuditEntry):
        response = world.client(person).post(f"/{address.format(order=order.pk)}")
    assert response.status_code == status


def test_moves_are_posts(world):
    order = make_order(world.ana)
    assert world.client("ana").get(f"/orders/{order.pk}/confirm/").status_code == 405
    order.refresh_from_db()
    assert order.state == OrderState.DRAFT


def test_goods_are_returned_on_the_page(world):
    sale = make_order(
        world.ana, lines=[("5", "9.99"), ("2", "4")], state=OrderState.COMPLETED
    )
    first = sale.lines.order_by("line_no")[0]
    client = world.client("ana")
    url = f"/orders/{sale.pk}/return/"
    assert f"line_{first.pk}" in client.get(url).text
    with unchanged(Order, OrderLine):
        assert client.post(url, {f"line_{first.pk}": "6"}).status_code == 422
        assert client.post(url, {}).status_code == 200
    response = client.post(url, {f"line_{first.pk}": "2", "notes": "Chipped"})
    back = Order.objects.get(kind=OrderKind.RETURN)
    assert response.url == back.get_absolute_url()
    assert (back.total, back.notes) == (Decimal("-19.98"), "Chipped")
    page = client.get(sale.get_absolute_url()).text
    assert back.number in page


# --- Leads ----------------------------------------------------------------------------


def test_a_lead_is_converted_on_the_page(world):
    lead = make_lead(world.ana, name="Iris Nolan", email="iris@mail.example")
    client = world.client("ana")
    assert client.get(f"/leads/{lead.pk}/convert/").status_code == 200
    response = client.post(
        f"/leads/{lead.pk}/convert/",
        {"opportunity_name": "Spring", "amount": "900", "currency": "eur"},
    )
    opportunity = Opportunity.objects.get()
    assert response.url == opportunity.get_absolute_url()
    assert (opportunity.amount, opportunity.currency) == (Decimal(900), "EUR")
    lead.refresh_from_db()
    assert (lead.state, lead.customer.name) == (LeadState.CONVERTED, "Iris Nolan")


def test_a_known_customer_is_offered_before_a_second_one_is_made(world):
    known = make_customer(world.ana, name="Known", email="iris@mail.example")
    hidden = make_customer(world.cleo, name="Hidden one", email="iris@mail.example")
    lead = make_lead(world.ana, email="IRIS@mail.example")
    text = world.client("ana").get(f"/leads/{lead.pk}/convert/").text
    assert known.get_absolute_url() in text
    assert hidden.name not in text
    with unchanged(Lead, Customer):
        response = world.client("ana").post(
            f"/leads/{lead.pk}/convert/", {"customer": hidden.pk, "currency": "EUR"}
        )
    assert response.status_code == 422


def test_a_lead_is_lost_with_a_reason(world):
    lead = make_lead(world.ana)
    client = world.client("ana")
    with unchanged(Lead):
        assert client.post(f"/leads/{lead.pk}/lose/", {}).status_code == 422
    client.post(f"/leads/{lead.pk}/lose/", {"reason": "Too dear"})
    lead.refresh_from_db()
    assert (lead.state, lead.lost_reason) == (LeadState.LOST, "Too dear")
    client.post(f"/leads/{lead.pk}/work/")
    lead.refresh_from_db()
    assert lead.state == LeadState.WORKING


@pytest.mark.parametrize("address", ["work", "lose", "convert"])
@pytest.mark.parametrize(
    ("owner", "person", "status"),
    [
        ("abe", "ana", 404),
        ("cleo", "ana", 404),
        ("ana", "fay", 403),
        ("ana", "eve", 302),
    ],
)
def test_others_cannot_move_a_lead(world, address, owner, person, status):
    lead = make_lead(getattr(world, owner))
    with unchanged(Lead, Customer, AuditEntry):
        response = world.client(person).post(
            f"/leads/{lead.pk}/{address}/", {"reason": "x", "currency": "EUR"}
        )
    assert response.status_code == status


def test_a_new_opportunity_begins_in_the_first_stage_unless_told(world):
    form = world.client("ana").get("/opportunities/new/").context["form"]
    assert form["stage"].value() == stage("new").pk
    choices = [str(label) for _value, label in form.fields["stage"].choices]
    assert "Won" not in choices


# --- Opportunities --------------------------------------------------------------------


def test_an_opportunity_moves_by_the_buttons_and_shows_its_history(world):
    opportunity = make_opportunity(world.ana)
    client = world.client("ana")
    url = f"/opportunities/{opportunity.pk}/move/"
    client.post(url, {"stage": stage("proposal").pk})
    client.post(url, {"stage": stage("won").pk})
    opportunity.refresh_from_db()
    assert opportunity.stage == stage("won")
    page = client.get(opportunity.get_absolute_url())
    part = next(
        part
        for part in page.context["main_parts"]
        if part.panel.template == "sales/_stage_history.html"
    )
    assert [stay["change"].to_stage.code for stay in part.context["stays"]] == [
        "won",
        "proposal",
        "new",
    ]
    assert url not in page.text


def test_losing_an_opportunity_needs_a_reason(world):
    opportunity = make_opportunity(world.ana)
    client = world.client("ana")
    url = f"/opportunities/{opportunity.pk}/move/"
    with unchanged(Opportunity, StageChange):
        response = client.post(
            url, {"stage": stage("lost").pk, "reason": " "}, follow=True
        )
        assert "Say why" in response.text
        client.post(url, {"stage": "999999"})
        client.post(url, {})
    client.post(url, {"stage": stage("lost").pk, "reason": "Price"})
    opportunity.refresh_from_db()
    assert opportunity.lost_reason == "Price"


@pytest.mark.parametrize(
    ("owner", "person", "status"),
    [
        ("abe", "ana", 404),
        ("cleo", "ana", 404),
        ("ana", "fay", 403),
        ("ana", "eve", 302),
    ],
)
def test_others_cannot_move_an_opportunity(world, owner, person, status):
    opportunity = make_opportunity(getattr(world, owner))
    with unchanged(Opportunity, StageChange, AuditEntry):
        response = world.client(person).post(
            f"/opportunities/{opportunity.pk}/move/", {"stage": stage("won").pk}
        )
    assert response.status_code == status


@pytest.mark.django_db(transaction=True)
def test_an_opportunity_is_deleted_with_its_history():
    world = make_world()
    opportunity = make_opportunity(world.ana)
    response = world.client("dev").post(f"/opportunities/{opportunity.pk}/delete/")
    assert response.status_code == 302
    assert not Opportunity.objects.exists()
    assert not StageChange.objects.exists()
