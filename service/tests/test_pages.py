"""Pages of tickets and their categories."""

import pytest

from crm.models import AuditEntry
from crm.testing.pages import PageTests
from crm.testing.snapshot import unchanged
from crm.testing.world import make_world
from customers.models import Customer
from service.choices import CategoryOrigin, MessageDirection, TicketState
from service.models import Message, Ticket
from service.pages import TicketCategoryPages, TicketPages
from service.tests.recipes import make_category, make_ticket


@pytest.fixture
def world(db):
    return make_world(ana="agent", ben="service_manager")


class TestTicketPages(PageTests):
    """An agent reads all tickets and works on those of the own team."""

    pages = TicketPages
    roles = {"ana": "agent", "ben": "service_manager"}
    guarded = (Message,)
    changed_value = ("subject", "The kettle is dry again")
    list_queries = ("open=true", "uncategorised=true", "unassigned=true", "q=kettle")

    def make(self, owner, **values):
        return make_ticket(owner, **values)

    def form_data(self, world):
        return {
            "subject": "Kettle leaks",
            "description": "Water on the table.",
            "kind": "issue",
            "urgency": "high",
            "channel": "email",
            "owner": world.ana.pk,
        }


class TestTicketCategoryPages(PageTests):
    """Categories are for everyone to read and for managers to change."""

    pages = TicketCategoryPages
    roles = {"ana": "agent", "ben": "service_manager"}
    changed_value = ("name", "Renamed")

    def make(self, owner, **values):
        return make_category(**values)

    def form_data(self, world):
        return {"name": "Leaks", "code": "leaks", "is_active": "on"}


def test_new_ticket_gets_a_number_and_the_writer_as_agent(world):
    data = {"subject": "No light", "kind": "issue", "urgency": "low", "channel": "web"}
    world.client("ana").post("/tickets/new/", data | {"owner": world.ana.pk})
    ticket = Ticket.objects.get(subject="No light")
    assert ticket.number.startswith("T")
    assert ticket.owner == world.ana
    assert ticket.category_origin == ""


def test_category_chosen_in_the_form_counts_as_a_persons_word(world):
    category = make_category()
    data = {"subject": "No light", "kind": "issue", "urgency": "low", "channel": "web"}
    world.client("ana").post("/tickets/new/", data | {"category": category.pk})
    ticket = Ticket.objects.get(subject="No light")
    assert ticket.category == category
    assert ticket.category_origin == CategoryOrigin.PERSON


def test_answer_is_added_and_the_ticket_waits(world):
    ticket = make_ticket(world.ana)
    data = {"body": "We look into it.", "direction": "out"}
    response = world.client("ana").post(f"/tickets/{ticket.pk}/messages/", data)
    assert response.status_code == 302
    message = Message.objects.get(ticket=ticket)
    assert (message.author, message.body) == (world.ana, "We look into it.")
    ticket.refresh_from_db()
    assert ticket.state == TicketState.WAITING
    page = world.client("ana").get(ticket.get_absolute_url())
    assert "We look into it." in page.text


def test_empty_answer_changes_nothing_and_says_why(world):
    ticket = make_ticket(world.ana)
    with unchanged(Ticket, Message, AuditEntry):
        response = world.client("ana").post(
            f"/tickets/{ticket.pk}/messages/",
            {"body": " ", "direction": "out"},
        )
    assert response.status_code == 422
    assert response.context["form"].errors["body"]


def test_answer_that_is_refused_can_be_sent_once_more(world):
    ticket = make_ticket(world.ana)
    text = "Kettle " * 3000
    with unchanged(Ticket, Message, AuditEntry):
        response = world.client("ana").post(
            f"/tickets/{ticket.pk}/messages/", {"body": text, "direction": "out"}
        )
    assert response.status_code == 422
    assert text in response.text


@pytest.mark.parametrize(("owner", "status"), [("ana", 302), ("abe", 403)])
def test_who_sells_answers_own_tickets_only(db, owner, status):
    world = make_world(ana="representative")
    ticket = make_ticket(getattr(world, owner))
    client = world.client("ana")
    url = f"/tickets/{ticket.pk}/messages/"
    assert (url in client.get(ticket.get_absolute_url()).text) == (status == 302)
    data = {"body": "We look into it.", "direction": "out"}
    before = Message.objects.count()
    assert client.post(url, data).status_code == status
    assert Message.objects.count() - before == (status == 302)


