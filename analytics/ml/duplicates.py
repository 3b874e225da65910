"""Find rows that are one and the same customer: probabilistic record linkage.

The model is that of Fellegi and Sunter, "A Theory for Record Linkage" (1969): each
field that two rows are compared in adds log2(m / u) bits to the odds of a match, where
m is how often customers who are one show that level of agreement and u how often two
different ones do. A value that many share weighs less (Winkler 1989): for the level
"same" u follows from how many *other* rows have the value. The chance that any two of n
rows are one before anything is compared is ``PRIOR`` / n.

The weights are fixed and stand below: m of name, street and place were counted on half
of the persons of a public set with planted errors, the others are estimates, as is u.
``learn`` counts m anew where the truth is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analytics.ml.duplicate_blocks import candidates
from analytics.ml.duplicate_fields import unpack
from analytics.ml.duplicate_levels import FIELDS, LEVELS, MISSING, levels_of
from analytics.ml.duplicate_table import (
    BIRTH,
    EMAIL,
    KIND,
    NAME,
    NUMBER,
    PHONE,
    PLACE,
    STREET,
    Table,
)

KEY = "duplicates"
# Pairs at least so probable are shown.
THRESHOLD = 0.5
# So many duplicates does a customer have on average, in a list that nobody tidied.
PRIOR = 0.05
# Fewer rows are treated as so many: three customers are not one by being few.
LEAST_ROWS = 1000
CHUNK = 100_000
# What people of one household or one firm share.
SHARED = (PHONE, STREET, PLACE)
MOST_SHARED = 10.0
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Weights:
    """m and u of each level of each field, in the order of ``LEVELS``."""

    m: Mapping[str, Sequence[float]]
    u: Mapping[str, Sequence[float]]

    def bits(self, name: str) -> np.ndarray:
        """Return log2(m / u) per level; one more at the end for "not known", 0."""
        ratio = np.array(self.m[name]) / np.array(self.u[name])
        return np.append(np.log2(ratio), 0.0)


WEIGHTS = Weights(
    m={
        "name": (0.02, 0.11, 0.06, 0.23, 0.02, 0.56),
        "phone": (0.16, 0.04, 0.80),
        "email": (0.20, 0.03, 0.07, 0.70),
        "street": (0.05, 0.27, 0.38, 0.30),
        "place": (0.01, 0.03, 0.31, 0.65),
        "birth": (0.04, 0.06, 0.90),
        "number": (0.06, 0.04, 0.90),
        "kind": (0.03, 0.97),
    },
    u={
        "name": (0.97, 0.03, 1e-4, 5e-5, 2e-5, 1e-5),
        "phone": (0.9999, 1e-4, 1e-6),
        "email": (0.9998, 1e-4, 2e-5, 1e-6),
        "street": (0.985, 0.015, 3e-4, 1e-5),
        "place": (0.945, 0.02, 0.03, 0.005),
        "birth": (0.9975, 0.0025, 4e-5),
        "number": (0.9999, 1e-4, 1e-6),
        "kind": (0.3, 0.7),
    },
)


class Pair(NamedTuple):
    """Two rows, by number, that are probably one; reasons are (field, level, bits)."""

    left: int
    right: int
    score: float
    reasons: list[tuple[str, str, float]]


@dataclass
class Found:
    """What a scan found, and how much it compared."""

    pairs: list[Pair]
    compared: int
    too_large: dict[str, int]
    left_out: bool = False


def find(
    table: Table,
    *,
    weights: Weights = WEIGHTS,
    threshold: float = THRESHOLD,
    most: int | None = None,
    on_progress: Progress | None = None,
) -> Found:
    """Return the pairs at least as probable as the threshold, the surest first.

    ``on_progress(done, total)`` is called often, in per cent; what it raises ends the
    scan. Of more than ``most`` pairs the least probable are left out.
    """
    say = on_progress or (lambda done, total: None)
    need = np.log2(threshold / (1 - threshold)) - prior_bits(len(table))
    too_large: dict[str, int] = {}
    left, right = hopeful(table, weights, need, say, too_large)
    pairs: list[Pair] = []
    total, left_out = len(left), False
    for start in range(0, total, CHUNK):
        say(70 + 30 * start // total, 100)
        part = slice(start, start + CHUNK)
        pairs += scored(table, left[part], right[part], weights, need)
        if most is not None and len(pairs) > most:
            pairs.sort(key=by_score)
            del pairs[most:]
            left_out = True
    pairs.sort(key=by_score)
    return Found(pairs, total, too_large, left_out)


def hopeful(
    table: Table,
    weights: Weights,
    need: float,
    say: Progress,
    too_large: dict[str, int],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the candidates, each once, whose texts are worth comparing.

    Comparing texts costs a hundred times as much as a look at what the table knows of
    each row, and most pairs need none: even at best they could not be one.
    """
    size = max(1, len(table))
    found = [np.empty(0, np.int64)]
    share = 0

    def step(done: int, total: int) -> None:
        nonlocal share
        share = 70 * done // total
        say(share, 100)

    for left, right in candidates(table.rows, step, too_large):
        # Also between two portions somebody may stop the scan.
        say(share, 100)
        levels = table.best_levels(left, right)
        bits = evidence(table, left, levels, weights)
        worth = total_bits(bits, levels) >= need
        found.append(left[worth].astype(np.int64) * size + right[worth])
    codes = np.unique(np.concatenate(found))
    return codes // size, codes % size


