"""Classes by rule: purchasing power, age band, RFM scores and their labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

POWER_CLASSES = ("C", "B", "A")  # from the weakest
POWER_QUANTILES = (0.50, 0.80)  # A: the top fifth, B: the next three tenths
AGE_EDGES = (18, 25, 35, 45, 55, 65)
AGE_BANDS = ("0-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
UNKNOWN = "unknown"
NEVER_BOUGHT = "never_bought"
QUINTILES = (0.2, 0.4, 0.6, 0.8)

# Rows: recency score 1..5; columns: mean of frequency and value score 1..5.
LABELS = (
    ("lost", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    ("promising", "potential_loyalist", "potential_loyalist", "loyal", "champions"),
    ("new", "potential_loyalist", "potential_loyalist", "champions", "champions"),
)
LABEL_KEYS = tuple(sorted({label for row in LABELS for label in row} | {NEVER_BOUGHT}))


def edges(values: pd.Series | np.ndarray, quantiles: Sequence[float]) -> list[float]:
    """Return the quantiles of the known values; none known gives zeros."""
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if not len(known):
        return [0.0] * len(quantiles)
    return [float(edge) for edge in np.quantile(known, quantiles)]


def power_class(values: pd.Series, thresholds: Sequence[float]) -> pd.Categorical:
    """Return A, B or C: above the upper threshold, above the lower one, or neither."""
    filled = np.nan_to_num(values.to_numpy(dtype=float), nan=-np.inf)
    place = np.searchsorted(np.asarray(thresholds), filled, side="left")
    return pd.Categorical.from_codes(place, categories=POWER_CLASSES)


def age_band(ages: pd.Series) -> pd.Categorical:
    """Return the band of each age; what is missing or impossible is unknown."""
    years = ages.to_numpy(dtype=float)
    place = np.searchsorted(AGE_EDGES, years, side="right")
    place = np.where((years >= 0) & (years <= 120), place, len(AGE_BANDS))
    return pd.Categorical.from_codes(place, categories=[*AGE_BANDS, UNKNOWN])


def region(values: pd.Series) -> pd.Categorical:
    """Return the region as given, stripped; an empty one is unknown."""
    text = values.astype("string").str.strip()
    return pd.Categorical(text.mask(text == "").fillna(UNKNOWN))


def rfm_edges(frame: pd.DataFrame) -> dict[str, list[float]]:
    """Return the quintile edges of recency, frequency and value among buyers."""
    buyers = frame[bought(frame)]
    return {
        # Nearer is better: the sign turns days since the last order into a score.
        "recency": edges(-buyers["recency_days"], QUINTILES),
        "frequency": edges(buyers["frequency"], QUINTILES),
        "monetary": edges(buyers["monetary"], QUINTILES),
    }


def rfm_scores(frame: pd.DataFrame, cuts: dict[str, list[float]]) -> pd.DataFrame:
    """Return scores 1 (worst) to 5 and the label key; 0 for who never bought."""
    known = bought(frame).to_numpy()
    columns = {
        "recency": -frame["recency_days"].to_numpy(dtype=float),
        "frequency": frame["frequency"].to_numpy(dtype=float),
        "monetary": frame["monetary"].to_numpy(dtype=float),
    }
    scores = {
        name: np.where(known, 1 + np.searchsorted(cuts[name], column), 0).astype("int8")
        for name, column in columns.items()
    }
    depth = (scores["frequency"].astype(int) + scores["monetary"] + 1) // 2
    table = np.array(
        [[LABEL_KEYS.index(label) for label in row] for row in LABELS], dtype="int8"
    )
    codes = table[np.maximum(scores["recency"], 1) - 1, np.maximum(depth, 1) - 1]
    codes = np.where(known, codes, LABEL_KEYS.index(NEVER_BOUGHT))
    return pd.DataFrame(
        {
            "rfm_recency": scores["recency"],
            "rfm_frequency": scores["frequency"],
            "rfm_monetary": scores["monetary"],
            "rfm_label": pd.Categorical.from_codes(codes, categories=LABEL_KEYS),
        },
        index=frame.index,
    )


def bought(frame: pd.DataFrame) -> pd.Series:
    """Tell who has bought at all."""
    return (frame["frequency"] > 0) & frame["recency_days"].notna()


def features(transactions: pd.DataFrame) -> pd.DataFrame:
    """Return recency, frequency and value per customer as of the last transaction.

    Frequency counts days with a purchase; returns lessen the value only.
    """
    days = transactions["date"].dt.floor("D")
    bought = transactions[transactions["amount"] > 0].assign(day=days)
    grouped = bought.groupby("customer")["day"]
    table = pd.DataFrame({"monetary": transactions.groupby("customer")["amount"].sum()})
    table["recency_days"] = (days.max() - grouped.max()).dt.days
    table["frequency"] = grouped.nunique()
    return table.fillna({"frequency": 0})
