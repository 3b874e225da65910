"""States of sales and the moves between them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class LeadState(models.TextChoices):
    """Where a lead stands."""

    NEW = "new", _("New")
    WORKING = "working", _("Working")
    CONVERTED = "converted", _("Converted")
    LOST = "lost", _("Lost")


# Somebody should still work on these.
OPEN_LEAD_STATES = (LeadState.NEW.value, LeadState.WORKING.value)

LEAD_MOVES = {
    LeadState.NEW: {LeadState.WORKING, LeadState.CONVERTED, LeadState.LOST},
    LeadState.WORKING: {LeadState.CONVERTED, LeadState.LOST},
    LeadState.LOST: {LeadState.WORKING},
    LeadState.CONVERTED: set(),
}


class StageKind(models.TextChoices):
    """What a stage means for an opportunity."""

    OPEN = "open", _("Open")
    WON = "won", _("Won")
    LOST = "lost", _("Lost")


# A won opportunity has become revenue: it is corrected by a return, not reopened.
STAGE_MOVES = {
    StageKind.OPEN: {StageKind.OPEN, StageKind.WON, StageKind.LOST},
    StageKind.LOST: {StageKind.OPEN},
    StageKind.WON: set(),
}


class OrderKind(models.TextChoices):
    """Whether goods went out or came back."""

    SALE = "sale", _("Sale")
    RETURN = "return", _("Return")


class OrderState(models.TextChoices):
    """Where an order stands."""

    DRAFT = "draft", _("Draft")
    CONFIRMED = "confirmed", _("Confirmed")
    SHIPPED = "shipped", _("Shipped")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


ORDER_MOVES = {
    OrderState.DRAFT: {OrderState.CONFIRMED, OrderState.CANCELLED},
    OrderState.CONFIRMED: {OrderState.SHIPPED, OrderState.CANCELLED},
    OrderState.SHIPPED: {OrderState.COMPLETED},
    OrderState.COMPLETED: set(),
    OrderState.CANCELLED: set(),
}

# What counts as revenue.
BOOKED_STATES = (OrderState.CONFIRMED, OrderState.SHIPPED, OrderState.COMPLETED)
