"""Figures as people read them, in the language that is active."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from django.utils import formats

NOTHING = "–"
# Unambiguous in both languages; any other currency is written with its code.
SYMBOLS = {
    "AUD": "A$",
    "CAD": "C$",
    "CNY": "¥",
    "EUR": "€",
    "GBP": "£",
    "HKD": "HK$",
    "INR": "₹",
    "JPY": "JP¥",
    "KRW": "₩",
    "USD": "$",
}
WITHOUT_CENTS = frozenset({"JPY", "KRW", "VND"})

Figure = int | float | Decimal | str | None


def decimal(value: Figure) -> Decimal | None:
    """Return the figure as a Decimal; None for nothing and for what is no number."""
    if value is None or value == "":
        return None
    try:
        figure = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return None
    return figure if figure.is_finite() else None


def rounded(figure: Decimal, places: int) -> Decimal:
    """Round half away from zero; Django's own formatting would cut instead."""
    result = figure.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return abs(result) if result == 0 else result


def number(value: Figure, places: int | None = None) -> str:
    """Write a figure; without places, whole numbers stay whole and others get two."""
    figure = decimal(value)
    if figure is None:
        return NOTHING
    if places is None:
        places = 0 if figure == figure.to_integral_value() else 2
    return formats.number_format(
        rounded(figure, places), decimal_pos=places, use_l10n=True, force_grouping=True
    )


def money(value: Figure, currency: str = "", places: int | None = None) -> str:
    """Write an amount with its currency; the sign stands before the symbol."""
    figure = decimal(value)
    if figure is None:
        return NOTHING
    if places is None:
        places = 0 if currency in WITHOUT_CENTS else 2
    figure = rounded(figure, places)
    text = number(abs(figure), places)
    symbol = SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}" if currency else "")
    return f"{'-' if figure < 0 else ''}{symbol}{text}"


def percent(value: Figure, places: int = 1) -> str:
    """Write a share of one as a percentage."""
    figure = decimal(value)
    if figure is None:
        return NOTHING
    return f"{number(figure * 100, places)}%"
