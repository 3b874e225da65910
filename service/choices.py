"""States of tickets and the moves between them."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class TicketKind(models.TextChoices):
    """What a ticket is about."""

    INQUIRY = "inquiry", _("Inquiry")
    ISSUE = "issue", _("Issue")
    COMPLAINT = "complaint", _("Complaint")


class TicketState(models.TextChoices):
    """Where a ticket stands."""

    NEW = "new", _("New")
    OPEN = "open", _("Open")
    WAITING = "waiting", _("Waiting for the customer")
    SOLVED = "solved", _("Solved")
    CLOSED = "closed", _("Closed")


TICKET_MOVES = {
    TicketState.NEW: {TicketState.OPEN, TicketState.WAITING, TicketState.SOLVED},
    TicketState.OPEN: {TicketState.WAITING, TicketState.SOLVED},
    TicketState.WAITING: {TicketState.OPEN, TicketState.SOLVED},
    TicketState.SOLVED: {TicketState.OPEN, TicketState.CLOSED},
    TicketState.CLOSED: {TicketState.OPEN},
}
OPEN_STATES = (TicketState.NEW, TicketState.OPEN, TicketState.WAITING)


class Urgency(models.TextChoices):
    """How soon somebody has to act."""

    LOW = "low", _("Low")
    NORMAL = "normal", _("Normal")
    HIGH = "high", _("High")
    URGENT = "urgent", _("Urgent")


class CategoryOrigin(models.TextChoices):
    """How a ticket got its category; only what a person vouches for is learned from."""

    PERSON = "person", _("set by a person")
    IMPORT = "import", _("imported")
    ACCEPTED = "accepted", _("suggestion accepted")
    CORRECTED = "corrected", _("suggestion corrected")


class MessageDirection(models.TextChoices):
    """Who wrote a message."""

    IN = "in", _("From the customer")
    OUT = "out", _("To the customer")
    NOTE = "note", _("Internal note")


class TicketChannel(models.TextChoices):
    """How a ticket came in."""

    EMAIL = "email", pgettext_lazy("channel", "Email")
    PHONE = "phone", _("Phone")
    CHAT = "chat", _("Chat")
    WEB = "web", _("Web form")
    OTHER = "other", _("Other")