@pytest.mark.parametrize("page", ["move", "assign", "category"])
def test_strangers_ticket_cannot_be_worked_on(world, page):
    ticket = make_ticket(world.cleo)
    data = {
        "state": "open",
        "owner": world.ana.pk,
        "category": make_category().pk,
    }
    with unchanged(Ticket, Message, AuditEntry):
        response = world.client("ana").post(f"/tickets/{ticket.pk}/{page}/", data)
    assert response.status_code == 404


@pytest.mark.parametrize("page", ["move", "assign", "category", "messages"])
def test_who_holds_no_role_can_do_nothing(world, page):
    ticket = make_ticket(world.ana)
    data = {"state": "open", "body": "x", "direction": "out"}
    with unchanged(Ticket, Message, AuditEntry):
        response = world.client("fay").post(f"/tickets/{ticket.pk}/{page}/", data)
    assert response.status_code == 403


def test_suggestion_can_be_accepted_or_corrected(world):
    said, other = make_category(), make_category()
    for chosen, origin in (
        (said, CategoryOrigin.ACCEPTED),
        (other, CategoryOrigin.CORRECTED),
    ):
        ticket = make_ticket(world.ana)
        data = {"category": chosen.pk, "suggested": said.pk}
        world.client("ana").post(f"/tickets/{ticket.pk}/category/", data)
        ticket.refresh_from_db()
        assert (ticket.category, ticket.category_origin) == (chosen, origin)


def test_category_out_of_use_cannot_be_chosen(world):
    ticket = make_ticket(world.ana)
    old = make_category(is_active=False)
    with unchanged(Ticket, AuditEntry):
        response = world.client("ana").post(
            f"/tickets/{ticket.pk}/category/", {"category": old.pk}, follow=True
        )
    assert "Choose a category from the list." in response.text


def test_agent_takes_a_ticket_that_nobody_has(world):
    ticket = make_ticket(None)
    client = world.client("ana")
    assert "Take it" in client.get(ticket.get_absolute_url()).text
    client.post(f"/tickets/{ticket.pk}/take/")
    ticket.refresh_from_db()
    assert (ticket.owner, ticket.state) == (world.ana, TicketState.OPEN)


def test_ticket_that_somebody_has_cannot_be_taken(world):
    ticket = make_ticket(world.cleo)
    with unchanged(Ticket, AuditEntry):
        response = world.client("ana").post(f"/tickets/{ticket.pk}/take/", follow=True)
    assert "has taken this ticket already" in response.text


def test_forbidden_move_is_refused_in_words(world):
    ticket = make_ticket(world.ana)
    with unchanged(Ticket, AuditEntry):
        response = world.client("ana").post(
            f"/tickets/{ticket.pk}/move/", {"state": "closed"}, follow=True
        )
    assert "cannot become" in response.text


def test_customers_page_shows_tickets_in_panel_and_timeline(world):
    customer = Customer.objects.create(name="Lamp & Co", owner=world.ana)
    make_ticket(world.ana, customer=customer, subject="The lamp hums")
    make_ticket(world.cleo, customer=customer, subject="Done long ago", state="closed")
    client = world.client("dev")
    assert "The lamp hums" in client.get(customer.get_absolute_url()).text
    url = f"{customer.get_absolute_url()}panel/customertickets/"
    panel = client.get(url, headers={"HX-Request": "true"}).text
    assert "The lamp hums" in panel
    assert f"/tickets/?customer={customer.pk}" in panel
    nobody = world.client("fay").get(url)
    assert nobody.status_code == 403


def test_note_is_kept_apart_from_answers(world):
    ticket = make_ticket(world.ana)
    data = {"body": "Call him at noon.", "direction": "note"}
    world.client("ana").post(f"/tickets/{ticket.pk}/messages/", data)
    ticket.refresh_from_db()
    assert ticket.state == TicketState.NEW
    assert Message.objects.get().direction == MessageDirection.NOTE
