"""The form in which an administrator makes a custom field."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.custom.definitions import custom_models
from crm.generic.forms import VisibleModelForm
from crm.generic.registry import registry
from crm.models import CustomField, FieldKind

MAX_CHOICES = 200
MAX_CHOICE = 100
NUMBERED = re.compile(r"(\d{1,6}):\s*(.*)")
WITH_CHOICES = (FieldKind.CHOICE, FieldKind.CHOICES)


def names(models: Any) -> list[tuple[str, str]]:
    """Return (label of the model, what its rows are called), by name."""
    found = [(one._meta.label_lower, one._meta.verbose_name_plural) for one in models]
    return sorted(
        ((key, capfirst(str(name))) for key, name in found), key=lambda x: x[1]
    )


def offered_models() -> list[tuple[str, str]]:
    """Return the models to which fields can be added."""
    return names(custom_models().values())


def offered_targets() -> list[tuple[str, str]]:
    """Return the models whose rows can be referred to: those with names and pages."""
    found = [
        one
        for one in registry.pages
        if getattr(one, "text_field", "") and one is not CustomField
    ]
    return [("", "---------"), *names(found)]


def as_lines(options: list[dict[str, Any]]) -> str:
    """Write the choices that can be made, one a line, each with its number."""
    open_ones = [one for one in options if not one.get("retired")]
    return "\n".join(f"{one['key']}: {one['label']}" for one in open_ones)


def read_lines(text: str, options: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the choices that the lines mean; those left out are retired, not lost."""
    stored = {one["key"]: one for one in options}
    by_label = {one["label"]: one["key"] for one in options}
    number = max((int(key) for key in stored), default=0)
    found: dict[str, dict[str, Any]] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        match = NUMBERED.fullmatch(line)
        if match and match[1] in stored and match[2]:
            key, label = match[1], match[2]
        elif line in by_label:
            key, label = by_label[line], line
        else:
            number += 1
            key, label = str(number), line
        if key in found or label in (one["label"] for one in found.values()):
            raise ValidationError(
                _("“%(label)s” stands here twice.") % {"label": label}
            )
        if len(label) > MAX_CHOICE:
            limit = {"limit": MAX_CHOICE}
            raise ValidationError(
                _("A choice is longer than %(limit)s characters.") % limit
            )
        found[key] = {"key": key, "label": label, "retired": False}
    gone = [one | {"retired": True} for key, one in stored.items() if key not in found]
    if len(found) + len(gone) > MAX_CHOICES:
        limit = {"limit": MAX_CHOICES}
        raise ValidationError(_("A field has at most %(limit)s choices.") % limit)
    return [*found.values(), *gone]


class CustomFieldForm(VisibleModelForm):
    """A custom field; what its values mean is fixed once it is made."""

    model = forms.ChoiceField(label=gettext_lazy("Belongs to"), choices=offered_models)
    options = forms.CharField(
        label=gettext_lazy("Choices"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy(
            "One a line. Keep the number before a choice to rename it; a choice that "
            "is taken out stays where it was chosen."
        ),
    )
    target = forms.ChoiceField(
        label=gettext_lazy("Refers to"), required=False, choices=offered_targets
    )

    fieldsets = [
        (gettext_lazy("What it is"), ["model", "kind", "label", "label_zh"]),
        (gettext_lazy("What it takes"), ["options", "target", "required"]),
        (
            gettext_lazy("Where it stands"),
            ["help_text", "position", "often_filtered", "state"],
        ),
    ]

    class Meta:
        model = CustomField
        fields = (
            "model",
            "kind",
            "label",
            "label_zh",
            "help_text",
            "options",
            "target",
            "required",
            "often_filtered",
            "position",
            "state",
        )
        help_texts = {
            "often_filtered": gettext_lazy(
                "An index is made, so that filters are quick in long lists."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["options"] = as_lines(self.instance.options)

    def clean_options(self) -> list[dict[str, Any]]:
        """Read the lines."""
        return read_lines(self.cleaned_data["options"], self.instance.options)

    def clean_label(self) -> str:
        """Refuse the name of a field that the model has anyway."""
        label = self.cleaned_data["label"]
        model = self.cleaned_data.get("model") or self.instance.model
        if model in custom_models():
            own = apps.get_model(model)._meta.get_fields()
            taken = {str(getattr(one, "verbose_name", "")).casefold() for one in own}
            if label.casefold() in taken:
                raise ValidationError(_("There is a field of this name already."))
        return label

    def clean(self) -> dict[str, Any]:
        """Keep what the stored values depend on; ask for what the kind needs."""
        cleaned = super().clean()
        for name in ("model", "kind", "target"):
            is_new_value = cleaned.get(name) != getattr(self.instance, name)
            if not self.is_new and name in cleaned and is_new_value:
                self.add_error(
                    name,
                    _(
                        "This cannot change once the field is made, for the sake of "
                        "its values. Make a new field and retire this one."
                    ),
                )
        kind = cleaned.get("kind", self.instance.kind)
        options = cleaned.get("options", self.instance.options)
        asks = "options" in self.fields and "options" not in self.errors
        if kind in WITH_CHOICES and asks and not options:
            self.add_error("options", _("Write at least one choice."))
        if kind == FieldKind.REFERENCE and "target" in self.fields:
            if not cleaned.get("target"):
                self.add_error("target", _("Choose what it refers to."))
        elif "target" in cleaned and "target" not in self.errors:
            cleaned["target"] = ""
        return cleaned

    def changes(self) -> dict[str, list[Any]]:
        """Return the changes with the choices as lines."""
        found = super().changes()
        if "options" in found:
            found["options"] = [
                self.initial["options"] or None,
                as_lines(self.cleaned_data["options"]) or None,
            ]
        return found
