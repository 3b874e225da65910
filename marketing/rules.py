"""Arithmetic of campaigns."""

from decimal import Decimal


def share_spent(*, budget: Decimal | None, spend: Decimal) -> Decimal | None:
    """Return spend / budget, or None where there is no budget to compare with."""
    return spend / budget if budget else None
