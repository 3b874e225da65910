"""Tickets in the customer's timeline."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from crm.addresses import address_of
from crm.generic.formats import words_of
from crm.models import User
from crm.models.users import full_name
from customers.models import Customer
from customers.timeline import (
    TimelineEntry,
    TimelineSource,
    newest,
    register_timeline,
)
from service.models import Ticket

NEWEST = newest(Ticket, "opened_at", "pk", "subject", "number", "state")


class TicketSource(TimelineSource):
    """Tickets that the customer opened."""

    key = "ticket"
    label = _("Tickets")
    requires = Ticket

    def entries(
        self, user: User, customer: Customer, limit: int
    ) -> Iterable[TimelineEntry]:
        """Return the newest tickets."""
        states = words_of(Ticket, "state")
        tickets = NEWEST.rows(user, customer.pk, limit=limit)
        for at, pk, subject, number, state, *owner in tickets:
            yield TimelineEntry(
                at=at,
                title=subject,
                icon="ticket",
                url=address_of("service:ticket_detail", pk),
                text=number,
                badge=states[state],
                state=state,
                person=full_name(*owner),
            )


register_timeline(TicketSource())
