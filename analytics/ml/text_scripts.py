"""One text classifier per script.

English and Chinese share hardly a word, so neither learns anything from the other's
rows; together they only compete for the classes. Each script with rows enough gets a
classifier of its own, and the text itself says which one answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from analytics.ml.text_features import CJK_CHARACTER
from analytics.ml.text_model import TextClassifier

OWN_ROWS = 400  # a script with fewer rows learns together with the other
ALL, CJK, OTHER = "all", "cjk", "other"


def scripts_of(texts: Sequence[str]) -> np.ndarray:
    """Return "cjk" for each text with a Chinese character, else "other"."""
    found = [CJK_CHARACTER.search(str(text)) is not None for text in texts]
    return np.where(np.array(found, dtype=bool), CJK, OTHER)


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

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Return one row of probabilities per text, in the order of `classes_`."""
        found = np.zeros((len(texts), len(self.classes_)))
        return self._routed(
            texts,
            lambda part, own: self._widened(part, part.predict_proba(own)),
            found,
        )

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        """Return the most probable class of each text."""
        return self.classes_[self.predict_proba(texts).argmax(axis=1)]

    def knows(self, texts: Sequence[str]) -> np.ndarray:
        """Tell which texts hold a word that their part has seen."""
        found = np.zeros(len(texts), dtype=bool)
        return self._routed(texts, lambda part, own: part.knows(own), found)

    def contributions(self, text: str, code: int, limit: int = 5) -> list[dict]:
        """Return the features of the text that speak most for the class."""
        part = self.parts_.get(ALL) or self.parts_[str(scripts_of([text])[0])]
        own = np.flatnonzero(self._columns(part) == code)
        return part.contributions(text, int(own[0]), limit) if len(own) else []

    def _routed(
        self,
        texts: Sequence[str],
        answer: Callable[[TextClassifier, np.ndarray], np.ndarray],
        found: np.ndarray,
    ) -> np.ndarray:
        """Fill one row per text with the answer of the part that reads its script."""
        texts = np.asarray(texts, dtype=object)
        scripts = scripts_of(texts)
        for name, part in self.parts_.items():
            rows = np.full(len(texts), True) if name == ALL else scripts == name
            if rows.any():
                found[rows] = answer(part, texts[rows])
        return found

    def _columns(self, part: TextClassifier) -> np.ndarray:
        """Return where a part's classes stand among all classes."""
        return np.searchsorted(self.classes_, part.classes_)

    def _widened(self, part: TextClassifier, probability: np.ndarray) -> np.ndarray:
        """Return a part's probabilities with a column for every class."""
        wide = np.zeros((len(probability), len(self.classes_)))
        wide[:, self._columns(part)] = probability
        return wide
