"""Who may open the special addresses of the service app."""

from crm.testing.access_matrix import Rule
from service.models import Message, Ticket

RULES = {
    "service:ticket_assign": Rule(Ticket, "change", methods=("post",)),
    "service:ticket_categorise": Rule(Ticket, "change", methods=("post",)),
    "service:ticket_take": Rule(Ticket, methods=("post",), needs=((Ticket, "change"),)),
    "service:ticket_reply": Rule(
        Ticket,
        methods=("post",),
        needs=((Message, "add"),),
        # Seen, but somebody else's: what is written there would be out of reach.
        also=(403,),
    ),
}
