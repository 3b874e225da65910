"""Reads of the service app that pages and upper apps share."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from crm.access import Scope, Verb, owner_condition, scope_of
from crm.generic.focus import Focus
from crm.models import User
from customers.models import Customer
from service.choices import OPEN_STATES
from service.models import Message, Ticket


@dataclass(frozen=True)
class CustomerTickets:
    """A customer's tickets as far as one person may see them."""

    newest: list[Ticket]
    total: int
    open: int


def customer_tickets(
    *, user: User, customer: Customer, limit: int = 5
) -> CustomerTickets:
    """Return the newest tickets of a customer and how many there are."""
    visible = Ticket.objects.visible_to(user).filter(customer=customer)
    counts = visible.aggregate(
        total=Count("pk"), open=Count("pk", filter=Q(state__in=OPEN_STATES))
    )
    newest = list(visible.order_by("-opened_at", "-pk")[:limit])
    return CustomerTickets(newest, counts["total"], counts["open"])


def may_answer(user: User, ticket: Ticket) -> bool:
    """Tell whether the person may write into this ticket, seen that it is visible."""
    scope = scope_of(user, Verb.ADD, Message)
    if scope in (None, Scope.ALL):
        return scope is not None
    # A message belongs to the owner of its ticket.
    reach = owner_condition(Ticket, user, scope)
    return Ticket.objects.filter(reach, pk=ticket.pk).exists()


def ticket_messages(*, user: User, ticket: Ticket) -> QuerySet[Message]:
    """Return a ticket's messages, oldest first."""
    return (
        Message.objects.visible_to(user)
        .filter(ticket=ticket)
        .select_related("author")
        .order_by("sent_at", "pk")
    )


@dataclass(frozen=True)
class OpenTickets:
    """How many tickets wait, as far as one person may see."""

    open: int
    unassigned: int
    uncategorised: int
    urgent: int
    mine: int


# The states stand in the text: only so does the index of the open ones serve.
OPEN = ", ".join(f"'{state.value}'" for state in OPEN_STATES)
OPEN_TICKETS = f"""
    SELECT count(urgency),
           count(urgency) FILTER (WHERE owner_id IS NULL),
           count(urgency) FILTER (WHERE category_id IS NULL),
           count(urgency) FILTER (WHERE urgency IN ('high', 'urgent')),
           count(urgency) FILTER (WHERE owner_id = %s)
    FROM service_ticket WHERE state IN ({OPEN}) {{whose}}
"""  # noqa: S608


def open_tickets(focus: Focus) -> OpenTickets:
    """Count the tickets that somebody still has to act on, of the chosen people.

    By a column that the index holds and that is never empty: no row is looked at.
    """
    (counts,) = focus.read(OPEN_TICKETS, Ticket, focus.user.pk)
    return OpenTickets(*counts)
