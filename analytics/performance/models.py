"""Targets."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from crm.addresses import address_of
from crm.models import OwnedModel
from crm.money import default_currency


class Kpi(models.TextChoices):
    """What a target counts."""

    REVENUE = "revenue", _("Revenue")
    ORDERS = "orders", _("Orders")
    NEW_CUSTOMERS = "new_customers", _("New customers")
    TICKETS_SOLVED = "tickets_solved", _("Tickets solved")


class Target(OwnedModel):
    """What the owner is to reach in a period, in the unit of the figure."""

    kpi = models.CharField(_("figure"), max_length=20, choices=Kpi.choices)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    value = models.DecimalField(_("target"), max_digits=16, decimal_places=2)

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        ordering = ("-starts_on", "-pk")
        indexes = (models.Index(fields=["-starts_on", "-id"], name="target_by_start"),)
        constraints = (
            models.UniqueConstraint(
                fields=["owner", "kpi", "starts_on", "ends_on"], name="target_once"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")), name="target_ends_after_start"
            ),
        )

    def __str__(self) -> str:
        start, end = (
            date_format(day, "SHORT_DATE_FORMAT")
            for day in (self.starts_on, self.ends_on)
        )
        return f"{self.get_kpi_display()} {start} – {end}"

    @property
    def currency(self) -> str:
        """Return the currency of a target in money; nothing for one that counts."""
        return default_currency() if self.kpi == Kpi.REVENUE else ""

    def get_absolute_url(self) -> str:
        """Return the target's page."""
        return address_of("performance:target_detail", self.pk)

    def clean(self) -> None:
        """Refuse a period that ends before it starts."""
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValidationError({"ends_on": _("The end lies before the start.")})
