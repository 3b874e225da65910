"""Sums over orders that are kept beside them; see docs/rollups.md."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Grain(models.TextChoices):
    """What a sum is taken over; days and months are those of UTC."""

    DAY = "day"
    COUNTRY = "country"
    OWNER = "owner"
    # The same by month: whoever asks for a year reads a tenth.
    MONTH = "month"
    MONTH_COUNTRY = "month_country"
    MONTH_OWNER = "month_owner"
    # By month alone: the only one that keeps owner and country apart.
    BOTH = "both"


# What a sum says, beside whose and when it is.
FIGURES = ("currency", "country", "sales", "returns", "sold", "returned")


class OrderSum(models.Model):
    """The booked orders of a day or month in one currency; derived, rebuilt any time.

    ``owner`` has no constraint in the database: writing sums must never wait for, nor
    hold up, somebody who edits a person.
    """

    grain = models.CharField(max_length=13, choices=Grain.choices)
    day = models.DateField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    currency = models.CharField(max_length=3)
    country = models.CharField(max_length=80, default="")
    sales = models.IntegerField()
    returns = models.IntegerField()
    sold = models.DecimalField(max_digits=38, decimal_places=7)
    returned = models.DecimalField(max_digits=38, decimal_places=7)

    class Meta:
        verbose_name = "sum of orders"
        verbose_name_plural = "sums of orders"
        indexes = (
            models.Index(fields=["grain", "day"], name="order_sum_by_day"),
            # A manager's countries are thousands of rows: all in the index, half the
            # time.
            models.Index(
                fields=["owner", "grain", "day"],
                name="order_sum_of_owner",
                include=FIGURES,
                condition=Q(grain__in=["owner", "month_owner", "both"]),
            ),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.currency}"


class ChangedDay(models.Model):
    """A day of UTC whose sums are out of date; written by triggers, only ever added.

    One row for each statement and day: writers never meet at a row of it.
    """

    day = models.DateField()

    class Meta:
        verbose_name = "changed day"
        verbose_name_plural = "changed days"

    def __str__(self) -> str:
        return str(self.day)
