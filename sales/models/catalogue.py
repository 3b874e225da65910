"""What is sold."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.addresses import address_of
from crm.models import BaseModel, CustomValues
from crm.money import default_currency


class Category(BaseModel):
    """A group of products."""

    name = models.CharField(_("name"), max_length=120, unique=True)

    access_shared = True

    text_field = "name"

    class Meta:
        verbose_name = _("product category")
        verbose_name_plural = _("product categories")
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name


class Product(CustomValues, BaseModel):
    """Something that is sold."""

    sku = models.CharField(_("product number"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=200)
    category = models.ForeignKey(
        Category,
        verbose_name=_("category"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="products",
    )
    unit_price = models.DecimalField(
        _("price"), max_digits=14, decimal_places=4, null=True, blank=True
    )
    unit_cost = models.DecimalField(
        _("cost"), max_digits=14, decimal_places=4, null=True, blank=True
    )
    currency = models.CharField(_("currency"), max_length=3, default=default_currency)
    is_active = models.BooleanField(_("on sale"), default=True)

    access_shared = True

    text_field = "name"

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ("name", "pk")
        indexes = (
            models.Index(fields=["name", "id"], name="product_by_name"),
            models.Index(fields=["unit_price", "id"], name="product_by_price"),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the product's page."""
        return address_of("sales:product_detail", self.pk)
