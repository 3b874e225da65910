"""Base classes of every business model."""

from __future__ import annotations

from typing import Any

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
    # Foreign keys to the rows that this one is a part of; it is shared with a whole.
    belongs_to: tuple[str, ...] = ()
    # Fields that the program sets along with others: a rule that keeps one of them
    # back does not stand in the way of what the person does.
    set_along: tuple[str, ...] = ()

    class Meta:
        abstract = True

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the row; what pointed to it is emptied, whatever rules say of that."""
        from crm.history.context import consequence

        with consequence():
            return super().delete(*args, **kwargs)


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
