"""What the start page shows of service."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.generic.focus import Focus
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
        focus = request.focus
        facts = open_tickets(focus)
        rows = [
            (_("Urgent or high"), facts.urgent, {"urgency": ["high", "urgent"]}),
            (_("Without an agent"), facts.unassigned, {"unassigned": "true"}),
            (_("Without a category"), facts.uncategorised, {"uncategorised": "true"}),
        ]
        if focus.person is None:
            rows.append((_("Mine"), facts.mine, {"owner": str(request.user.pk)}))
        return {
            "total": facts.open,
            "url": list_of(focus),
            "rows": [
                {"label": label, "count": count, "url": list_of(focus, query)}
                for label, count, query in rows
            ],
        }


def list_of(focus: Focus, query: dict[str, Any] | None = None) -> str:
    """Return the address of the list of the chosen people's open tickets."""
    query = {"open": "true"} | focus.people_query | (query or {})
    return f"{reverse('service:ticket_list')}?{urlencode(query, doseq=True)}"
