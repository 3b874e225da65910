"""Pages of the service app."""

from __future__ import annotations

from typing import Any

from crm.audit import record
from crm.generic.pages import Nav, Pages, register
from crm.generic.panels import FieldsPanel
from crm.models import User
from crm.search.declaration import Search
from service.boards import TICKETS
from service.filters import TicketCategoryFilters, TicketFilters
from service.forms import TicketCategoryForm, TicketForm
from service.imports import TicketImporter
from service.models import Ticket, TicketCategory
from service.panels import ConversationPanel, TicketTextPanel, TicketWorkPanel
from service.services import save_ticket
from service.tables import TicketCategoryTable, TicketTable


@register
class TicketPages(Pages):
    """Tickets."""

    model = Ticket
    path = "tickets"
    table = TicketTable
    filters = TicketFilters
    form = TicketForm
    importer = TicketImporter
    panels = [
        TicketTextPanel,
        ConversationPanel,
        TicketWorkPanel,
        FieldsPanel(
            [
                "customer",
                "kind",
                "urgency",
                "category",
                "channel",
                "owner",
                "opened_at",
                "solved_at",
            ],
            column="side",
            order=20,
        ),
    ]
    board = TICKETS
    nav = Nav(section="service", order=10, icon="ticket")
    search = Search(
        number=("number",),
        text=("subject",),
        related=("customer",),
        title=("number", "subject"),
        facts=("customer__name", "state"),
    )
    quick_fields = ("subject", "description", "customer", "urgency")
    state_field = "state"

    def save(self, form: Any, formset: Any, actor: User) -> Ticket:
        """Route the write to the service and log it."""
        verb = "added" if form.is_new else "changed"
        changes = form.changes()
        ticket = save_ticket(
            ticket=form.instance, actor=actor, changed=form.changed_data
        )
        record(actor, verb, ticket, changes)
        return ticket


@register
class TicketCategoryPages(Pages):
    """What tickets can be about."""

    model = TicketCategory
    path = "ticket-categories"
    table = TicketCategoryTable
    filters = TicketCategoryFilters
    form = TicketCategoryForm
    panels = [FieldsPanel(["code", "is_active"])]
    nav = Nav(section="service", order=30, icon="tag")
    search_fields = ("name", "code")
