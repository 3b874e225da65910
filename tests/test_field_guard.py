"""No way of writing changes a field that is kept back from its author."""

from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.urls import reverse

from crm.access import FieldKeptBackError
from crm.generic.bulk.actions import EditRows
from crm.generic.bulk.run import KIND
from crm.generic.selection import Selection
from crm.history.context import acting
from crm.history.undo import undo
from crm.jobs import enqueue, runner
from crm.models import FieldRule, Operation, Tag
from crm.testing.snapshot import unchanged
from customers.models import Contact, Customer, DuplicatePair
from customers.services import save_contact
from customers.tests.recipes import make_contact, make_customer, make_pair
from sales.models import Lead, Opportunity, Order, StageChange
from sales.tests.recipes import make_lead, make_opportunity, make_order, stage
from service.models import Message, Ticket
from service.tests.recipes import make_category, make_ticket
from tests.kept_fields import fresh, may_do_everything, rule
from tests.test_bulk_jobs import run_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(world):
    return may_do_everything(world)


def lost_lead(owner):
    return make_lead(owner, state="lost", lost_reason="Price")


# (model, field, how a row is made, address, what is sent)
ACTIONS = [
    (Lead, "state", make_lead, "sales:lead_work", {}),
    (Lead, "state", make_lead, "sales:lead_lose", {"reason": "Price"}),
    (Lead, "lost_reason", make_lead, "sales:lead_lose", {"reason": "Price"}),
    (Lead, "lost_reason", lost_lead, "sales:lead_work", {}),
    (Lead, "state", make_lead, "sales:lead_convert", {"currency": "EUR"}),
    (Lead, "customer", make_lead, "sales:lead_convert", {"currency": "EUR"}),
    (Lead, "state", make_lead, "sales:lead_move", {"state": "working"}),
    (Opportunity, "stage", make_opportunity, "sales:opportunity_move", {}),
    (Order, "state", make_order, "sales:order_confirm", {}),
    (Order, "state", make_order, "sales:order_cancel", {}),
    (Ticket, "state", make_ticket, "service:ticket_move", {"state": "solved"}),
    (Ticket, "category", make_ticket, "service:ticket_categorise", {}),
    (DuplicatePair, "state", make_pair, "customers:duplicatepair_dismiss", {}),
]


@pytest.mark.parametrize("mode", ["read_only", "hidden"])
@pytest.mark.parametrize(
    ("model", "field", "make", "name", "data"),
    ACTIONS,
    ids=[f"{one[3].partition(':')[2]}-{one[1]}" for one in ACTIONS],
)
def test_what_an_action_writes_is_refused(
    world, ana, model, field, make, name, data, mode
):
    row = make(ana)
    if field == "stage":
        data = {"stage": stage("won").pk}
    if field == "category":
        data = {"category": make_category().pk}
    url = reverse(name, args=[row.pk])
    rule(model, field, mode)
    browser = world.client("ana")
    tables = (Lead, Opportunity, StageChange, Order, Ticket, DuplicatePair, Customer)
    with unchanged(*tables):
        response = browser.post(url, data)
    assert response.status_code == 403
    # The same without the rule goes through: it was the rule that refused.
    FieldRule.objects.all().delete()
    before = model.objects.values_list(field, flat=True).get(pk=row.pk)
    assert world.client("ana").post(url, data).status_code in (200, 302)
    assert model.objects.values_list(field, flat=True).get(pk=row.pk) != before


def test_the_refusal_says_which_field(world, ana):
    rule(Order, "state")
    page = world.client("ana").post(f"/orders/{make_order(ana).pk}/confirm/")
    assert "does not change the field “State”" in page.content.decode()
    assert "Nothing was changed" in page.content.decode()


def test_a_button_that_would_be_refused_is_not_offered(world, ana):
    lead, order = make_lead(ana), make_order(ana)
    deal, ticket = make_opportunity(ana), make_ticket(ana)
    shown = {
        lead: f"/leads/{lead.pk}/work/",
        order: f"/orders/{order.pk}/confirm/",
        deal: f"/opportunities/{deal.pk}/move/",
        ticket: 'name="state" value="solved"',
    }
    for row, text in shown.items():
        page = world.client("ana").get(row.get_absolute_url()).content.decode()
        assert text in page, row
    for model, name in (
        (Lead, "state"),
        (Order, "state"),
        (Opportunity, "stage"),
        (Ticket, "state"),
    ):
        rule(model, name)
    for row, text in shown.items():
        page = world.client("ana").get(row.get_absolute_url()).content.decode()
        assert text not in page, row


def by_save(row):
    row.phone = "666"
    row.save()


def by_sql(row):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_customer SET phone = %s WHERE id = %s", ["666", row.pk]
        )


WAYS = {
    "save": by_save,
    "update": lambda row: Customer.objects.filter(pk=row.pk).update(phone="666"),
    "bulk_update": lambda row: Customer.objects.bulk_update(
        [Customer(pk=row.pk, phone="666")], ["phone"]
    ),
    "sql": by_sql,
    "tags": lambda row: row.tags.add(Tag.objects.get(name="vip")),
}


@pytest.mark.parametrize("kind", ["page", "bulk", "import", "merge", "admin"])
@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_writing_goes_past_it(world, ana, way, kind):
    row = make_customer(ana, phone="1")
    Tag.objects.create(name="vip")
    rule(Customer, "phone")
    rule(Customer, "tags")
    with (
        unchanged(Customer, Customer.tags.through),
        pytest.raises(FieldKeptBackError),
        transaction.atomic(),
        acting(kind, fresh(ana)),
    ):
        WAYS[way](row)
    # Another person, whose role keeps nothing back, and the program itself may.
    with acting(kind, fresh(world.ben)):
        WAYS[way](row)
    with acting("job", fresh(ana)):
        WAYS[way](make_customer(ana))


