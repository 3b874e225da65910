"""The chance of conversion: a calibrated forest that can name its reasons."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from analytics.ml.lead_features import LeadEncoder

TREES = 300
LEAF = 10
RECENT = 0.25  # the newest share of the rows sets the level of the probabilities
RECENT_POSITIVE = 20
EDGE = 1e-4
REASONS = 4


def forest() -> RandomForestClassifier:
    """Return the classifier that measured best on older validation slices."""
    return RandomForestClassifier(
        TREES, min_samples_leaf=LEAF, oob_score=True, random_state=0, n_jobs=1
    )


class LeadModel(ClassifierMixin, BaseEstimator):
    """Rows in order of time in, calibrated chances out.

    Ranking is learned from all rows. The level is learned from out-of-sample
    predictions for the newest quarter, because conversion rates drift.
    """

    def __init__(self, estimator: BaseEstimator | None = None) -> None:
        self.estimator = estimator

    def fit(self, frame: pd.DataFrame, y) -> LeadModel:
        """Fit on rows ordered from the oldest to the newest."""
        y = np.asarray(y).astype(int)
        self.classes_ = np.array([0, 1])
        self.encoder_ = LeadEncoder().fit(frame)
        rows = self.encoder_.transform(frame)
        chosen = forest() if self.estimator is None else clone(self.estimator)
        self.estimator_ = chosen.fit(rows, y)
        unseen = self._out_of_sample(rows, y)
        recent = np.arange(len(y)) >= len(y) * (1 - RECENT)
        if min(y[recent].sum(), (1 - y[recent]).sum()) < RECENT_POSITIVE:
            recent = np.ones(len(y), dtype=bool)
        level = LogisticRegression(C=1e3).fit(_log_odds(unseen)[recent], y[recent])
        # Order is the forest's: calibration may flatten it, never turn it round.
        self.slope_ = max(float(level.coef_[0, 0]), 0.05)
        self.shift_ = float(level.intercept_[0])
        if self.slope_ == 0.05:
            rate = np.clip(y[recent].mean(), EDGE, 1 - EDGE)
            middle = _log_odds(unseen)[recent].mean()
            self.shift_ = float(logit(rate) - self.slope_ * middle)
        self.base_rate_ = float(y[recent].mean())
        return self

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Return chances of no and yes."""
        chance = self._calibrate(self._raw(self.encoder_.transform(frame)))
        return np.column_stack([1 - chance, chance])

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Return 1 where yes is the more probable."""
        return (self.predict_proba(frame)[:, 1] >= 0.5).astype(int)

    def score(self, frame: pd.DataFrame, *, reasons: bool = True) -> pd.DataFrame:
        """Return chance, base rate and reasons per row, indexed as the frame."""
        if not len(frame):
            names = ["probability", "base_rate", "reasons"]
            return pd.DataFrame(columns=names, index=frame.index)
        rows = self.encoder_.transform(frame)
        raw = self._raw(rows)
        chance = self._calibrate(raw)
        table = pd.DataFrame(
            {"probability": chance, "base_rate": self.base_rate_}, index=frame.index
        )
        if reasons:
            slope = (
                self.slope_ * chance * (1 - chance) / np.maximum(raw * (1 - raw), EDGE)
            )
            effects = self._effects(rows) * slope[:, None]
            table["reasons"] = self._reasons(frame, effects)
        return table

    @property
    def importances(self) -> list[dict]:
        """Return each column's share in the forest's splits, the largest first."""
        weights = getattr(self.estimator_, "feature_importances_", None)
        if weights is None:
            return []
        groups = np.asarray(self.encoder_.groups_)
        sums = np.bincount(groups, weights, minlength=len(self.encoder_.columns_))
        pairs = zip(self.encoder_.columns_, sums.tolist(), strict=True)
        rows = [{"feature": name, "value": value} for name, value in pairs]
        return sorted(rows, key=lambda row: -row["value"])

    def _raw(self, rows: np.ndarray) -> np.ndarray:
        return np.clip(self.estimator_.predict_proba(rows)[:, 1], EDGE, 1 - EDGE)

    def _calibrate(self, raw: np.ndarray) -> np.ndarray:
        return expit(self.slope_ * logit(raw) + self.shift_)

    def _out_of_sample(self, rows: np.ndarray, y: np.ndarray) -> np.ndarray:
        found = getattr(self.estimator_, "oob_decision_function_", None)
        if found is not None and np.isfinite(found).all():
            # Read once; it would only swell the model file.
            self.estimator_.oob_decision_function_ = None
            return found[:, 1]
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        model = clone(self.estimator_)
        return cross_val_predict(model, rows, y, cv=folds, method="predict_proba")[:, 1]

    def _effects(self, rows: np.ndarray) -> np.ndarray:
        """Return what each source column adds to the forest's mean, row by row.

        Along a row's path each split moves the expected outcome; the move is the
        split column's. The moves of all trees sum up to prediction minus base rate.
        """
        width = len(self.encoder_.columns_)
        total = np.zeros((len(rows), width))
        trees = getattr(self.estimator_, "estimators_", None)
        if not isinstance(self.estimator_, RandomForestClassifier):
            return total
        groups = np.asarray(self.encoder_.groups_)
        for tree in trees:
            nodes = tree.tree_
            share = nodes.value[:, 0, :]
            share = share[:, 1] / share.sum(axis=1)
            moves = np.zeros((nodes.node_count, width))
            inner = np.flatnonzero(nodes.children_left >= 0)
            for child in (nodes.children_left[inner], nodes.children_right[inner]):
                moves[child, groups[nodes.feature[inner]]] = share[child] - share[inner]
            total += tree.decision_path(rows) @ moves
        return total / len(trees)

    def _reasons(self, frame: pd.DataFrame, effects: np.ndarray) -> list[list[dict]]:
        names = self.encoder_.columns_
        order = np.argsort(-np.abs(effects), axis=1)[:, :REASONS]
        values = [frame[name].astype(object).tolist() for name in names]
        return [
            [
                {
                    "feature": names[place],
                    "value": _shown(values[place][row]),
                    "effect": float(effects[row, place]),
                }
                for place in places
            ]
            for row, places in enumerate(order.tolist())
        ]


def _log_odds(chance: np.ndarray) -> np.ndarray:
    return logit(np.clip(chance, EDGE, 1 - EDGE)).reshape(-1, 1)


def _shown(value):
    """Return a value as JSON knows it; what is missing becomes an empty text."""
    if value is None or value != value:
        return ""
    return value if isinstance(value, str | int | float | bool) else str(value)
