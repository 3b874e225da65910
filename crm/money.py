"""Money: Decimal amounts with a currency code."""

from django.conf import settings


def default_currency() -> str:
    """Return the currency of a new row; a function, so migrations do not freeze it."""
    return settings.DEFAULT_CURRENCY
