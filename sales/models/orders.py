"""Orders, returns and their lines."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.addresses import address_of
from crm.formatting import money, number
from crm.models import BaseModel, CustomValues, OwnedModel
from crm.money import default_currency
from customers.models import Customer
from sales.choices import OrderKind, OrderState
from sales.models.catalogue import Product
from sales.querysets import OrderQuerySet


class Order(CustomValues, OwnedModel):
    """A sale or a return; ``total`` is the exact sum of its lines.

    The total keeps as many decimals as a line's amount, because prices below a penny
    exist and the sum over all orders has to equal the sum over all lines. A return's
    quantities are negative.
    """

    number = models.CharField(_("number"), max_length=60, unique=True)
    customer = models.ForeignKey(
        Customer,
        verbose_name=_("customer"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="orders",
    )
    kind = models.CharField(
        _("kind"), max_length=10, choices=OrderKind.choices, default=OrderKind.SALE
    )
    state = models.CharField(
        _("state"), max_length=10, choices=OrderState.choices, default=OrderState.DRAFT
    )
    placed_at = models.DateTimeField(_("ordered"), default=timezone.now)
    country = models.CharField(_("country"), max_length=80, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default=default_currency)
    total = models.DecimalField(
        _("total"),
        max_digits=28,
        decimal_places=7,
        default=Decimal(0),
        db_default=Decimal(0),
        editable=False,
    )
    return_of = models.ForeignKey(
        "self",
        verbose_name=_("return of"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="returns",
        db_index=False,
    )
    notes = models.TextField(_("notes"), blank=True)

    objects = models.Manager.from_queryset(OrderQuerySet)()

    text_field = "number"
    belongs_to = ("customer",)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ("-placed_at", "-pk")
        indexes = (
            models.Index(fields=["-placed_at", "-id"], name="order_by_time"),
            models.Index(fields=["customer", "-placed_at"], name="order_by_customer"),
            models.Index(fields=["owner", "-placed_at", "-id"], name="order_by_owner"),
            models.Index(fields=["total", "id"], name="order_by_total"),
            models.Index(
                fields=["state", "-placed_at", "-id"],
                include=["currency", "total", "owner"],
                name="order_on_board",
            ),
            models.Index(
                fields=["return_of"],
                name="order_by_return",
                condition=Q(return_of__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        """Return the order's page."""
        return address_of("sales:order_detail", self.pk)

    @property
    def money(self) -> str:
        """Return the total with its currency, in the reader's language."""
        return money(self.total, self.currency)

    @property
    def title(self) -> str:
        """Return number and kind in words."""
        return f"{self.get_kind_display()} {self.number}"


class OrderLine(BaseModel):
    """One line of an order; the amount is computed by the database."""

    order = models.ForeignKey(
        Order,
        verbose_name=_("order"),
        on_delete=models.CASCADE,
        related_name="lines",
        # The unique (order, line_no) serves every look-up by order.
        db_index=False,
    )
    line_no = models.PositiveIntegerField(_("line"))
    product = models.ForeignKey(
        Product,
        verbose_name=_("product"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="order_lines",
    )
    description = models.CharField(_("description"), max_length=300, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3)
    unit_price = models.DecimalField(_("price"), max_digits=14, decimal_places=4)
    amount = models.GeneratedField(
        expression=F("quantity") * F("unit_price"),
        output_field=models.DecimalField(_("amount"), max_digits=28, decimal_places=7),
        db_persist=True,
        verbose_name=_("amount"),
    )

    return_of = models.ForeignKey(
        "self",
        verbose_name=_("return of"),
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        editable=False,
        related_name="returns",
        db_index=False,
    )

    access_path = "order__owner"
    belongs_to = ("order",)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ("order", "line_no")
        indexes = (
            models.Index(
                fields=["return_of"],
                name="order_line_by_return",
                condition=Q(return_of__isnull=False),
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["order", "line_no"], name="order_line_number"
            ),
            models.CheckConstraint(
                condition=~Q(quantity=0), name="order_line_quantity_not_zero"
            ),
        )

    def __str__(self) -> str:
        return f"{self.order_id}/{self.line_no}"

    @property
    def label(self) -> str:
        """Return what was sold, as it was called then."""
        return self.description or (self.product.name if self.product else "–")

    @property
    def quantity_text(self) -> str:
        """Return the quantity without empty decimals."""
        return without_zeros(self.quantity, 0)

    @property
    def price_text(self) -> str:
        """Return the price with two decimals, and more only where there are more."""
        return without_zeros(self.unit_price, 2)


def without_zeros(value: Decimal, least: int) -> str:
    """Write a figure with as many decimals as it has, but at least some."""
    places = max(least, -value.normalize().as_tuple().exponent)
    return number(value, places)
