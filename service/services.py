"""Writes of the service app."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.access import Verb, require_in_reach
from crm.audit import record, stored_name
from crm.exceptions import UserVisibleError
from crm.history.context import consequence
from crm.models import User
from service.choices import (
    TICKET_MOVES,
    CategoryOrigin,
    MessageDirection,
    TicketState,
)
from service.models import Message, Ticket, TicketCategory
from service.signals import category_decided, ticket_saved


def next_number() -> str:
    """Return a ticket number nobody holds, from the database's own sequence.

    The sequence never goes back, so two people saving at once get two numbers; a save
    that fails leaves a gap, which is harmless.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('service_ticket_number')")
        return f"T{cursor.fetchone()[0]:06d}"


def _locked(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_for_update().get(pk=ticket.pk)


@transaction.atomic
def save_ticket(*, ticket: Ticket, actor: User, changed: list[str]) -> Ticket:
    """Save a ticket from a form, number it if it is new, and have its text classified.

    A category that a person typed into the form counts as that person's word.
    """
    is_new = ticket.pk is None
    if is_new and not ticket.number:
        ticket.number = next_number()
    if is_new and ticket.owner_id is None and "owner" not in changed:
        ticket.owner = actor
    if "category" in changed or is_new:
        ticket.category_origin = CategoryOrigin.PERSON if ticket.category_id else ""
    ticket.full_clean()
    ticket.save()
    if is_new or {"subject", "description"} & set(changed):
        announce(ticket_saved, ticket)
    return ticket


def announce(signal: Any, ticket: Ticket) -> None:
    """Send a signal about the ticket when the transaction is committed."""
    ticket_id = ticket.pk
    transaction.on_commit(lambda: signal.send_robust(Ticket, ticket_id=ticket_id))


@transaction.atomic
def move_ticket(*, ticket: Ticket, actor: User, state: str) -> Ticket:
    """Move a ticket to another state; raises UserVisibleError for a forbidden move."""
    ticket = _locked(ticket)
    if state not in TICKET_MOVES[TicketState(ticket.state)]:
        message = _("A ticket that is “%(old)s” cannot become “%(new)s”.") % {
            "old": ticket.get_state_display(),
            "new": TicketState(state).label,
        }
        raise UserVisibleError(message)
    old, ticket.state = ticket.state, state
    ticket.solved_at = (
        ticket.solved_at or timezone.now()
        if state in (TicketState.SOLVED, TicketState.CLOSED)
        else None
    )
    ticket.save(update_fields=["state", "solved_at", "updated_at"])
    record(actor, "state", ticket, {"state": [old, state]})
    return ticket


@transaction.atomic
def assign_ticket(*, ticket: Ticket, actor: User, owner: User) -> Ticket:
    """Hand a ticket to an agent; a new one counts as open from then on."""
    ticket = _locked(ticket)
    old = ticket.owner
    ticket.owner = owner
    if ticket.state == TicketState.NEW:
        ticket.state = TicketState.OPEN
    with consequence():
        ticket.save(update_fields=["owner", "state", "updated_at"])
    require_in_reach(actor, Verb.VIEW, ticket)
    record(actor, "assign", ticket, {"owner": [stored_name(old), stored_name(owner)]})
    return ticket


@transaction.atomic
def take_ticket(*, ticket: Ticket, actor: User) -> Ticket:
    """Take a ticket that nobody has; raises UserVisibleError if somebody was quicker.

    Who may change tickets at all may take one from the common pile: before that it is
    in nobody's reach.
    """
    ticket = _locked(ticket)
    if ticket.owner_id is not None:
        raise UserVisibleError(
            _("%(name)s has taken this ticket already.") % {"name": ticket.owner}
        )
    return assign_ticket(ticket=ticket, actor=actor, owner=actor)


@transaction.atomic
def add_message(
    *, ticket: Ticket, actor: User, body: str, direction: str = MessageDirection.OUT
) -> Message:
    """Write an answer or an internal note; an answer makes the ticket wait."""
    ticket = _locked(ticket)
    message = Message(ticket=ticket, author=actor, body=body, direction=direction)
    message.full_clean()
    message.save()
    reopened = direction == MessageDirection.IN and not ticket.is_open
    if direction == MessageDirection.OUT and ticket.state in (
        TicketState.NEW,
        TicketState.OPEN,
    ):
        ticket.state = TicketState.WAITING
    elif direction == MessageDirection.IN and (
        reopened or ticket.state == TicketState.WAITING
    ):
        ticket.state, ticket.solved_at = TicketState.OPEN, None
    with consequence():
        ticket.save(update_fields=["state", "solved_at", "updated_at"])
    record(actor, "message", ticket)
    return message


@transaction.atomic
def set_category(
    *, ticket: Ticket, actor: User, category: TicketCategory, origin: str
) -> Ticket:
    """Decide a ticket's category; the origin says whether a suggestion was followed."""
    ticket = _locked(ticket)
    old, old_origin = ticket.category, ticket.category_origin
    ticket.category = category
    ticket.category_origin = CategoryOrigin(origin)
    ticket.full_clean()
    ticket.save(update_fields=["category", "category_origin", "updated_at"])
    record(
        actor,
        "category",
        ticket,
        {
            "category": [stored_name(old), stored_name(category)],
            "category_origin": [old_origin or None, str(origin)],
        },
    )
    announce(category_decided, ticket)
    return ticket
