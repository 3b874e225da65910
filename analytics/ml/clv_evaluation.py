"""How well a lifetime model foretold the hold-out, beside simpler ways to do it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd

from analytics.ml.base import LOWER, ZERO, Note, Rule, figures
from analytics.ml.clv_fitters import BetaGeoFitter, FitError
from analytics.ml.clv_posterior import expected_purchases, purchases

BETTER = {"mae": LOWER, "rmse": LOWER, "bias": ZERO, "value_mae": LOWER}
TOP_GROUP = 7  # customers with this many repeat purchases or more are one group
MAX_CORRELATION = 0.30


def evaluate_holdout(model, table: pd.DataFrame) -> dict[str, Any]:
    """Return the parts of a card, measured on the hold-out columns of the table."""
    ahead = float(table["holdout_T"].iloc[0])
    x, age = table["frequency"].to_numpy(float), table["T"].to_numpy(float)
    observed = table["holdout_frequency"].to_numpy(float)
    step = purchases(model.purchases_, [ahead], x, table["recency"], age)[0]
    same_rate = x / np.maximum(age, 1.0) * ahead
    ours = measure(step.mean, observed)
    rule = measure(same_rate, observed)
    warnings: list[Note] = []
    details: dict[str, Any] = {
        "holdout_units": ahead,
        "holdout_purchases": float(observed.sum()),
        "predicted_purchases": float(step.mean.sum()),
    }
    if model.spend_ is not None:
        spent = table["holdout_value"].to_numpy(float)
        mean_value = model.expected_value(table)
        ours |= figures(BETTER, value_mae=_mae(step.mean * mean_value, spent))
        usual = np.where(x > 0, table["monetary"], 0.0)
        rule |= figures(BETTER, value_mae=_mae(same_rate * usual, spent))
        level = model.options_["interval"]
        low, high = model.spend_interval(table, step, level)
        inside = float(((spent >= low - 0.005) & (spent <= high + 0.005)).mean())
        details |= {
            "interval_level": level,
            "interval_coverage": inside,
            "interval_coverage_buyers": _buyers_inside(spent, low, high),
            "holdout_value": float(spent.sum()),
            "predicted_value": float((step.mean * mean_value).sum()),
        }
        warnings.append(
            Note("interval_coverage", {"nominal": level, "measured": inside})
        )
        warnings += _independence(table)
    return {
        "figures": ours,
        "main_figure": "mae",
        "simple_rule": Rule("same_rate", rule),
        "rivals": _rivals(table, observed, ahead),
        "parameters": model.parameters,
        "calibration": by_frequency(x, step.mean, observed),
        "details": details,
        "warnings": warnings,
        "split": "time",
        "split_params": {"holdout_units": ahead, "unit": model.options_["unit"]},
    }


def measure(predicted: np.ndarray, observed: np.ndarray):
    """Return the errors of predicted purchase counts.

    The mean absolute error is kept to a thousandth of a purchase, as published.
    """
    total = max(float(observed.sum()), 1e-9)
    top = np.argsort(-predicted, kind="stable")[: max(1, len(predicted) // 10)]
    return figures(
        BETTER,
        mae=round(_mae(predicted, observed), 3),
        rmse=float(np.sqrt(np.mean((predicted - observed) ** 2))),
        bias=float(predicted.sum()) / total - 1,
        top_decile_share=float(observed[top].sum()) / total,
    )


def by_frequency(x, predicted, observed) -> list[dict[str, float]]:
    """Return mean predicted and observed purchases by repeat purchases so far."""
    group = np.minimum(x, TOP_GROUP)
    rows = []
    for value in np.unique(group):
        inside = group == value
        rows.append(
            {
                "group": int(value),
                "predicted": float(predicted[inside].mean()),
                "observed": float(observed[inside].mean()),
                "count": int(inside.sum()),
            }
        )
    return rows


def _rivals(table: pd.DataFrame, observed: np.ndarray, ahead: float) -> list[Rule]:
    columns = [table[name].to_numpy(float) for name in ("frequency", "recency", "T")]
    rivals = []
    for kind, name in (("mbg", "MBG/NBD"), ("nbd", "NBD")):
        started = time.perf_counter()
        try:
            fitted = BetaGeoFitter(kind).fit(*columns)
        except FitError:
            continue
        seconds = time.perf_counter() - started
        predicted = expected_purchases(fitted, ahead, *columns)
        rivals.append(Rule(name, measure(predicted, observed), seconds))
    return rivals


def _independence(table: pd.DataFrame) -> list[Note]:
    """Warn where the value model's assumption does not hold."""
    known = table[(table["frequency"] > 0) & (table["monetary"] > 0)]
    correlation = np.corrcoef(known["frequency"], np.log(known["monetary"]))[0, 1]
    if abs(correlation) <= MAX_CORRELATION:
        return []
    return [Note("value_depends_on_frequency", {"correlation": float(correlation)})]


def _buyers_inside(spent, low, high) -> float | None:
    buyers = spent > 0
    if not buyers.any():
        return None
    return float(((spent >= low) & (spent <= high))[buyers].mean())


def _mae(predicted: np.ndarray, observed: np.ndarray) -> float:
    return float(np.abs(predicted - observed).mean())
