"""Tickets and what was written in them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.addresses import address_of
from crm.models import BaseModel, CustomValues, OwnedModel
from customers.models import Customer
from service.choices import (
    OPEN_STATES,
    CategoryOrigin,
    MessageDirection,
    TicketChannel,
    TicketKind,
    TicketState,
    Urgency,
)
from service.querysets import TicketQuerySet


class TicketCategory(BaseModel):
    """What a ticket can be about; the classes that the text model learns."""

    code = models.CharField(_("code"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=120)
    is_active = models.BooleanField(_("in use"), default=True)

    access_shared = True

    class Meta:
        verbose_name = _("ticket category")
        verbose_name_plural = _("ticket categories")
        ordering = ("name", "pk")

    def __str__(self) -> str:
        # Names that ship with the product are in the catalogue of translations.
        return str(_(self.name))

    def get_absolute_url(self) -> str:
        """Return the category's page."""
        return address_of("service:ticketcategory_detail", self.pk)


class Ticket(CustomValues, OwnedModel):
    """A question, an issue or a complaint; the owner is the agent who answers.

    ``dataset`` and ``split`` mark rows of a public collection, so that a model can be
    measured on the split that others published figures for.
    """

    number = models.CharField(_("number"), max_length=40, unique=True)
    subject = models.CharField(_("subject"), max_length=300)
    description = models.TextField(_("text"), blank=True)
    customer = models.ForeignKey(
        Customer,
        verbose_name=_("customer"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tickets",
    )
    kind = models.CharField(
        _("kind"), max_length=10, choices=TicketKind.choices, default=TicketKind.INQUIRY
    )
    state = models.CharField(
        _("state"), max_length=10, choices=TicketState.choices, default=TicketState.NEW
    )
    urgency = models.CharField(
        _("urgency"), max_length=10, choices=Urgency.choices, default=Urgency.NORMAL
    )
    channel = models.CharField(
        _("channel"),
        max_length=10,
        choices=TicketChannel.choices,
        default=TicketChannel.EMAIL,
    )
    category = models.ForeignKey(
        TicketCategory,
        verbose_name=_("category"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tickets",
    )
    category_origin = models.CharField(
        _("category given by"),
        max_length=10,
        choices=CategoryOrigin.choices,
        blank=True,
        editable=False,
    )
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    solved_at = models.DateTimeField(_("solved"), null=True, blank=True, editable=False)
    dataset = models.CharField(_("data set"), max_length=40, blank=True)
    split = models.CharField(_("part of the data set"), max_length=10, blank=True)

    objects = models.Manager.from_queryset(TicketQuerySet)()

    belongs_to = ("customer",)

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ("-opened_at", "-pk")
        indexes = (
            models.Index(fields=["-opened_at", "-id"], name="ticket_by_time"),
            models.Index(fields=["customer", "-opened_at"], name="ticket_by_customer"),
            models.Index(
                fields=["owner", "-opened_at"],
                name="ticket_open_by_owner",
                condition=Q(state__in=[str(state) for state in OPEN_STATES]),
            ),
            models.Index(fields=["category", "-opened_at"], name="ticket_by_category"),
            models.Index(fields=["state", "-opened_at", "-id"], name="ticket_by_state"),
            models.Index(
                fields=["state", "-solved_at", "-id"],
                name="ticket_solved_by_state",
                condition=Q(solved_at__isnull=False),
            ),
            # What the start page counts, without a look at the rows.
            models.Index(
                fields=["owner", "urgency", "category"],
                name="ticket_open_counts",
                condition=Q(state__in=[str(state) for state in OPEN_STATES]),
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(category__isnull=False) | Q(category_origin=""),
                name="ticket_origin_needs_category",
            ),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.subject}"

    def get_absolute_url(self) -> str:
        """Return the ticket's page."""
        return address_of("service:ticket_detail", self.pk)

    @property
    def is_open(self) -> bool:
        """Tell whether somebody still has to act."""
        return self.state in OPEN_STATES


class Message(BaseModel):
    """One message of a ticket."""

    ticket = models.ForeignKey(
        Ticket,
        verbose_name=_("ticket"),
        on_delete=models.CASCADE,
        related_name="messages",
    )
    direction = models.CharField(
        _("direction"),
        max_length=5,
        choices=MessageDirection.choices,
        default=MessageDirection.OUT,
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    body = models.TextField(_("text"))
    sent_at = models.DateTimeField(_("sent"), default=timezone.now)

    access_path = "ticket__owner"
    # Who has the ticket, or follows it, is told of it.
    comments_on = "ticket"
    belongs_to = ("ticket",)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("sent_at", "pk")
        indexes = (
            models.Index(fields=["ticket", "sent_at"], name="message_by_ticket"),
        )

    def __str__(self) -> str:
        return self.body[:80]
