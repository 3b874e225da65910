"""One text classifier per script.

English and Chinese share hardly a word, so neither learns anything from the other's
rows; together they only compete for the classes. Each script with rows enough gets a
classifier of its own, and the text itself says which one answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from analytics.ml.text_features import CJK_CHARACTER
from analytics.ml.text_model import Reading, TextClassifier

OWN_ROWS = 400  # a script with fewer rows learns together with the other
ALL, CJK, OTHER = "all", "cjk", "other"


def scripts_of(texts: Sequence[str]) -> np.ndarray:
    """Return "cjk" for each text with a Chinese character, else "other"."""
    found = [CJK_CHARACTER.search(str(text)) is not None for text in texts]
    return np.where(np.array(found, dtype=bool), CJK, OTHER)


class Read(NamedTuple):
    """The texts of one script: who reads them, their rows, and what was read."""

    part: TextClassifier
    rows: np.ndarray
    reading: Reading


def _count(read: list[Read]) -> int:
    return sum(len(some.rows) for some in read)


class ByScript(ClassifierMixin, BaseEstimator):
    """A `TextClassifier` for each script, or one for all where rows are few."""

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> ByScript:
        """Fit a part per script; what was held back for calibration is put together."""
        texts = np.asarray(texts, dtype=object)
        labels = np.asarray(labels)
        scripts = scripts_of(texts)
        own = all(
            (scripts == name).sum() >= OWN_ROWS
            and len(np.unique(labels[scripts == name])) > 1
            for name in (CJK, OTHER)
        )
        self.classes_ = np.unique(labels)
        self.parts_ = {}
        for name in (CJK, OTHER) if own else (ALL,):
            rows = slice(None) if name == ALL else scripts == name
            self.parts_[name] = TextClassifier().fit(texts[rows], labels[rows])
        parts = self.parts_.values()
        self.held_probability_ = np.vstack(
            [self._widened(part, part.held_probability_) for part in parts]
        )
        self.held_codes_ = np.concatenate(
            [self._columns(part)[part.held_codes_] for part in parts]
        )
        return self

    def refit(self, texts: Sequence[str], labels: Sequence[str]) -> ByScript:
        """Fit the same parts on more rows and keep what was calibrated."""
        texts = np.asarray(texts, dtype=object)
        labels = np.asarray(labels)
        scripts = scripts_of(texts)
        self.classes_ = np.unique(labels)
        for name, part in self.parts_.items():
            rows = slice(None) if name == ALL else scripts == name
            part.refit(texts[rows], labels[rows])
        return self

    @property
    def use_nets_(self) -> bool:
        """Tell whether neural nets vote in any part."""
        return any(part.use_nets_ for part in self.parts_.values())

    def read(self, texts: Sequence[str]) -> list[Read]:
        """Have each text read, once, by the part for its script."""
        texts = np.asarray(texts, dtype=object)
        scripts = scripts_of(texts)
        read = []
        for name, part in self.parts_.items():
            rows = np.flatnonzero((scripts == name) | (name == ALL))
            if len(rows):
                read.append(Read(part, rows, part.read(texts[rows])))
        return read

    def chances(self, read: list[Read]) -> np.ndarray:
        """Return one row of probabilities per text, in the order of `classes_`."""
        found = np.zeros((_count(read), len(self.classes_)))
        for part, rows, reading in read:
            found[rows] = self._widened(part, part.chances(reading))
        return found

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Return one row of probabilities per text, in the order of `classes_`."""
        return self.chances(self.read(texts))

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        """Return the most probable class of each text."""
        return self.classes_[self.predict_proba(texts).argmax(axis=1)]

    def knows(self, read: list[Read]) -> np.ndarray:
        """Tell which texts hold a word that their part has seen."""
        found = np.zeros(_count(read), dtype=bool)
        for part, rows, reading in read:
            found[rows] = part.knows(reading)
        return found

    def reasons(
        self, read: list[Read], codes: Sequence[int], limit: int = 5
    ) -> list[list[dict]]:
        """Return the features of each text that speak most for its class."""
        found: list[list[dict]] = [[] for _ in codes]
        for part, rows, reading in read:
            columns = self._columns(part).tolist()
            for place, row in enumerate(rows):
                if codes[row] in columns:
                    code = columns.index(codes[row])
                    found[row] = part.contributions(reading, place, code, limit)
        return found

    def contributions(self, text: str, code: int, limit: int = 5) -> list[dict]:
        """Return the features of the text that speak most for the class."""
        return self.reasons(self.read([text]), [code], limit)[0]

    def _columns(self, part: TextClassifier) -> np.ndarray:
        """Return where a part's classes stand among all classes."""
        return np.searchsorted(self.classes_, part.classes_)

    def _widened(self, part: TextClassifier, probability: np.ndarray) -> np.ndarray:
        """Return a part's probabilities with a column for every class."""
        wide = np.zeros((len(probability), len(self.classes_)))
        wide[:, self._columns(part)] = probability
        return wide
