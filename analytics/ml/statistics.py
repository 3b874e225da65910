"""Group-by tables (`statistics`): region by age, income and gender."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from analytics.ml.base import Card, plain

KEY = "statistics"
UNKNOWN = "unknown"
MEASURES = ("count", "mean", "median", "std", "var")


def describe(
    frame: pd.DataFrame,
    *,
    by: str = "region",
    numeric: Sequence[str] = ("age", "income"),
    categorical: Sequence[str] = ("gender",),
) -> dict[str, Any]:
    """Return each group's figures, the largest group first, and those of all rows.

    Standard deviation and variance are the sample's (n - 1); a group of one has none.
    What is empty or not a number counts in no figure; an empty group is "unknown".
    """
    clean = pd.DataFrame(index=frame.index)
    for column in numeric:
        clean[column] = pd.to_numeric(frame[column], errors="coerce")
    for column in (by, *categorical):
        text = frame[column].astype("string").str.strip()
        clean[column] = text.mask(text == "")
    clean[by] = clean[by].fillna(UNKNOWN)
    grouped = clean.groupby(by, sort=True)
    figures = {column: grouped[column].agg(list(MEASURES)) for column in numeric}
    counts = {
        column: clean.groupby([by, column]).size().unstack(fill_value=0)
        for column in categorical
    }
    groups = []
    for name, rows in grouped.size().items():
        group: dict[str, Any] = {by: str(name), "rows": int(rows)}
        for column in numeric:
            group[column] = _numbers(figures[column].loc[name])
        for column in categorical:
            row = counts[column].loc[name] if name in counts[column].index else None
            group[column] = _counts(row)
        groups.append(group)
    groups.sort(key=lambda group: (-group["rows"], group[by]))
    total: dict[str, Any] = {"rows": len(clean)}
    for column in numeric:
        total[column] = _numbers(clean[column].agg(list(MEASURES)))
    for column in categorical:
        total[column] = _counts(clean[column].value_counts())
    return {"by": by, "groups": groups, "total": total}


def card(frame: pd.DataFrame) -> Card:
    """Return the card of the tables: nothing is learned, so nothing is to be beaten."""
    return Card(key=KEY, algorithm="group by", rows=len(frame))


def _numbers(row: pd.Series) -> dict[str, float | int | None]:
    found = {name: plain(float(row[name])) for name in MEASURES}
    return found | {"count": int(row["count"])}


def _counts(row: pd.Series | None) -> dict[str, Any]:
    """Return the counts of the values present and the most frequent one."""
    if row is None:
        return {"counts": {}, "mode": None}
    present = {str(name): int(count) for name, count in row.items() if count > 0}
    counts = dict(sorted(present.items()))
    return {"counts": counts, "mode": max(counts, key=counts.get) if counts else None}
