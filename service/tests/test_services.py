"""Rules of tickets."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from crm.exceptions import UserVisibleError
from crm.models import AuditEntry
from crm.testing.world import make_person
from service import services
from service.choices import TICKET_MOVES, CategoryOrigin, MessageDirection, TicketState
from service.models import Message, Ticket
from service.signals import category_decided, ticket_saved
from service.tests.recipes import make_category, make_ticket


@pytest.fixture
def actor(db):
    return make_person("ana", None, "agent")


@pytest.mark.parametrize("old", TicketState.values)
@pytest.mark.parametrize("new", TicketState.values)
def test_only_the_moves_of_the_table_go_through(actor, old, new):
    ticket = make_ticket(actor, state=old)
    allowed = new in TICKET_MOVES[TicketState(old)]
    if allowed:
        services.move_ticket(ticket=ticket, actor=actor, state=new)
    else:
        with pytest.raises(UserVisibleError):
            services.move_ticket(ticket=ticket, actor=actor, state=new)
    ticket.refresh_from_db()
    assert ticket.state == (new if allowed else old)
    assert AuditEntry.objects.exists() == allowed


def test_solving_notes_the_time_and_reopening_forgets_it(actor):
    ticket = make_ticket(actor, state=TicketState.OPEN)
    services.move_ticket(ticket=ticket, actor=actor, state=TicketState.SOLVED)
    ticket.refresh_from_db()
    assert timezone.now() - ticket.solved_at < timedelta(minutes=1)
    services.move_ticket(ticket=ticket, actor=actor, state=TicketState.OPEN)
    ticket.refresh_from_db()
    assert ticket.solved_at is None


def test_customers_message_opens_a_solved_ticket_again(actor):
    ticket = make_ticket(actor, state=TicketState.SOLVED, solved_at=timezone.now())
    services.add_message(
        ticket=ticket, actor=actor, body="Still broken", direction=MessageDirection.IN
    )
    ticket.refresh_from_db()
    assert (ticket.state, ticket.solved_at) == (TicketState.OPEN, None)


def test_assigning_opens_a_new_ticket(actor):
    other = make_person("abe", None, "agent")
    ticket = make_ticket(None)
    services.assign_ticket(ticket=ticket, actor=actor, owner=other)
    ticket.refresh_from_db()
    assert (ticket.owner, ticket.state) == (other, TicketState.OPEN)


def test_signals_are_sent_after_commit_only(actor, django_capture_on_commit_callbacks):
    heard = []

    def hear(sender, ticket_id, **kwargs):
        heard.append(ticket_id)

    ticket_saved.connect(hear)
    category_decided.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=False) as callbacks:
            ticket = services.save_ticket(
                ticket=Ticket(subject="Dark"), actor=actor, changed=["subject"]
            )
            services.set_category(
                ticket=ticket,
                actor=actor,
                category=make_category(),
                origin=CategoryOrigin.PERSON,
            )
        assert heard == []
        for callback in callbacks:
            callback()
        assert heard == [ticket.pk, ticket.pk]
    finally:
        ticket_saved.disconnect(hear)
        category_decided.disconnect(hear)


def test_change_of_other_fields_does_not_classify_again(
    actor, django_capture_on_commit_callbacks
):
    ticket = make_ticket(actor)
    with django_capture_on_commit_callbacks() as callbacks:
        services.save_ticket(ticket=ticket, actor=actor, changed=["urgency"])
    assert callbacks == []


def test_editing_other_fields_keeps_where_the_category_came_from(actor):
    ticket = make_ticket(
        actor, category=make_category(), category_origin=CategoryOrigin.CORRECTED
    )
    services.save_ticket(ticket=ticket, actor=actor, changed=["urgency"])
    ticket.refresh_from_db()
    assert ticket.category_origin == CategoryOrigin.CORRECTED


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_do_not_both_go_through():
    """Solving and making wait at the same moment: the second sees the first."""
    actor = make_person("ana", None, "agent")
    ticket = make_ticket(actor, state=TicketState.SOLVED)

    def close():
        try:
            services.move_ticket(ticket=ticket, actor=actor, state=TicketState.CLOSED)
        except UserVisibleError:
            return "refused"
        finally:
            connection.close()
        return "moved"

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            Ticket.objects.select_for_update().get(pk=ticket.pk)
            answers = [pool.submit(close), pool.submit(close)]
        assert sorted(one.result(20) for one in answers) == ["moved", "refused"]
    assert AuditEntry.objects.filter(verb="state").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_agents_at_once_one_takes_the_ticket():
    agents = [make_person(name, None, "agent") for name in ("ana", "abe")]
    ticket = make_ticket(None)

    def take(agent):
        try:
            services.take_ticket(ticket=ticket, actor=agent)
        except UserVisibleError:
            return "refused"
        finally:
            connection.close()
        return "taken"

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            Ticket.objects.select_for_update().get(pk=ticket.pk)
            answers = [pool.submit(take, agent) for agent in agents]
        assert sorted(one.result(20) for one in answers) == ["refused", "taken"]
    assert AuditEntry.objects.filter(verb="assign").count() == 1


def test_numbers_are_never_given_twice(db):
    numbers = [services.next_number() for _ in range(50)]
    assert len(set(numbers)) == 50


def test_message_needs_a_body(actor):

    ticket = make_ticket(actor)
    with pytest.raises(ValidationError):
        services.add_message(ticket=ticket, actor=actor, body="")
    assert not Message.objects.exists()
