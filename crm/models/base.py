"""Base classes of every business model."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.base import ModelState
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from crm.access import VisibleManager


@cache
def words_of_choices(field: models.Field, language: str) -> dict[Any, str]:
    """Return {stored value: words} of a field; its choices are declared once."""
    return {value: str(words) for value, words in field.flatchoices}


class QuicklyRead(models.Model):
    """A model whose rows are made of what the database returned, and of nothing else.

    Django calls ``__init__`` for each, which sets every field by itself, looks for
    defaults and sends two signals that nobody listens to here: four times the work. A
    page of fifty rows makes two hundred.
    """

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str, field_names: list[str], values: tuple) -> Any:
        """Return a row; what was not read is asked for when it is needed."""
        row = cls.__new__(cls)
        row.__dict__.update(zip(field_names, values, strict=True))
        row._state = ModelState()
        row._state.adding = False
        row._state.db = db
        return row


class BaseModel(QuicklyRead):
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

    def _get_FIELD_display(self, field: models.Field) -> str:  # noqa: N802
        """Return the words of a choice; Django's puts the choices in a table each time.

        Every ``get_<field>_display`` asks this; a page of rows asks it dozens of times.
        """
        value = getattr(self, field.attname)
        words = words_of_choices(field, get_language() or "")
        return words.get(value, value)

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
