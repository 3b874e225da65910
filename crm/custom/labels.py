"""What a custom field and its choices may be called."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext as _

from crm.models.custom import MAX_LABEL, CustomField

MAX_CHOICES = 200
MAX_CHOICE = 100


def taken_labels(model: type[models.Model]) -> set[str]:
    """Return what fields of a model, custom ones too, are called; in lower case."""
    own = {str(getattr(one, "verbose_name", "")) for one in model._meta.get_fields()}
    custom = CustomField.objects.filter(model=model._meta.label_lower)
    return {
        label.casefold() for label in [*own, *custom.values_list("label", flat=True)]
    }


def free_label(label: str, taken: set[str]) -> str:
    """Return the label, with a number behind it if the name is taken; take it."""
    found, number = label, 1
    while found.casefold() in taken:
        number += 1
        found = f"{label[: MAX_LABEL - 6]} ({number})"
    taken.add(found.casefold())
    return found


def label_problem(
    model: type[models.Model], label: str, field: CustomField | None = None
) -> str:
    """Return why a custom field of the model cannot be called so, or an empty text."""
    if not label:
        return _("Give the field a name.")
    own = model._meta.get_fields()
    taken = {str(getattr(one, "verbose_name", "")).casefold() for one in own}
    if label.casefold() in taken:
        return _("There is a field of this name already.")
    others = CustomField.objects.filter(
        model=model._meta.label_lower, label__iexact=label
    )
    other = others.exclude(pk=field.pk if field else None).first()
    if other is None:
        return ""
    if other.is_active:
        return _("A custom field of this name exists.")
    return _("A retired custom field has this name; bring it back instead.")
