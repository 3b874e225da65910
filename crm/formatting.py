"""Figures as people read them, in the language that is active."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from threading import local

from django.utils import formats
from django.utils.translation import get_language

NOTHING = "–"
THOUSANDS = 3
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

_held = local()


def language() -> str:
    """Return the code of the reader's language; "" if none is active."""
    return getattr(_held, "language", None) or get_language() or ""


@contextmanager
def one_language() -> Iterator[None]:
    """Ask for the active language once: the block writes hundreds of values in it."""
    outer = getattr(_held, "language", None)
    _held.language = get_language()
    try:
        yield
    finally:
        _held.language = outer


def decimal(value: Figure) -> Decimal | None:
    """Return the figure as a Decimal; None for nothing and for what is no number."""
    if value is None or value == "":
        return None
    if type(value) is Decimal:
        return value if value.is_finite() else None
    try:
        if isinstance(value, bool) or not isinstance(value, Decimal | int):
            value = str(value)
        figure = Decimal(value)
    except InvalidOperation:
        return None
    return figure if figure.is_finite() else None


def rounded(figure: Decimal, places: int) -> Decimal:
    """Round half away from zero; Django's own formatting would cut instead."""
    result = figure.quantize(_unit(places), rounding=ROUND_HALF_UP)
    return result or abs(result)


@cache
def _unit(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def number(value: Figure, places: int | None = None) -> str:
    """Write a figure; without places, whole numbers stay whole and others get two."""
    figure = decimal(value)
    if figure is None:
        return NOTHING
    if places is None:
        places = 0 if figure == figure.to_integral_value() else 2
    return _written(rounded(figure, places), places)


def _written(figure: Decimal, places: int) -> str:
    """Write a figure that is rounded already."""
    point, comma, grouping = _signs(language())
    if grouping != THOUSANDS:
        return formats.number_format(
            figure, decimal_pos=places, use_l10n=True, force_grouping=True
        )
    # Python's own grouping: a page has hundreds of figures, and Django's takes them
    # apart sign by sign.
    text = f"{figure:,.{places}f}"
    if (point, comma) == (".", ","):
        return text
    return text.translate(str.maketrans({".": point, ",": comma}))


@cache
def _signs(code: str) -> tuple[str, str, object]:
    """Return what stands between whole and part, between groups, and their width."""
    names = ("DECIMAL_SEPARATOR", "THOUSAND_SEPARATOR", "NUMBER_GROUPING")
    return tuple(formats.get_format(name, code or None) for name in names)


def money(value: Figure, currency: str = "", places: int | None = None) -> str:
    """Write an amount with its currency; the sign stands before the symbol."""
    figure = decimal(value)
    if figure is None:
        return NOTHING
    if places is None:
        places = 0 if currency in WITHOUT_CENTS else 2
    figure = rounded(figure, places)
    text = _written(abs(figure), places)
    symbol = SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}" if currency else "")
    return f"{'-' if figure < 0 else ''}{symbol}{text}"


def percent(value: Figure, places: int = 1) -> str:
    """Write a share of one as a percentage."""
    figure = decimal(value)
    if figure is None:
        return NOTHING
    return f"{number(figure * 100, places)}%"
