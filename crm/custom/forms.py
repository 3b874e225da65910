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
from crm.custom.indexes import SORTABLE
from crm.custom.labels import MAX_CHOICE, MAX_CHOICES, label_problem
from crm.generic.forms import VisibleModelForm
from crm.generic.registry import registry
from crm.models import CustomField, FieldKind

NUMBERED = re.compile(r"(\d{1,6}):\s*(.*)")
# Between the names of a choice in two languages.
BAR = "|"
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
    return "\n".join(f"{one['key']}: {as_words(one)}" for one in open_ones)


def as_words(option: dict[str, Any]) -> str:
    """Write what a choice is called: "Small | 小", or one of them for both."""
    label, chinese = option["label"], option.get("label_zh", "")
    # A bar inside a label is no label of two languages.
    return f"{label} | {chinese}".strip() if chinese or BAR in label else label


def read_words(text: str) -> tuple[str, str]:
    """Return the label and the one in Chinese that a line means."""
    label, _bar, chinese = map(str.strip, text.rpartition(BAR))
    # Without a bar all of it is in the last part.
    return (label, chinese) if label else (chinese or text, "")


def read_lines(text: str, options: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the choices that the lines mean; those left out are retired, not lost."""
    stored = {one["key"]: one for one in options}
    by_label = {one["label"]: one["key"] for one in options}
    number = max((int(key) for key in stored), default=0)
    found: dict[str, dict[str, Any]] = {}
    taken: set[str] = set()
    for line in filter(None, (line.strip() for line in text.splitlines())):
        match = NUMBERED.fullmatch(line)
        is_known = bool(match and match[1] in stored and match[2])
        label, chinese = read_words(match[2] if is_known else line)
        if is_known:
            key = match[1]
        elif label in by_label:
            key = by_label[label]
        else:
            number += 1
            key = str(number)
        words = {label, chinese} - {""}
        if key in found or words & taken:
            raise ValidationError(
                _("“%(label)s” stands here twice.") % {"label": label}
            )
        if max(map(len, words)) > MAX_CHOICE:
            limit = {"limit": MAX_CHOICE}
            raise ValidationError(
                _("A choice is longer than %(limit)s characters.") % limit
            )
        taken |= words
        found[key] = made_option(key, label, chinese)
    gone = [one | {"retired": True} for key, one in stored.items() if key not in found]
    if len(found) + len(gone) > MAX_CHOICES:
        limit = {"limit": MAX_CHOICES}
        raise ValidationError(_("A field has at most %(limit)s choices.") % limit)
    return [*found.values(), *gone]


def made_option(key: str, label: str, chinese: str) -> dict[str, Any]:
    """Return a choice as it is stored."""
    found = {"key": key, "label": label, "retired": False}
    return {**found, "label_zh": chinese} if chinese else found


class CustomFieldForm(VisibleModelForm):
    """A custom field; what its values mean is fixed once it is made."""

    model = forms.ChoiceField(label=gettext_lazy("Belongs to"), choices=offered_models)
    options = forms.CharField(
        label=gettext_lazy("Choices"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy(
            "One a line; “Small | 小” has a name in each language. Keep the number "
            "before a choice to rename it; a choice that is taken out stays where it "
            "was chosen."
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
            ["help_text", "position", "often_filtered", "sortable", "state"],
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
            "sortable",
            "position",
            "state",
        )
        help_texts = {
            "often_filtered": gettext_lazy(
                "An index is made, so that filters are quick in long lists."
            ),
            "sortable": gettext_lazy(
                "An index is made, so that long lists can be sorted by it."
            ),
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
            problem = label_problem(apps.get_model(model), label, self.instance)
            if problem:
                raise ValidationError(problem)
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
        if cleaned.get("sortable") and kind not in SORTABLE:
            self.add_error("sortable", _("Lists cannot be sorted by this kind."))
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
