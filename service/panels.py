"""Parts of pages that show tickets."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.access import Verb, can, read_only_fields
from crm.generic.panels import Panel
from crm.generic.registry import register_panel, register_related
from customers.models import Customer
from service import timeline  # noqa: F401  (registers its source)
from service.choices import TICKET_MOVES, TicketState
from service.forms import AssignForm, MessageForm
from service.models import Message, Ticket, TicketCategory
from service.selectors import customer_tickets, may_answer, ticket_messages


class TicketTextPanel(Panel):
    """What the customer wrote."""

    title = _("Text")
    template = "service/_ticket_text.html"
    reads = ("description",)
    order = 10


class ConversationPanel(Panel):
    """Messages and the box to answer."""

    title = _("Conversation")
    template = "service/_conversation.html"
    order = 20
    requires = Message

    def get_context(self, request: HttpRequest, obj: Model) -> dict[str, Any]:
        """Return the messages, and the form for those who may answer."""
        user = request.user
        return {
            "messages_of_ticket": ticket_messages(user=user, ticket=obj),
            "message_form": MessageForm() if may_answer(user, obj) else None,
        }


class TicketWorkPanel(Panel):
    """Buttons that move the ticket on."""

    title = _("Next step")
    template = "service/_ticket_work.html"
    column = "side"
    order = 5

    def visible(self, user: Any, obj: Model) -> bool:
        """Show it to those who may change the ticket, or take it if nobody has it."""
        if obj.owner_id is None:
            return can(user, Verb.CHANGE, Ticket)
        return can(user, Verb.CHANGE, obj)

    def get_context(self, request: HttpRequest, obj: Model) -> dict[str, Any]:
        """Return the moves that are allowed now, in the order of the states."""
        if not can(request.user, Verb.CHANGE, obj):
            return {"moves": [], "assign_form": None}
        kept = read_only_fields(request.user, Ticket)
        moves = () if "state" in kept else TICKET_MOVES[TicketState(obj.state)]
        return {
            "moves": [state for state in TicketState if state in moves],
            "assign_form": AssignForm(
                user=request.user, initial={"owner": obj.owner_id}
            ),
        }


class CustomerTicketsPanel(Panel):
    """The customer's newest tickets."""

    title = _("Tickets")
    template = "service/_customer_tickets.html"
    order = 40
    lazy = True
    requires = Ticket

    def get_context(self, request: HttpRequest, obj: Model) -> dict[str, Any]:
        """Return five tickets, the counts and the way to all of them."""
        facts = customer_tickets(user=request.user, customer=obj)
        url = reverse("service:ticket_list")
        return {"facts": facts, "list_url": f"{url}?customer={obj.pk}"}


register_panel(Customer, CustomerTicketsPanel)
register_related(Customer, Ticket, "customer")
register_related(TicketCategory, Ticket, "category")
