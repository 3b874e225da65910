"""Money: Decimal amounts with a currency code."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator


def default_currency() -> str:
    """Return the currency of a new row; a function, so migrations do not freeze it."""
    return settings.DEFAULT_CURRENCY


class CurrencyField(forms.CharField):
    """A currency code: three letters, kept in capitals."""

    default_validators = (RegexValidator(r"^[A-Z]{3}\Z"),)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_length": 3, "max_length": 3} | kwargs)

    def to_python(self, value: Any) -> str:
        """Return the code in capitals."""
        return super().to_python(value).upper()
