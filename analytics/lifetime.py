"""Say what a lifetime value is worth: within which range it lies, and why below zero.

A value is what a customer will probably bring, less what winning them cost.
"""

from __future__ import annotations

from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.models import Score
from crm import formatting

BETWEEN = _("with %(share)s certainty between %(low)s and %(high)s")
FROM_A_LOSS = _("with %(share)s certainty between a loss of %(low)s and %(high)s")
BETWEEN_LOSSES = _("with %(share)s certainty a loss between %(high)s and %(low)s")
ABOUT = _("with %(share)s certainty about %(high)s")
ABOUT_A_LOSS = _("with %(share)s certainty a loss of about %(low)s")
NOTHING = _("with %(share)s certainty nothing more is bought")
COST_LOST = _(
    "with %(share)s certainty nothing more is bought: a loss of %(low)s, "
    "the cost of winning the customer"
)
A_MEAN = _("The value is the mean of many such customers, a few of whom do buy again.")
BELOW_ZERO = _("Winning this customer cost more than they will probably bring.")
# Less money than this is none.
HALF_A_CENT = 0.005


def range_text(score: Score, currency: str, level: float | None) -> str:
    """Return within which range the value lies with the given certainty (0 to 1).

    Empty where none was computed. Amounts are written without cents; what is below
    zero is called a loss.
    """
    if score.low is None or score.high is None or level is None:
        return ""
    low, high = _whole(score.low), _whole(score.high)
    return str(_sentence(low, high, buys_nothing(score))) % {
        "share": formatting.percent(level, 0),
        "low": formatting.money(abs(low), currency, 0),
        "high": formatting.money(abs(high), currency, 0),
    }


def hint(score: Score) -> str | Promise:
    """Return why a value lies above its range or below zero, where it does."""
    if buys_nothing(score):
        return A_MEAN if _whole(score.value) > _whole(score.high) else ""
    return BELOW_ZERO if _whole(score.value) < 0 else ""


def buys_nothing(score: Score) -> bool:
    """Tell whether nothing is bought even at the upper end of the range.

    Both ends are then what winning the customer cost, while the value, a mean, is more.
    """
    cost = score.details.get("acquisition_cost") or 0
    return score.high is not None and score.high + cost < HALF_A_CENT


def _sentence(low: Decimal, high: Decimal, is_nothing: bool) -> str | Promise:
    if is_nothing:
        return COST_LOST if high < 0 else NOTHING
    if low == high:
        return ABOUT_A_LOSS if high < 0 else ABOUT
    if high < 0:
        return BETWEEN_LOSSES
    return FROM_A_LOSS if low < 0 else BETWEEN


def _whole(value: float) -> Decimal:
    return formatting.rounded(Decimal(str(value)), 0)
