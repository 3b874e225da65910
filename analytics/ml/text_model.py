"""The text classifier: a linear model and small neural nets that vote.

A linear SVM on words, pairs and pieces knows exact phrases; a few small nets on a
projection of the pieces know what is alike. They err on different texts, so the mean
of their log-probabilities is better than either. Below some thousand examples the
nets add nothing (measured) and are left out.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import sparse
from scipy.optimize import minimize_scalar
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.svm import LinearSVC

from analytics.ml.text_features import CJK_CHARACTER, Tfidf, vectoriser

SOFTNESS = 0.5  # the SVM's C; like the sizes below by cross-validation
NET_ROWS = 5_000
NETS = 3
HIDDEN = 256
DIMENSIONS = 400
EPOCHS = 25
BATCH = 128
SPREAD = 20.0  # the projection is scaled to this mean length, so that nets learn fast
FLOOR = 1e-9
READABLE = ("word", "pair", "character", "piece")  # reasons are of the first kind found


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return probabilities per row."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def log_loss(probability: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean negative log-probability of the true class's column."""
    picked = probability[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(picked, FLOOR)).mean())


def temperature(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the divisor of the scores that makes their softmax most honest."""
    found = minimize_scalar(
        lambda log_t: log_loss(softmax(scores / np.exp(log_t)), truth),
        bounds=(-5, 4),
        method="bounded",
    )
    return float(np.exp(found.x))


def half(weights: np.ndarray) -> np.ndarray:
    """Return weights in the precision they are stored in; it costs no accuracy."""
    return weights.astype(np.float16)


class Linear(BaseEstimator):
    """One linear SVM per class on all features."""

    def fit(self, features: sparse.csr_matrix, codes: np.ndarray) -> Linear:
        """Fit one row of weights per class."""
        machine = LinearSVC(C=SOFTNESS, random_state=0)
        machine.fit(features, codes)
        weights, bias = machine.coef_, machine.intercept_
        if len(weights) == 1:  # two classes have one row of weights
            weights = np.vstack([-weights, weights])
            bias = np.concatenate([-bias, bias])
        self.weights_ = half(weights).astype(np.float32)
        self.bias_ = bias.astype(np.float32)
        return self

    def __getstate__(self) -> dict:
        """Return the state with the weights in half precision."""
        state = dict(super().__getstate__())
        return state | {"weights_": half(state["weights_"])}

    def __setstate__(self, state: dict) -> None:
        """Widen the weights again: sparse products need it."""
        super().__setstate__(dict(state))
        self.weights_ = self.weights_.astype(np.float32)

    def scores(self, features: sparse.csr_matrix) -> np.ndarray:
        """Return the distance from each class's border."""
        return features @ self.weights_.T + self.bias_


class Nets(BaseEstimator):
    """Small neural nets on a projection; they differ by their seed alone."""

    def fit(self, features: sparse.csr_matrix, codes: np.ndarray) -> Nets:
        """Project on the main axes and fit each net."""
        width = min(DIMENSIONS, features.shape[1] - 1, features.shape[0] - 1)
        axes = TruncatedSVD(width, n_iter=3, random_state=0).fit(features)
        self.axes_ = np.ascontiguousarray(axes.components_.T, dtype=np.float32)
        length = np.linalg.norm(features @ self.axes_, axis=1).mean()
        self.axes_ *= np.float32(SPREAD / max(length, 1e-9))
        self.axes_ = half(self.axes_).astype(np.float32)
        points = features @ self.axes_
        self.layers_ = []
        for seed in range(NETS):
            net = MLPClassifier(
                (HIDDEN,),
                alpha=1.0,
                batch_size=min(BATCH, len(codes)),
                max_iter=EPOCHS,
                random_state=seed,
            )
            with warnings.catch_warnings():
                # The few epochs are a choice: more of them overfit.
                warnings.simplefilter("ignore", ConvergenceWarning)
                net.fit(points, codes)
            layers = [*net.coefs_, *net.intercepts_]
            self.layers_.append([layer.astype(np.float32) for layer in layers])
        return self

    def __getstate__(self) -> dict:
        """Return the state with the axes in half precision."""
        state = dict(super().__getstate__())
        return state | {"axes_": half(state["axes_"])}

    def __setstate__(self, state: dict) -> None:
        """Widen the axes again."""
        super().__setstate__(dict(state))
        self.axes_ = self.axes_.astype(np.float32)

    def scores(self, features: sparse.csr_matrix) -> np.ndarray:
        """Return the nets' mean log-probabilities."""
        points = features @ self.axes_
        total = 0.0
        for first, last, bias, last_bias in self.layers_:
            out = np.maximum(points @ first + bias, 0) @ last + last_bias
            if out.shape[1] == 1:  # two classes share one output
                out = np.hstack([np.zeros_like(out), out])
            total = total + np.log(np.maximum(softmax(out), FLOOR))
        return total / len(self.layers_)


def readability(block: str, feature: str) -> str:
    """Return how well a person can read a feature; one CJK character says little."""
    if block == "pairs":
        return "pair"
    shown = feature.strip()
    if CJK_CHARACTER.search(shown):
        whole = len(shown) > 1 and all(CJK_CHARACTER.match(c) for c in shown)
        return "word" if whole else "character"
    return "word" if block == "words" else "piece"


def _without_repeats(reasons: list[dict], limit: int) -> list[dict]:
    """Return the first reasons that say something the earlier ones do not."""
    kept: list[dict] = []
    for reason in reasons:
        feature = reason["feature"]
        if any(feature in other["feature"] for other in kept):
            continue
        part = next((other for other in kept if other["feature"] in feature), None)
        if part is None:
            kept.append(dict(reason))
        elif CJK_CHARACTER.search(feature):  # 浏览器 says more than 览器
            part["feature"] = feature
            part["weight"] += reason["weight"]
    kept.sort(key=lambda reason: -reason["weight"])
    return [r | {"weight": round(r["weight"], 4)} for r in kept[:limit]]


class TextClassifier(ClassifierMixin, BaseEstimator):
    """Texts in, calibrated probabilities out.

    `calibration` is the share of the rows held back to learn the temperatures; the
    parts are then fitted again on all rows.
    """

    def __init__(
        self,
        *,
        nets: bool | None = None,
        calibration: float = 0.2,
        random_state: int = 0,
    ) -> None:
        self.nets = nets
        self.calibration = calibration
        self.random_state = random_state

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> TextClassifier:
        """Learn temperatures on held-back rows, then fit on all of them."""
        texts = np.asarray(texts, dtype=object)
        self.classes_, codes = np.unique(np.asarray(labels), return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("a classifier needs two classes or more")
        many = len(texts) >= NET_ROWS if self.nets is None else self.nets
        self.use_nets_ = bool(many) and len(texts) > 20
        inner, held = self._split(codes)
        self._fit_parts(texts[inner], codes[inner])
        scores = self._scores(texts[held])
        self.temperatures_ = [temperature(part, codes[held]) for part in scores]
        self.joint_ = 1.0
        self.joint_ = temperature(self._join(scores), codes[held])
        self.held_probability_ = softmax(self._join(scores))
        self.held_codes_ = codes[held]
        self._fit_parts(texts, codes)
        return self

    def refit(self, texts: Sequence[str], labels: Sequence[str]) -> TextClassifier:
        """Fit the parts on more rows and keep the temperatures."""
        texts = np.asarray(texts, dtype=object)
        self.classes_, codes = np.unique(np.asarray(labels), return_inverse=True)
        self._fit_parts(texts, codes)
        return self

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Return one row of probabilities per text, in the order of `classes_`."""
        return softmax(self._join(self._scores(texts)))

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        """Return the most probable class of each text."""
        return self.classes_[self.predict_proba(texts).argmax(axis=1)]

    def knows(self, texts: Sequence[str]) -> np.ndarray:
        """Tell which texts hold a word that the model has seen."""
        _, block = self.vectoriser_.transformer_list[0]
        return block.transform(texts).getnnz(axis=1) > 0

    def contributions(self, text: str, code: int, limit: int = 5) -> list[dict]:
        """Return the features of the text that speak most for the class.

        The weight is what the feature adds to the class beyond its mean over all
        classes. Pieces of words are named only where no word speaks.
        """
        speaking: dict[str, list[dict]] = {}
        factors = self.vectoriser_.transformer_weights or {}
        for start, (name, part) in self._blocks():
            row = part.transform([text]).tocsr()
            weights = self.linear_.weights_[:, row.indices + start]
            adds = row.data * (weights[code] - weights.mean(axis=0))
            adds *= factors.get(name, 1.0)
            found = {part.vocabulary_.get(f): f for f in part.analyzer(text)}
            for index, weight in zip(row.indices, adds, strict=True):
                if weight > 0:
                    kind = readability(name, found[index])
                    reason = {"feature": found[index].strip(), "weight": float(weight)}
                    speaking.setdefault(kind, []).append(reason)
        for kind in READABLE:
            if kind in speaking:
                ordered = sorted(speaking[kind], key=lambda r: -r["weight"])
                return _without_repeats(ordered, limit)
        return []

    def _fit_parts(self, texts: np.ndarray, codes: np.ndarray) -> None:
        self.vectoriser_ = vectoriser(len(texts))
        features = self.vectoriser_.fit_transform(texts).tocsr()
        self.first_piece_ = [start for start, _ in self._blocks()][-1]
        self.linear_ = Linear().fit(features, codes)
        self.nets_ = None
        if self.use_nets_:
            self.nets_ = Nets().fit(features[:, self.first_piece_ :], codes)

    def _blocks(self) -> Iterator[tuple[int, tuple[str, Tfidf]]]:
        """Yield each block of features with the column it starts at."""
        start = 0
        for block in self.vectoriser_.transformer_list:
            yield start, block
            start += len(block[1].vocabulary_)

    def _scores(self, texts: Sequence[str]) -> list[np.ndarray]:
        features = self.vectoriser_.transform(texts).tocsr()
        parts = [self.linear_.scores(features)]
        if self.nets_ is not None:
            parts.append(self.nets_.scores(features[:, self.first_piece_ :]))
        return parts

    def _join(self, scores: list[np.ndarray]) -> np.ndarray:
        """Return the parts' mean log-probability, each at its own temperature."""
        pairs = zip(scores, self.temperatures_, strict=True)
        logs = [np.log(np.maximum(softmax(s / t), FLOOR)) for s, t in pairs]
        return sum(logs) / len(logs) / self.joint_

    def _split(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return rows to fit on and rows held back, every class among the former."""
        rng = np.random.default_rng(self.random_state)
        order = rng.permutation(len(codes))
        rank = np.empty(len(codes), dtype=int)  # place of a row within its class
        size = np.bincount(codes)
        by_class = order[np.argsort(codes[order], kind="stable")]
        starts = np.concatenate([[0], np.cumsum(size)[:-1]])
        rank[by_class] = np.arange(len(codes)) - np.repeat(starts, size)
        quota = np.floor(size * self.calibration + rng.random(len(size))).astype(int)
        held = rank < np.minimum(quota, size - 1)[codes]
        if not held.any():  # classes of one row each: calibrate on what there is
            return np.arange(len(codes)), np.arange(len(codes))
        return np.flatnonzero(~held), np.flatnonzero(held)
