"""Which rows are learned from and which are held out to measure on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analytics.ml.base import Note

HELD_OUT = 0.20
ALIKE = 0.50  # share of the classes' mix that older and newer rows must have in common
SHORTEST = pd.Timedelta(days=1)  # what came within a day was loaded, and has no order


@dataclass(frozen=True)
class Split:
    """Two masks over the rows, and how they came about."""

    name: str  # "given", "time" or "random"
    train: np.ndarray
    test: np.ndarray
    params: dict = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def split_rows(
    labels: pd.Series, times: pd.Series, given: pd.Series, seed: int = 0
) -> Split:
    """Return the given split, or the newest fifth, or a random fifth per class.

    Rows that were loaded in one go carry no usable order: their times are alike, or
    the newest of them are of quite other classes, as in a file sorted by class.
    """
    test = (given == "test").to_numpy()
    if test.any() and not test.all():
        return _named("given", ~test, test)
    test = newest(times)
    if test is not None:
        older, newer = (
            labels[rows].value_counts(normalize=True) for rows in (~test, test)
        )
        common = np.minimum(older.reindex(newer.index).fillna(0), newer).sum()
        if common >= ALIKE:
            edge = times[test].min()
            return _named("time", ~test, test, held_out_from=edge)
    test = _random(labels, seed)
    return _named("random", ~test, test, notes=[Note("random_split")])


def newest(times: pd.Series, share: float = HELD_OUT) -> np.ndarray | None:
    """Return a mask of the newest rows; rows of one moment stay on one side."""
    if times.isna().any() or times.nunique() < 10:
        return None
    if times.max() - times.min() < SHORTEST:
        return None
    ordered = times.sort_values(kind="stable")
    edge = ordered.iloc[int(len(ordered) * (1 - share))]
    test = (times >= edge).to_numpy()
    # One large batch at the edge would make the hold-out far too large or small.
    if not share / 2 <= test.mean() <= share * 2:
        return None
    return test


def _random(labels: pd.Series, seed: int) -> np.ndarray:
    """Return a random fifth of each class; at least one row of it stays."""
    rng = np.random.default_rng(seed)
    test = np.zeros(len(labels), dtype=bool)
    for rows in labels.groupby(labels).indices.values():
        quota = min(int(len(rows) * HELD_OUT + rng.random()), len(rows) - 1)
        test[rng.permutation(rows)[:quota]] = True
    if not test.any():
        test[rng.integers(len(labels))] = True
    return test


def _named(name: str, train, test, notes=(), **params) -> Split:
    sizes = {"train": int(train.sum()), "test": int(test.sum())}
    return Split(name, train, test, sizes | params, list(notes))