def test_what_is_not_kept_is_written_as_ever(world, ana):
    rule(Customer, "phone")
    row = make_customer(ana, phone="1")
    with acting("page", fresh(ana)):
        Customer.objects.filter(pk=row.pk).update(city="Bern", phone="1")
        row.refresh_from_db()
        row.save()
        new = make_customer(ana, phone="2")
    assert (row.city, row.phone, new.phone) == ("Bern", "1", "2")


def test_a_new_row_may_have_its_links(world, ana):
    rule(Customer, "tags")
    tag = Tag.objects.create(name="vip")
    with acting("page", fresh(ana)):
        row = make_customer(ana)
        row.tags.add(tag)
    assert row.tags.get() == tag


def test_the_guard_is_gone_with_the_operation(world, ana):
    rule(Customer, "phone")
    row = make_customer(ana, phone="1")
    for _time in range(2):
        with (
            pytest.raises(FieldKeptBackError),
            transaction.atomic(),
            acting("page", fresh(ana)),
        ):
            by_sql(row)
    by_sql(row)
    row.refresh_from_db()
    assert row.phone == "666"


# --- What follows from an act that is allowed -----------------------------------------


def test_answering_makes_a_ticket_wait_whose_state_one_may_not_choose(world, ana):
    rule(Ticket, "state")
    ticket = make_ticket(ana)
    url = reverse("service:ticket_reply", args=[ticket.pk])
    response = world.client("ana").post(url, {"body": "Sorry", "direction": "out"})
    assert response.status_code == 302
    ticket.refresh_from_db()
    assert ticket.state == "waiting"
    assert Message.objects.get().body == "Sorry"


def test_deleting_empties_what_pointed_to_the_row(world, ana):
    rule(Customer, "referred_by")
    gone = make_customer(ana)
    other = make_customer(ana, referred_by=gone)
    answer = world.client("ana").post(f"/customers/{gone.pk}/delete/", {"sure": "1"})
    assert answer.status_code == 302
    other.refresh_from_db()
    assert other.referred_by is None
    # And taking the deletion back ties the two again.
    result = undo(Operation.objects.latest("pk"), fresh(ana))
    other.refresh_from_db()
    assert (other.referred_by_id, result.left) == (gone.pk, [])


def test_a_second_first_contact_takes_the_place_of_the_first(world, ana):
    first = make_contact(ana, is_primary=True)
    rule(Contact, "is_primary")
    second = Contact(customer=first.customer, name="Nora", is_primary=True)
    with acting("page", fresh(ana)):
        save_contact(contact=second)
    first.refresh_from_db()
    assert (first.is_primary, second.is_primary) == (False, True)


def test_a_moment_that_the_program_sets_does_not_hold_up_an_action(world, ana):
    rule(Lead, "closed_at", "hidden")
    lead = make_lead(ana)
    url = reverse("sales:lead_lose", args=[lead.pk])
    assert world.client("ana").post(url, {"reason": "Price"}).status_code == 302
    lead.refresh_from_db()
    assert lead.closed_at is not None
    page = world.client("ana").get(lead.get_absolute_url()).content.decode()
    assert "Why lost" in page
    assert "<dt>Closed</dt>" not in page


def test_merging_moves_rows_but_no_value_that_is_kept(world, ana):
    into = make_customer(ana, name="Kept", phone="", city="")
    other = make_customer(ana, name="Gone", phone="777", city="Bern", custom={"a": 1})
    order = make_order(ana, customer=other)
    for name in ("phone", "custom"):
        rule(Customer, name, "hidden")
    rule(Order, "customer")
    browser = world.client("ana")
    url = f"/customers/merge/?pk={into.pk}&pk={other.pk}"
    data = {"pk": [into.pk, other.pk], "into": into.pk, "step": "merge"}
    seen = browser.get(url).context["seen"]
    answer = browser.post("/customers/merge/", data | {"seen": seen})
    assert answer.status_code == 302
    into.refresh_from_db()
    order.refresh_from_db()
    assert (into.phone, into.city, into.custom) == ("", "Bern", {})
    assert order.customer == into


def test_converting_asks_for_no_amount_that_is_kept(world, ana):
    rule(Opportunity, "amount", "hidden")
    lead, browser = make_lead(ana), world.client("ana")
    url = reverse("sales:lead_convert", args=[lead.pk])
    assert 'name="amount"' not in browser.get(url).content.decode()
    data = {"currency": "EUR", "opportunity_name": "Big", "amount": "5000"}
    assert browser.post(url, data).status_code == 302
    assert Opportunity.objects.get().amount == Decimal(0)


# --- Jobs -----------------------------------------------------------------------------


def test_a_job_that_meets_the_guard_says_so(world, ana, monkeypatch):
    """A bulk action that writes past its form, as an app might declare one."""
    row = make_customer(ana, phone="1")
    rule(Customer, "phone")
    monkeypatch.setattr(EditRows, "apply", lambda self, batch: by_sql(batch.rows[0]))
    person = fresh(ana)
    run = run_of(person, Selection(ids=(row.pk,)), "mode_city=set&city=Bern")
    job = enqueue(KIND, owner=person, params=run.params())
    with unchanged(Customer):
        assert runner.run(job.pk) == "failed"
    job.refresh_from_db()
    assert "does not change the field “Phone”" in job.error
