"""What each kind of custom field is in a form, in the JSON column, and in words."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.apps import apps
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm import formatting
from crm.custom.definitions import active_fields
from crm.generic import formats
from crm.models.custom import CustomField, FieldKind

if TYPE_CHECKING:
    from crm.generic.forms import VisibleModelForm

MAX_TEXT = 500
# A JSON number is read as a float: so many digits come back as they were.
MAX_DIGITS = 15


class Kind:
    """One custom field; subclasses know its kind.

    ``value`` is what lies in the JSON column, ``cleaned`` what a form field returns.
    """

    def __init__(self, field: CustomField) -> None:
        self.field = field

    def form_field(self, value: Any) -> forms.Field:
        """Return the form's field, given what is stored now."""
        field = self.make_field(value)
        field.label, field.help_text = self.field.title, self.field.help_text
        field.required = self.field.required
        field.widget.is_required = field.required
        return field

    def make_field(self, value: Any) -> forms.Field:
        """Return the field without label and help."""
        return forms.CharField(max_length=MAX_TEXT)

    def to_json(self, cleaned: Any) -> Any:
        """Return the value to store; None: nothing."""
        return cleaned if cleaned not in (None, "") else None

    def from_json(self, value: Any) -> Any:
        """Return a stored value as Python computes with it."""
        return value

    def words(self, value: Any) -> str:
        """Return a stored value as people read it."""
        return "" if value is None else formats.short(self.from_json(value))


class NumberKind(Kind):
    """A number."""

    places = 4

    def make_field(self, value: Any) -> forms.Field:
        return forms.DecimalField(max_digits=MAX_DIGITS, decimal_places=self.places)

    def to_json(self, cleaned: Decimal | None) -> int | float | None:
        if cleaned is None:
            return None
        return int(cleaned) if cleaned == int(cleaned) else float(cleaned)

    def from_json(self, value: Any) -> Decimal | None:
        # The history reads JSON numbers as Decimal.
        is_number = type(value) in (int, float, Decimal)
        return Decimal(str(value)).normalize() if is_number else None

    def words(self, value: Any) -> str:
        number = self.from_json(value)
        if number is None:
            return ""
        return formatting.number(number, max(0, -number.as_tuple().exponent))


class MoneyKind(NumberKind):
    """An amount of money, in the row's currency."""

    places = 2

    def words(self, value: Any) -> str:
        return formats.plain(self.from_json(value))


class DateKind(Kind):
    """A day."""

    def make_field(self, value: Any) -> forms.Field:
        return forms.DateField()

    def to_json(self, cleaned: datetime.date | None) -> str | None:
        return cleaned.isoformat() if cleaned else None

    def from_json(self, value: Any) -> datetime.date | None:
        try:
            return datetime.date.fromisoformat(value)
        except (TypeError, ValueError):
            return None


class ChoiceKind(Kind):
    """One of a list of words, stored by its key."""

    def offered(self, chosen: Iterable[str]) -> list[tuple[str, str]]:
        """Return the choices; a retired one only where it was chosen."""
        is_open = self.field.open_choices
        known = self.field.choices.items()
        return [pair for pair in known if pair[0] in is_open or pair[0] in chosen]

    def make_field(self, value: Any) -> forms.Field:
        choices = [("", "---------"), *self.offered([value])]
        return forms.ChoiceField(choices=choices)

    def from_json(self, value: Any) -> str | None:
        return None if value is None else self.field.choices.get(str(value), str(value))


class SeveralField(forms.MultipleChoiceField):
    """Several choices; an empty text stands for none, as in any other field."""

    def to_python(self, value: Any) -> list[str]:
        """Return the chosen keys."""
        return [one for one in super().to_python(value) if one]


class ChoicesKind(ChoiceKind):
    """Several of a list of words, stored as a list of keys."""

    def make_field(self, value: Any) -> forms.Field:
        chosen = value if isinstance(value, list) else []
        widget = forms.SelectMultiple(attrs={"data-enhance": ""})
        return SeveralField(choices=self.offered(chosen), widget=widget)

    def to_json(self, cleaned: list[str]) -> list[str] | None:
        # In the sequence of the choices, so that equal sets are equal values.
        return [key for key in self.field.choices if key in cleaned] or None

    def from_json(self, value: Any) -> list[str]:
        keys = value if isinstance(value, list) else []
        return [self.field.choices.get(str(key), str(key)) for key in keys]


class BooleanKind(Kind):
    """Yes, no, or nothing said."""

    def make_field(self, value: Any) -> forms.Field:
        return forms.TypedChoiceField(
            choices=[("", "---------"), ("True", _("Yes")), ("False", _("No"))],
            coerce=lambda text: text == "True",
            empty_value=None,
        )

    def from_json(self, value: Any) -> bool | None:
        return value if isinstance(value, bool) else None


class LinkKind(Kind):
    """A web address."""

    def make_field(self, value: Any) -> forms.Field:
        return forms.URLField(max_length=MAX_TEXT, assume_scheme="https")


class ReferenceKind(Kind):
    """Another row, stored by its id."""

    @property
    def target(self) -> type[models.Model]:
        """Return the model of the other row."""
        return apps.get_model(self.field.target)

    def make_field(self, value: Any) -> forms.Field:
        rows = self.target._default_manager.all()
        return forms.ModelChoiceField(queryset=rows)

    def to_json(self, cleaned: models.Model | None) -> int | None:
        return cleaned.pk if cleaned else None


KINDS: dict[str, type[Kind]] = {
    FieldKind.TEXT: Kind,
    FieldKind.NUMBER: NumberKind,
    FieldKind.MONEY: MoneyKind,
    FieldKind.DATE: DateKind,
    FieldKind.CHOICE: ChoiceKind,
    FieldKind.CHOICES: ChoicesKind,
    FieldKind.BOOLEAN: BooleanKind,
    FieldKind.LINK: LinkKind,
    FieldKind.REFERENCE: ReferenceKind,
}


def kind_of(field: CustomField) -> Kind:
    """Return the kind of a custom field."""
    return KINDS[field.kind](field)


def add_to_form(form: VisibleModelForm) -> dict[str, Kind]:
    """Give a model's form its custom fields; return {name: kind} of them."""
    kinds = {}
    for one in active_fields(form._meta.model):
        kind = kinds[one.name] = kind_of(one)
        value = form.instance.custom.get(one.key)
        form.fields[one.name] = kind.form_field(value)
        form.initial.setdefault(one.name, value)
    return kinds


def write_to_row(form: VisibleModelForm, kinds: dict[str, Kind]) -> None:
    """Put what was typed into custom fields into the form's row."""
    values = dict(form.instance.custom)
    for name, kind in kinds.items():
        if name in form.fields and name in form.cleaned_data:
            values[kind.field.key] = kind.to_json(form.cleaned_data[name])
    form.instance.custom = {
        key: value for key, value in values.items() if value is not None
    }
