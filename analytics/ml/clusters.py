"""Clusters whose number is chosen, and whose ids and names stay from run to run."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

CHOICE_ROWS = 20_000  # enough to choose k on
SILHOUETTE_ROWS = 6_000
RESAMPLES = 3
SAME_CLUSTER = 1.0  # centres nearer than this many standard deviations are one cluster
KEEP_K = 0.95  # the last run's k stays unless another is clearly better
LEVELS = {
    "monetary": ("value", ("low", "medium", "high")),
    "frequency": ("frequency", ("seldom", "sometimes", "often")),
    "recency_days": ("recency", ("recent", "lapsing", "long_ago")),
}


def kmeans(k: int, seed: int, *, init="k-means++", n_init: int = 4) -> KMeans:
    """Return the clusterer used throughout; plain KMeans is the fast one here."""
    return KMeans(k, init=init, n_init=n_init, random_state=seed, max_iter=100)


def choose_k(
    points: np.ndarray, candidates: range, *, prefer: int | None = None, seed: int = 0
) -> tuple[int, list[dict[str, float]]]:
    """Return k with the best silhouette × stability, and the figures of each k."""
    rng = np.random.default_rng(seed)
    sample = _sample(points, CHOICE_ROWS, rng)
    distinct = len(np.unique(sample, axis=0))
    tried = []
    for k in candidates:
        if k >= min(distinct, len(sample)):
            break
        labels = kmeans(k, seed, n_init=2).fit_predict(sample)
        if len(np.unique(labels)) < 2:
            continue
        silhouette = silhouette_score(
            sample,
            labels,
            sample_size=min(SILHOUETTE_ROWS, len(sample)),
            random_state=seed,
        )
        tried.append(
            {
                "k": k,
                "silhouette": float(silhouette),
                "stability": _stability(sample, labels, k, rng),
            }
        )
    if not tried:
        return 1, []
    scores = {row["k"]: row["silhouette"] * row["stability"] for row in tried}
    best = max(scores, key=scores.get)
    if prefer in scores and scores[prefer] >= KEEP_K * scores[best]:
        best = prefer
    return best, tried


def _stability(sample: np.ndarray, labels: np.ndarray, k: int, rng) -> float:
    """Return how alike the clusters come out from other halves of the rows (ARI)."""
    found = []
    for _ in range(RESAMPLES):
        half = rng.permutation(len(sample))[: max(k + 1, len(sample) // 2)]
        seed = int(rng.integers(1 << 31))
        other = kmeans(k, seed, n_init=1).fit(sample[half]).predict(sample)
        found.append(adjusted_rand_score(labels, other))
    return float(max(np.mean(found), 0.0))


def match_ids(
    centres: np.ndarray,
    scale: np.ndarray,
    previous: np.ndarray | None,
    previous_ids: list[int],
    next_id: int,
) -> tuple[list[int], int]:
    """Return an id per centre: the previous run's where it is the same cluster.

    Both sets of centres are in the features' own units; the scale makes them alike.
    """
    ids: list[int | None] = [None] * len(centres)
    if previous is not None and len(previous):
        gap = (centres[:, None, :] - previous[None, :, :]) / scale
        distance = np.sqrt((gap**2).sum(axis=2))
        # A pair too far apart costs so much that no assignment prefers it.
        cost = np.where(distance <= SAME_CLUSTER, distance, 1e6)
        for here, there in zip(*linear_sum_assignment(cost), strict=True):
            if cost[here, there] < 1e6:
                ids[here] = previous_ids[there]
    for position in range(len(ids)):
        if ids[position] is None:
            ids[position] = next_id
            next_id += 1
    return ids, next_id


def name_clusters(
    centres: np.ndarray,
    columns: list[str],
    ids: list[int],
    kept: dict[int, dict[str, str]],
) -> dict[int, dict[str, str]]:
    """Return a name of plain keys per cluster id, unique within the run.

    A cluster that was matched keeps its name. Levels compare a centre with the
    others; two clusters alike in all of them are told apart by a number.
    """
    names = {number: kept[number] for number in ids if number in kept}
    taken = {tuple(sorted(name.items())) for name in names.values()}
    order = sorted(range(len(ids)), key=lambda position: tuple(-centres[position]))
    for position in order:
        if ids[position] in names:
            continue
        name = {}
        for column, (key, words) in LEVELS.items():
            if column in columns:
                axis = centres[:, columns.index(column)]
                name[key] = words[_level(axis, axis[position])]
        base, number = dict(name), 2
        while tuple(sorted(name.items())) in taken:
            name = base | {"number": str(number)}
            number += 1
        names[ids[position]] = name
        taken.add(tuple(sorted(name.items())))
    return names


def _level(axis: np.ndarray, value: float) -> int:
    """Return 0, 1 or 2: the third of the centres' range that the value lies in."""
    low, high = float(axis.min()), float(axis.max())
    if high - low < 1e-9:
        return 1
    return min(int(3 * (value - low) / (high - low)), 2)


def _sample(points: np.ndarray, size: int, rng) -> np.ndarray:
    if len(points) <= size:
        return points
    return points[np.sort(rng.choice(len(points), size, replace=False))]


def skew(values: np.ndarray) -> float:
    """Return the third standardised moment; a constant has none."""
    spread = values.std()
    if spread < 1e-12:
        return 0.0
    return float(np.mean(((values - values.mean()) / spread) ** 3))
