"""Columns of a lead as numbers: frequent levels, numbers, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

MIN_FREQUENCY = 10  # a level seen less often is "rare"
MAX_LEVELS = 200
NUMERIC_SHARE = 0.95  # text columns with so many numbers are numbers
MANY_NUMBERS = 12  # with fewer distinct ones they are codes, hence levels
RARE, MISSING = "(rare)", "(missing)"


class LeadEncoder(TransformerMixin, BaseEstimator):
    """One column per frequent level or number; nothing of the outcome enters it."""

    def __init__(self, min_frequency: int = MIN_FREQUENCY) -> None:
        self.min_frequency = min_frequency

    def fit(self, frame: pd.DataFrame, y=None) -> LeadEncoder:
        """Learn levels and medians."""
        self.levels_: dict[str, list[str]] = {}
        self.medians_: dict[str, float] = {}
        self.groups_: list[int] = []  # the source column of each encoded one
        self.columns_: list[str] = [str(name) for name in frame.columns]
        for place, name in enumerate(frame.columns):
            if is_number(frame[name]):
                values = pd.to_numeric(frame[name], errors="coerce")
                median = values.median()
                self.medians_[str(name)] = 0.0 if pd.isna(median) else float(median)
                self.groups_ += [place, place]
            else:
                counts = as_level(frame[name]).value_counts()
                frequent = counts[counts >= self.min_frequency].head(MAX_LEVELS)
                self.levels_[str(name)] = sorted(frequent.index)
                self.groups_ += [place] * (len(frequent) + 1)
        return self

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Return a dense matrix; a level never seen is a rare one."""
        blocks = []
        for name in self.columns_:
            if name in self.medians_:
                values = pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
                values = np.where(np.isfinite(values), values, np.nan)
                filled = np.where(np.isnan(values), self.medians_[name], values)
                blocks.append(np.column_stack([filled, np.isnan(values)]))
            else:
                blocks.append(self._one_hot(name, frame[name]))
        return np.hstack(blocks).astype(np.float32)

    def _one_hot(self, name: str, column: pd.Series) -> np.ndarray:
        levels = self.levels_[name]
        codes = pd.Index(levels, dtype=object).get_indexer(as_level(column))
        codes = np.where(codes < 0, len(levels), codes)
        block = np.zeros((len(column), len(levels) + 1), dtype=np.float32)
        block[np.arange(len(column)), codes] = 1
        return block


def as_level(column: pd.Series) -> pd.Series:
    """Return the column as text levels, the empty one among them."""
    text = column.astype("string").str.strip()
    return text.mask(text == "").fillna(MISSING).astype(str)


def is_number(column: pd.Series) -> bool:
    """Tell whether a column is a quantity, and no code for something."""
    if isinstance(column.dtype, pd.CategoricalDtype) or column.dtype == bool:
        return False
    if pd.api.types.is_datetime64_any_dtype(column):
        return False
    filled = column.dropna()
    if not pd.api.types.is_numeric_dtype(column):
        filled = filled[filled.astype(str).str.strip() != ""]
        numbers = pd.to_numeric(filled, errors="coerce")
        if not len(filled) or numbers.notna().mean() < NUMERIC_SHARE:
            return False
        filled = numbers.dropna()
    return filled.nunique() > MANY_NUMBERS


def usable_columns(
    frame: pd.DataFrame, time: pd.Series | None
) -> tuple[list[str], dict[str, str]]:
    """Return the columns to learn from, and why each other one is left out."""
    kept, left = [], {}
    for name in frame.columns:
        reason = _unusable(frame[name], time)
        if reason:
            left[str(name)] = reason
        else:
            kept.append(name)
    return kept, left


def _unusable(column: pd.Series, time: pd.Series | None) -> str:
    if is_number(column):
        return "constant" if column.nunique() < 2 else ""
    if pd.api.types.is_datetime64_any_dtype(column):
        return "date"
    levels = as_level(column)
    distinct = levels.nunique()
    if distinct < 2:
        return "constant"
    if (levels.value_counts() < MIN_FREQUENCY).all():
        return "identifier"
    if time is not None and _follows_time(levels, time, distinct):
        return "stretch_of_time"
    return ""


def _follows_time(levels: pd.Series, time: pd.Series, distinct: int) -> bool:
    """Tell whether each level is one stretch of time, as a month of one year is.

    Such a column says when, not what: no newer row ever has a level of the older
    ones, so nothing learned from it can be used or even measured.
    """
    if distinct < 3 or time.isna().any():
        return False
    codes, _ = pd.factorize(levels)
    spans = pd.DataFrame({"level": codes, "time": time.to_numpy()})
    spans = spans.groupby("level")["time"].agg(["min", "max"]).sort_values("min")
    apart = spans["max"].to_numpy()[:-1] <= spans["min"].to_numpy()[1:]
    return bool(apart.all())


def split_columns(text: str | Sequence[str] | None) -> list[str]:
    """Return column names out of a comma-separated list."""
    if text is None:
        return []
    parts = text.split(",") if isinstance(text, str) else text
    return [part.strip() for part in parts if part.strip()]
