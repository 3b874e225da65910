"""Segments (`segmentation`): classes by rule, RFM, and clusters with lasting ids."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA

from analytics.ml import rfm
from analytics.ml.base import Card, Note, NotEnoughHistory, Trained, figures, gate
from analytics.ml.clusters import choose_k, kmeans, match_ids, name_clusters, skew

KEY = "segmentation"
ALGORITHM = "KMeans, RFM, PCA"
NEEDED_BUYERS = 30
WEAK_SILHOUETTE = 0.20
SCATTER_ROWS = 1_500
CORE = ("recency_days", "frequency", "monetary")
NO_CLUSTER = -1


@dataclass(frozen=True)
class Options:
    """What can be set; thresholds are the lower bounds of classes B and A."""

    power_column: str = "monetary"
    power_thresholds: tuple[float, float] | None = None
    power_quantiles: tuple[float, float] = rfm.POWER_QUANTILES
    cluster_columns: tuple[str, ...] = CORE
    min_clusters: int = 3
    max_clusters: int = 8
    random_state: int = 0


class SegmentModel(BaseEstimator):
    """All thresholds and centres of one run; scores any frame by them."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options

    def fit(self, frame: pd.DataFrame, y=None, previous=None) -> SegmentModel:
        """Fit thresholds, clusters and projection; ids and names follow previous."""
        options = self.options or Options()
        self.options_ = plain_options(options)
        self.power_thresholds_ = list(
            options.power_thresholds
            or rfm.edges(frame[options.power_column], options.power_quantiles)
        )
        self.rfm_edges_ = rfm.rfm_edges(frame)
        buyers = frame[rfm.bought(frame)]
        self._fit_scale(buyers, previous)
        points = self._points(buyers)
        self._fit_clusters(points, previous)
        if len(self.columns_):
            self._fit_projection(points)
        self._describe(buyers)
        return self

    def score(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return classes, RFM, cluster id and the place in the picture per row."""
        table = rfm.rfm_scores(frame, self.rfm_edges_)
        power = frame[self.options_["power_column"]]
        table.insert(0, "power_class", rfm.power_class(power, self.power_thresholds_))
        empty = pd.Series(np.nan, index=frame.index)
        ages = pd.to_numeric(frame.get("age", empty), errors="coerce")
        table.insert(1, "age_band", rfm.age_band(ages))
        table.insert(2, "region", rfm.region(frame.get("region", empty)))
        known = rfm.bought(frame).to_numpy()
        cluster = np.full(len(frame), NO_CLUSTER)
        place = np.full((len(frame), 2), np.nan)
        if known.any() and len(self.columns_):
            points = self._points(frame[known])
            cluster[known] = self._nearest(points)
            place[known] = self._project(points)
        table["cluster"] = cluster
        table["x"], table["y"] = place[:, 0], place[:, 1]
        return table

    @property
    def clusters(self) -> list[dict]:
        """Return each cluster with id, name, size, share and medians, largest first."""
        return sorted(self.clusters_, key=lambda row: -row["size"])

    def _fit_scale(self, buyers: pd.DataFrame, previous: SegmentModel | None) -> None:
        before = {}
        if previous is not None:
            before = dict(zip(previous.columns_, previous.logged_, strict=True))
        self.columns_, self.logged_, centre, scale = [], [], [], []
        for column in self.options_["cluster_columns"]:
            if column not in buyers:
                continue
            values = buyers[column].to_numpy(dtype=float)
            median = np.nanmedian(values) if np.isfinite(values).any() else 0.0
            values = np.where(np.isfinite(values), values, median)
            # Once on a log scale, always: else no centre could be matched.
            logged = bool(before.get(column, skew(values) > 1))
            # Below zero (more returned than bought) counts as nothing.
            shown = np.log1p(np.maximum(values, 0)) if logged else values
            if shown.std() < 1e-9:  # a constant tells nobody apart
                continue
            self.columns_.append(column)
            self.logged_.append(logged)
            centre.append((median, shown.mean()))
            scale.append(shown.std())
        self.medians_ = np.array([pair[0] for pair in centre])
        self.means_ = np.array([pair[1] for pair in centre])
        self.scale_ = np.array(scale)

    def _points(self, buyers: pd.DataFrame) -> np.ndarray:
        points = np.empty((len(buyers), len(self.columns_)))
        for position, column in enumerate(self.columns_):
            values = buyers[column].to_numpy(dtype=float)
            values = np.where(np.isfinite(values), values, self.medians_[position])
            if self.logged_[position]:
                values = np.log1p(np.maximum(values, 0))
            points[:, position] = values
        return (points - self.means_) / self.scale_

    def _fit_clusters(self, points: np.ndarray, previous: SegmentModel | None) -> None:
        options = self.options_
        seed = options["random_state"]
        alike = previous is not None and (
            (previous.columns_, previous.logged_) == (self.columns_, self.logged_)
        )
        self.tried_, k = [], 1
        if len(self.columns_):
            # At least ten customers a cluster, else a picture of noise.
            top = min(options["max_clusters"], len(points) // 10)
            low = min(options["min_clusters"], max(top, 2))
            prefer = len(previous.centres_) if alike else None
            k, self.tried_ = choose_k(
                points, range(low, max(top, low) + 1), prefer=prefer, seed=seed
            )
        if k < 2:
            scaled, self.inertia_ = np.zeros((1, len(self.columns_))), 0.0
        else:
            best = kmeans(k, seed).fit(points)
            if alike and len(previous.centres_) == k:
                start = (previous.centres_ - self.means_) / self.scale_
                again = kmeans(k, seed, init=start, n_init=1).fit(points)
                # Among equals, the solution that continues the last run.
                if again.inertia_ <= 1.01 * best.inertia_:
                    best = again
            scaled, self.inertia_ = best.cluster_centers_, float(best.inertia_)
        # Kept in the features' (logged) units, so that two runs can be compared.
        self.centres_ = scaled * self.scale_ + self.means_
        next_id = previous.next_id_ if previous is not None else 1
        self.ids_, self.next_id_ = match_ids(
            self.centres_,
            previous.scale_ if alike else self.scale_,
            previous.centres_ if alike else None,
            previous.ids_ if alike else [],
            next_id,
        )
        kept = dict(previous.names_) if alike else {}
        self.names_ = name_clusters(self.centres_, self.columns_, self.ids_, kept)

    def _nearest(self, points: np.ndarray) -> np.ndarray:
        centres = (self.centres_ - self.means_) / self.scale_
        # |p - c|² without |p|², which is the same for all centres
        distance = (centres**2).sum(axis=1) - 2 * points @ centres.T
        return np.array(self.ids_)[distance.argmin(axis=1)]

    def _fit_projection(self, points: np.ndarray) -> None:
        parts = min(2, points.shape[1])
        found = PCA(parts, svd_solver="covariance_eigh").fit(points)
        axes = found.components_
        # The sign of an axis is arbitrary: its largest loading is made positive.
        largest = np.abs(axes).argmax(axis=1)
        axes = axes * np.sign(axes[np.arange(parts), largest])[:, None]
        self.axes_ = np.zeros((2, points.shape[1]))
        self.axes_[:parts] = axes
        self.explained_ = found.explained_variance_ratio_.tolist()

    def _project(self, points: np.ndarray) -> np.ndarray:
        return points @ self.axes_.T

    def _describe(self, buyers: pd.DataFrame) -> None:
        labels = (
            self._nearest(self._points(buyers))
            if len(self.columns_)
            else np.full(len(buyers), self.ids_[0])
        )
        shown = [column for column in CORE if column in buyers]
        grouped = buyers[shown].groupby(labels)
        medians, sizes = grouped.median(), grouped.size()
        revenue = buyers["monetary"].groupby(labels).sum()
        self.clusters_ = [
            {
                "id": int(number),
                "name": self.names_[number],
                "size": int(sizes.get(number, 0)),
                "share": float(sizes.get(number, 0) / max(len(buyers), 1)),
                "revenue": float(revenue.get(number, 0.0)),
                "medians": (
                    {c: float(v) for c, v in medians.loc[number].items()}
                    if number in medians.index
                    else {}
                ),
            }
            for number in self.ids_
        ]


def train(
    frame: pd.DataFrame,
    *,
    previous: SegmentModel | None = None,
    options: Options | None = None,
    on_progress=None,
) -> Trained | NotEnoughHistory:
    """Fit the segments of one run and say how clear and how stable they are."""
    buyers = int(rfm.bought(frame).sum())
    refused = gate(
        KEY,
        len(frame),
        ("too_few_rows", buyers, NEEDED_BUYERS),
        algorithm=ALGORITHM,
        base_rate=buyers / len(frame) if len(frame) else None,
    )
    if refused:
        return refused
    step = on_progress or (lambda done, total: None)
    started = time.perf_counter()
    model = SegmentModel(options).fit(frame, previous=previous)
    seconds = time.perf_counter() - started
    step(1, 2)
    if not model.columns_:
        reason = Note("constant_columns", {"rows": len(frame)})
        return NotEnoughHistory(KEY, reason, len(frame), algorithm=ALGORITHM)
    details = {
        "clusters": model.clusters,
        "choice_of_k": model.tried_,
        "axes": [dict(zip(model.columns_, row, strict=True)) for row in model.axes_],
        "explained_variance": model.explained_,
        "scatter": _scatter(model, frame),
        "power_thresholds": model.power_thresholds_,
        "rfm_edges": model.rfm_edges_,
        "buyers": buyers,
    }
    step(2, 2)
    return Trained(model, _card(model, frame, details, seconds))


def _card(model: SegmentModel, frame: pd.DataFrame, details: dict, seconds) -> Card:
    k = len(model.centres_)
    chosen = next((row for row in model.tried_ if row["k"] == k), None)
    silhouette = chosen["silhouette"] if chosen else float("nan")
    warnings = []
    if not silhouette >= WEAK_SILHOUETTE:
        warnings.append(Note("weak_clusters", {"silhouette": silhouette}))
    return Card(
        key=KEY,
        algorithm=ALGORITHM,
        rows=len(frame),
        figures=figures(
            {},
            silhouette=silhouette,
            stability=chosen["stability"] if chosen else float("nan"),
            explained_variance=sum(model.explained_),
        ),
        main_figure="silhouette",
        parameters={"clusters": k, "columns": model.columns_} | model.options_,
        details=details,
        warnings=warnings,
        fit_seconds=seconds,
    )


def _scatter(model: SegmentModel, frame: pd.DataFrame) -> list[dict]:
    """Return a sample of the picture, drawn evenly over the frame."""
    buyers = frame[rfm.bought(frame)]
    take = np.linspace(0, len(buyers) - 1, min(SCATTER_ROWS, len(buyers))).astype(int)
    scored = model.score(buyers.iloc[take])
    return [
        {"id": key, "x": round(x, 4), "y": round(y, 4), "cluster": int(cluster)}
        for key, x, y, cluster in zip(
            scored.index.tolist(),
            scored["x"].tolist(),
            scored["y"].tolist(),
            scored["cluster"].tolist(),
            strict=True,
        )
    ]


def plain_options(options: Options) -> dict:
    """Return the options as lists and numbers, which a model file can hold."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(options).items()
    }
