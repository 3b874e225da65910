"""Base classes of every business model."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.access import VisibleManager


class BaseModel(models.Model):
    """A row with its times, kept apart from real rows when it is demo data."""

    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    is_demo = models.BooleanField(
        _("demo data"), default=False, db_default=False, editable=False
    )

    objects = VisibleManager()
    # The field that __str__ returns, if it is one: files read it without the row.
    text_field = ""

    class Meta:
        abstract = True


class OwnedModel(BaseModel):
    """A row that belongs to one person; rights follow that person's team."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    access_path = "owner"

    class Meta:
        abstract = True
