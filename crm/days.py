"""Which days can be meant.

A year far away is a slip of the hand. Worse, a time zone moves the first or last day
of the calendar out of it: one such row would break every page that shows it.
"""

from __future__ import annotations

import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

FIRST_YEAR, LAST_YEAR = 1800, 2199


def can_be_meant(day: datetime.date) -> bool:
    """Tell whether somebody may have meant this day."""
    return FIRST_YEAR <= day.year <= LAST_YEAR


def require_near(day: datetime.date) -> None:
    """Refuse a day of a year that nobody means; a validator of form fields."""
    if not can_be_meant(day):
        raise ValidationError(_("This year cannot be meant."), code="year")


def bound_days(form: forms.BaseForm) -> None:
    """Let the fields for days, and for spans of days, take only near ones."""
    for field in form.fields.values():
        for part in getattr(field, "fields", None) or (field,):
            if isinstance(part, forms.DateField | forms.DateTimeField):
                part.validators.append(require_near)
