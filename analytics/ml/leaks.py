"""Columns that look filled in after the outcome; a model must not learn from them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from analytics.ml.base import Note
from analytics.ml.lead_features import MISSING, as_level, is_number

SEPARATES = 0.95  # no honest column tells an outcome that well alone
STRONG = 0.80
ALMOST_ONLY = 0.90  # share of positives among the filled rows
FILLED_ROWS = 10
TIED = 0.30  # difference of the filled shares
DATES = 0.90
FOLDS = 5
CERTAIN = ("filled_after_outcome", "separates_outcome", "later_than_time")


def suspicious_columns(
    frame: pd.DataFrame, outcome: pd.Series, time: pd.Series | None = None
) -> list[Note]:
    """Return a warning for each column that looks known only after the outcome."""
    y = np.asarray(outcome).astype(int)
    if not 0 < y.sum() < len(y):
        return []
    checks = (_by_filling, _by_dates, _by_separation)
    notes = []
    for name in frame.columns:
        found = [check(str(name), frame[name], y, time) for check in checks]
        found = [note for note in found if note]
        # What is certain outweighs what is to be checked; one warning a column.
        found.sort(key=lambda note: note.code not in CERTAIN)
        notes += found[:1]
    return notes


def certain(notes: list[Note]) -> list[str]:
    """Return the columns that are left out without being asked."""
    return [note.params["column"] for note in notes if note.code in CERTAIN]


def _by_filling(name: str, column: pd.Series, y: np.ndarray, time) -> Note | None:
    filled = (as_level(column) != MISSING).to_numpy()
    positive, negative = float(filled[y == 1].mean()), float(filled[y == 0].mean())
    share, base = float(y[filled].mean()) if filled.any() else 0.0, float(y.mean())
    # A column that is filled for all rows says nothing by being filled.
    telling = share >= max(ALMOST_ONLY, base + (1 - base) / 2)
    if telling and filled.sum() >= FILLED_ROWS and negative < 0.5 * positive:
        params = {"column": name, "positive": positive, "negative": negative}
        return Note("filled_after_outcome", params)
    if abs(positive - negative) >= TIED:
        auc = 0.5 + abs(positive - negative) / 2
        return Note("missing_tied_to_outcome", {"column": name, "auc": auc})
    return None


def _by_dates(name: str, column: pd.Series, y: np.ndarray, time) -> Note | None:
    """Warn of dates that lie later than the row's own, in positive rows above all."""
    if time is None or pd.api.types.is_numeric_dtype(column):
        return None
    filled = column[(as_level(column) != MISSING).to_numpy()]
    if not len(filled) or pd.to_numeric(filled.head(50), errors="coerce").notna().any():
        return None
    sample = pd.to_datetime(filled.head(50), errors="coerce", format="mixed")
    if sample.notna().mean() < DATES:
        return None
    dates = _naive(pd.to_datetime(column, errors="coerce", format="mixed"))
    later = (dates.to_numpy() > _naive(time).to_numpy() + np.timedelta64(1, "D"))[
        y == 1
    ]
    known = dates.notna().to_numpy()[y == 1]
    share = float(later[known].mean()) if known.any() else 0.0
    if share < 0.5:
        return None
    params = {"column": name, "time": str(time.name or "time"), "share": share}
    return Note("later_than_time", params)


def _by_separation(name: str, column: pd.Series, y: np.ndarray, time) -> Note | None:
    auc = single_auc(column, y)
    if auc >= SEPARATES:
        return Note("separates_outcome", {"column": name, "auc": auc})
    if auc >= STRONG:
        return Note("strong_alone", {"column": name, "auc": auc})
    return None


def single_auc(column: pd.Series, y: np.ndarray) -> float:
    """Return how well one column alone ranks the outcome, whichever way round."""
    if is_number(column):
        values = pd.to_numeric(column, errors="coerce")
        known = values.notna().to_numpy()
        if not 0 < y[known].sum() < known.sum():
            return 0.5
        auc = roc_auc_score(y[known], values[known])
        return float(max(auc, 1 - auc))
    levels = as_level(column).to_numpy()
    rates = np.zeros(len(y))
    fold = np.random.default_rng(0).integers(0, FOLDS, len(y))
    for number in range(FOLDS):
        # Rates of other rows: a level of one row would otherwise know its outcome.
        others, here = fold != number, fold == number
        base = y[others].mean() if others.any() else 0.0
        table = pd.DataFrame({"level": levels[others], "y": y[others]})
        table = table.groupby("level")["y"].agg(["sum", "size"])
        rate = (table["sum"] + 5 * base) / (table["size"] + 5)
        rates[here] = pd.Series(levels[here]).map(rate).fillna(base).to_numpy()
    return float(roc_auc_score(y, rates))


def _naive(column: pd.Series) -> pd.Series:
    column = pd.to_datetime(column, errors="coerce")
    return column.dt.tz_localize(None) if column.dt.tz is not None else column
