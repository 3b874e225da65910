"""Fields that an administrator adds to a model, and where their values lie."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.functions import Lower
from django.utils.text import capfirst
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from crm.models.base import BaseModel

# What every name of a custom field begins with: ``custom__f12``.
PREFIX = "custom__"
MAX_LABEL = 80


class FieldKind(models.TextChoices):
    """What a custom field holds."""

    TEXT = "text", _("text")
    NUMBER = "number", pgettext_lazy("kind of field", "number")
    MONEY = "money", _("money")
    DATE = "date", _("date")
    CHOICE = "choice", _("choice")
    CHOICES = "choices", _("several choices")
    BOOLEAN = "boolean", _("yes or no")
    LINK = "link", _("link")
    REFERENCE = "reference", _("reference to another row")


class FieldState(models.TextChoices):
    """Whether a custom field is in use."""

    ACTIVE = "active", _("in use")
    RETIRED = "retired", _("retired")


def reads_chinese() -> bool:
    """Tell whether the reader's language is Chinese."""
    return (get_language() or "").startswith("zh")


def words_of(option: dict[str, Any]) -> str:
    """Return what a choice is called in the reader's language, else in the other."""
    return (option.get("label_zh") if reads_chinese() else "") or option["label"]


class CustomField(BaseModel):
    """A field that an administrator added to a model.

    ``options`` is [{"key": "1", "label": "Small", "label_zh": "小", "retired": false},
    …]; ``label_zh`` may be missing.
    """

    model = models.CharField(_("belongs to"), max_length=100)
    kind = models.CharField(
        _("kind"), max_length=10, choices=FieldKind.choices, default=FieldKind.TEXT
    )
    label = models.CharField(_("label"), max_length=MAX_LABEL)
    label_zh = models.CharField(_("label in Chinese"), max_length=MAX_LABEL, blank=True)
    help_text = models.CharField(_("help"), max_length=200, blank=True)
    options = models.JSONField(_("choices"), default=list, blank=True)
    target = models.CharField(_("refers to"), max_length=100, blank=True)
    required = models.BooleanField(_("must be filled in"), default=False)
    often_filtered = models.BooleanField(_("often filtered"), default=False)
    sortable = models.BooleanField(_("sortable"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=FieldState.choices,
        default=FieldState.ACTIVE,
    )

    access_shared = True
    text_field = "label"
    # Whether the index for sorting is there; whoever reads the definitions says so.
    has_sort_index = False

    class Meta:
        verbose_name = _("custom field")
        verbose_name_plural = _("custom fields")
        ordering = ("model", "position", "pk")
        constraints = (
            models.UniqueConstraint(
                "model",
                Lower("label"),
                name="custom_field_label",
                violation_error_message=_("A custom field of this name exists."),
            ),
            models.CheckConstraint(
                condition=~models.Q(label=""), name="custom_field_has_a_label"
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def key(self) -> str:
        """Return the name in the JSON column; it never changes."""
        return f"f{self.pk}"

    @property
    def name(self) -> str:
        """Return the name in forms, columns, conditions, imports and lookups."""
        return f"{PREFIX}{self.key}"

    @property
    def title(self) -> str:
        """Return the label in the reader's language."""
        return (self.label_zh if reads_chinese() else "") or self.label

    @property
    def model_name(self) -> str:
        """Return what the rows are called to which the field belongs."""
        return capfirst(str(apps.get_model(self.model)._meta.verbose_name_plural))

    @property
    def is_active(self) -> bool:
        """Tell whether the field is in use."""
        return self.state == FieldState.ACTIVE

    @property
    def choices(self) -> dict[str, str]:
        """Return {key: label in the reader's language} of all, retired ones too."""
        return {one["key"]: words_of(one) for one in self.options}

    @property
    def open_choices(self) -> dict[str, str]:
        """Return {key: label in the reader's language} of those that can be made."""
        return {
            one["key"]: words_of(one) for one in self.options if not one.get("retired")
        }

    @property
    def choice_names(self) -> dict[str, str]:
        """Return {label in either language: key} of the choices that can be made."""
        return {
            one[name]: one["key"]
            for name in ("label_zh", "label")
            for one in self.options
            if one.get(name) and not one.get("retired")
        }


class CustomValues(models.Model):
    """A model to which custom fields can be added; ``custom`` is {key: value}."""

    custom = models.JSONField(
        _("custom fields"), default=dict, db_default={}, blank=True
    )

    class Meta:
        abstract = True
