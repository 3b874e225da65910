"""Do probabilities mean what they say: reliability by bins."""

from __future__ import annotations

import numpy as np

BINS = 10


def reliability(
    predicted: np.ndarray, observed: np.ndarray, bins: int = BINS
) -> list[dict[str, float]]:
    """Return mean prediction, share observed and count per bin of equal size.

    Bins hold equally many rows: with a low base rate most bins of equal width would
    be empty.
    """
    predicted = np.asarray(predicted, dtype=float)
    observed = np.asarray(observed, dtype=float)
    order = np.argsort(predicted, kind="stable")
    rows = []
    for part in np.array_split(order, min(bins, max(1, len(order) // 10))):
        if len(part):
            rows.append(
                {
                    "predicted": float(predicted[part].mean()),
                    "observed": float(observed[part].mean()),
                    "count": len(part),
                }
            )
    return rows


def expected_error(predicted: np.ndarray, observed: np.ndarray) -> float:
    """Return the mean gap between said and seen, weighted by rows (ECE)."""
    rows = reliability(predicted, observed)
    total = sum(row["count"] for row in rows)
    if not total:
        return float("nan")
    gaps = (abs(row["predicted"] - row["observed"]) * row["count"] for row in rows)
    return float(sum(gaps) / total)
