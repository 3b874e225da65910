"""How tickets lie on a board."""

from __future__ import annotations

from crm.generic.board import Board, since_last_move
from crm.generic.tables import RelatedColumn
from crm.models import User
from service.choices import OPEN_STATES, TICKET_MOVES, TicketState
from service.models import Ticket
from service.services import move_ticket
from service.tables import STATE_COLOURS


def move(ticket: Ticket, state: str, actor: User, reason: str) -> None:
    """Move the ticket on."""
    move_ticket(ticket=ticket, actor=actor, state=state)


TICKETS = Board(
    field="state",
    moves=lambda ticket: TICKET_MOVES[TicketState(ticket.state)],
    move=move,
    order=("-opened_at", "-pk"),
    title="subject",
    facts=("urgency", "customer", RelatedColumn("owner"), "number"),
    closed=lambda state: state not in OPEN_STATES,
    closed_at="solved_at",
    colour=STATE_COLOURS.get,
    since=since_last_move("opened_at"),
    calm=3,
    late=7,
    quick=("subject", "customer", "urgency"),
)