def by_score(pair: Pair) -> tuple[float, int, int]:
    """Return what pairs are sorted by: the surest first."""
    return -pair.score, pair.left, pair.right


def scored(
    table: Table, left: np.ndarray, right: np.ndarray, weights: Weights, need: float
) -> Iterator[Pair]:
    """Yield the pairs whose evidence reaches so many bits."""
    levels = compared(table, left, right)
    bits = evidence(table, left, levels, weights)
    sums = total_bits(bits, levels)
    for place in np.flatnonzero(sums >= need):
        score = 1 / (1 + 2 ** -min(60.0, sums[place] + prior_bits(len(table))))
        yield Pair(
            int(left[place]),
            int(right[place]),
            float(score),
            reasons(levels[place], bits[place]),
        )


def prior_bits(rows: int) -> float:
    """Return the log2 odds that two of so many rows are one."""
    return float(np.log2(PRIOR / max(rows, LEAST_ROWS)))


def compared(table: Table, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the levels of pairs: one row per pair, one column per field."""
    levels = np.empty((len(left), len(FIELDS)), np.int8)
    rows = table.rows
    for place, (a, b) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        levels[place, :KIND] = levels_of(unpack(rows[a]), unpack(rows[b]))
    levels[:, KIND] = table.kinds[left] == table.kinds[right]
    return levels


def same_bits(
    table: Table, number: int, left: np.ndarray, weights: Weights
) -> np.ndarray:
    """Return the bits of "same", fewer for a value that others have, too."""
    name = FIELDS[number]
    others = np.maximum(table.counts[number][left] - 2, 0) / max(len(table), LEAST_ROWS)
    return np.log2(weights.m[name][-1] / np.maximum(weights.u[name][-1], others))


def evidence(
    table: Table, left: np.ndarray, levels: np.ndarray, weights: Weights
) -> np.ndarray:
    """Return the bits of each field of each pair."""
    bits = np.zeros(levels.shape)
    for number, name in enumerate(FIELDS):
        bits[:, number] = weights.bits(name)[levels[:, number]]
        if number != KIND:
            is_same = levels[:, number] == len(LEVELS[name]) - 1
            frequency = same_bits(table, number, left, weights)
            bits[is_same, number] = np.minimum(bits[:, number], frequency)[is_same]
    return bits


def total_bits(bits: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the sum of the evidence of each pair.

    People of one household or firm share phone, street and place. Where none of
    name, birth date, mail and number says that it is one person, the three count once,
    by the strongest and up to ``MOST_SHARED`` bits: they are not independent then.
    """
    sums = bits.sum(axis=1)
    personal = (
        (levels[:, NAME] >= LEVELS["name"].index("shorter"))
        | (levels[:, BIRTH] >= 1)
        | (levels[:, EMAIL] >= 1)
        | (levels[:, NUMBER] >= 1)
    )
    shared = np.maximum(bits[:, SHARED], 0)
    surplus = shared.sum(axis=1) - np.minimum(shared.max(axis=1), MOST_SHARED)
    return np.where(personal, sums, sums - surplus)


def reasons(levels: np.ndarray, bits: np.ndarray) -> list[tuple[str, str, float]]:
    """Return what was known of both, what weighs most first."""
    found = [
        (name, LEVELS[name][level], round(float(weight), 1))
        for name, level, weight in zip(FIELDS, levels.tolist(), bits, strict=True)
        if level != MISSING and not (name == "kind" and level)
    ]
    return sorted(found, key=lambda one: -abs(one[2]))


def learn(
    table: Table, pairs: Iterable[tuple[int, int]], known: Weights = WEIGHTS
) -> Weights:
    """Return weights with m counted on pairs that are one; u stays as known.

    A field that none of the pairs tells of keeps its m, too.
    """
    left, right = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    levels = compared(table, left, right)
    m = dict(known.m)
    for number, name in enumerate(FIELDS):
        told = levels[:, number][levels[:, number] != MISSING]
        if len(told) and name != "kind":
            counts = np.bincount(told, minlength=len(LEVELS[name])) + 1.0
            m[name] = tuple((counts / counts.sum()).round(3).tolist())
    return Weights(m, known.u)


__all__ = ["Found", "Pair", "Table", "Weights", "find", "learn"]
