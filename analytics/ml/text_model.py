"""The text classifier: a linear model and small neural nets that vote.

A linear SVM on words, pairs and pieces knows exact phrases; a few small nets on a
projection of the pieces know what is alike. They err on different texts, so the mean
of their log-probabilities is better than either. Below some thousand examples the
nets add nothing (measured) and are left out.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import minimize_scalar
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.svm import LinearSVC

from analytics.ml.text_features import vectoriser
from analytics.ml.text_reasons import Speaker, reasons

SOFTNESS = 0.5  # the SVM's C; like the sizes below by cross-validation
NET_ROWS = 5_000
NETS = 3
HIDDEN = 256
DIMENSIONS = 400
EPOCHS = 25
BATCH = 128
SPREAD = 20.0  # the projection is scaled to this mean length, so that nets learn fast
FLOOR = 1e-9


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


def by_column(weights: np.ndarray) -> np.ndarray:
    """Return wide weights with each column in one place.

    Any other order has a sparse product copy all of them, for a single text too.
    """
    return np.asfortranarray(weights, dtype=np.float32)


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
        self.weights_ = by_column(half(weights))
        self.bias_ = bias.astype(np.float32)
        return self

    def __getstate__(self) -> dict:
        """Return the state with the weights in half precision."""
        state = dict(super().__getstate__())
        return state | {"weights_": np.ascontiguousarray(half(state["weights_"]))}

    def __setstate__(self, state: dict) -> None:
        """Widen the weights again: sparse products need it."""
        super().__setstate__(dict(state))
        self.weights_ = by_column(self.weights_)

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


@dataclass(frozen=True)
class Reading:
    """Texts as a classifier reads them, once for all that it says of them."""

    blocks: list[sparse.csr_matrix]
    features: sparse.csr_matrix  # the blocks side by side, weighted

    @property
    def pieces(self) -> sparse.csr_matrix:
        """Return the features on which the nets vote."""
        return self.features[:, -self.blocks[-1].shape[1] :]


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
        scores = self._scores(self.read(texts[held]))
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

    def read(self, texts: Sequence[str]) -> Reading:
        """Return the features of some texts."""
        factors = self.vectoriser_.transformer_weights or {}
        named = self.vectoriser_.transformer_list
        blocks = [block.transform(texts) for _, block in named]
        weighted = [
            part * factors[name] if name in factors else part
            for (name, _), part in zip(named, blocks, strict=True)
        ]
        return Reading(blocks, sparse.hstack(weighted, format="csr"))

    def chances(self, reading: Reading) -> np.ndarray:
        """Return one row of probabilities per text, in the order of `classes_`."""
        return softmax(self._join(self._scores(reading)))

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Return one row of probabilities per text, in the order of `classes_`."""
        return self.chances(self.read(texts))

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        """Return the most probable class of each text."""
        return self.classes_[self.predict_proba(texts).argmax(axis=1)]

    def knows(self, reading: Reading) -> np.ndarray:
        """Tell which texts hold a word that the model has seen."""
        return reading.blocks[0].getnnz(axis=1) > 0

    def contributions(
        self, reading: Reading, row: int, code: int, limit: int = 5
    ) -> list[dict]:
        """Return the features of one text that speak most for the class.

        The weight is what the feature adds to the class beyond its mean over all
        classes. Pieces of words are named only where no word speaks.
        """
        factors = self.vectoriser_.transformer_weights or {}
        speakers, start = [], 0
        named = self.vectoriser_.transformer_list
        for (name, block), part in zip(named, reading.blocks, strict=True):
            inside = slice(part.indptr[row], part.indptr[row + 1])
            columns = part.indices[inside]
            weights = np.ascontiguousarray(self.linear_.weights_[:, columns + start])
            adds = part.data[inside] * (weights[code] - weights.mean(axis=0))
            adds *= factors.get(name, 1.0)
            for place in np.flatnonzero(adds > 0):
                term = block.terms[columns[place]]
                speakers.append(Speaker(name, term, float(adds[place])))
            start += part.shape[1]
        return reasons(speakers, limit)

    def _fit_parts(self, texts: np.ndarray, codes: np.ndarray) -> None:
        self.vectoriser_ = vectoriser(len(texts))
        features = self.vectoriser_.fit_transform(texts).tocsr()
        self.linear_ = Linear().fit(features, codes)
        self.nets_ = None
        if self.use_nets_:
            _, pieces = self.vectoriser_.transformer_list[-1]
            first = features.shape[1] - len(pieces.vocabulary_)
            self.nets_ = Nets().fit(features[:, first:], codes)

    def _scores(self, reading: Reading) -> list[np.ndarray]:
        parts = [self.linear_.scores(reading.features)]
        if self.nets_ is not None:
            parts.append(self.nets_.scores(reading.pieces))
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
