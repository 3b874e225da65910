"""Tickets in the customer's timeline."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from crm.models import User
from customers.models import Customer
from customers.timeline import TimelineEntry, TimelineSource, register_timeline
from service.models import Ticket


class TicketSource(TimelineSource):
    """Tickets that the customer opened."""

    key = "ticket"
    label = _("Tickets")
    requires = Ticket

    def entries(
        self, user: User, customer: Customer, limit: int
    ) -> Iterable[TimelineEntry]:
        """Return the newest tickets."""
        tickets = (
            Ticket.objects.visible_to(user)
            .filter(customer=customer)
            .select_related("owner")
            .order_by("-opened_at", "-pk")[:limit]
        )
        for ticket in tickets:
            yield TimelineEntry(
                at=ticket.opened_at,
                title=ticket.subject,
                icon="ticket",
                url=ticket.get_absolute_url(),
                text=ticket.number,
                badge=ticket.get_state_display(),
                state=ticket.state,
                person=str(ticket.owner or ""),
            )


register_timeline(TicketSource())
