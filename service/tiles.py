"""What the start page shows of service."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.generic.panels import Tile
from crm.generic.registry import register_tile
from service.models import Ticket
from service.selectors import open_tickets


@register_tile
class OpenTicketsTile(Tile):
    """Tickets on which somebody has to act."""

    title = _("Open tickets")
    template = "service/_tile_open_tickets.html"
    order = 25
    requires = Ticket

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return the counts and the list behind each."""
        facts = open_tickets(user=request.user)
        url = f"{reverse('service:ticket_list')}?open=true"
        rows = [
            (_("Urgent or high"), facts.urgent, "&urgency=high&urgency=urgent"),
            (_("Without an agent"), facts.unassigned, "&unassigned=true"),
            (_("Without a category"), facts.uncategorised, "&uncategorised=true"),
            (_("Mine"), facts.mine, f"&owner={request.user.pk}"),
        ]
        return {
            "total": facts.open,
            "url": url,
            "rows": [
                {"label": label, "count": count, "url": url + query}
                for label, count, query in rows
            ],
        }
