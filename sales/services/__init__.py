"""Writes of sales."""

from sales.services.leads import convert_lead, lose_lead, move_lead, save_lead
from sales.services.opportunities import (
    lose_opportunity,
    move_stage,
    reopen_opportunity,
    save_opportunity,
    win_opportunity,
)
from sales.services.orders import (
    cancel_order,
    complete_order,
    confirm_order,
    delete_order,
    make_return,
    move_order,
    next_order_number,
    save_order,
    ship_order,
    update_total,
)

__all__ = [
    "cancel_order",
    "complete_order",
    "confirm_order",
    "convert_lead",
    "delete_order",
    "lose_lead",
    "lose_opportunity",
    "make_return",
    "move_lead",
    "move_order",
    "move_stage",
    "next_order_number",
    "reopen_opportunity",
    "save_lead",
    "save_opportunity",
    "save_order",
    "ship_order",
    "update_total",
    "win_opportunity",
]
