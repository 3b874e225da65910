"""Texts as numbers: words, pairs of words, and pieces of words, in any script.

Chinese, Japanese and Korean write no spaces, so each of their characters is a word
here, and word pairs are what a word list would know. Digits become 0: an order number
says nothing of the kind of question, that there is one does.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion
from sklearn.utils.sparsefuncs_fast import inplace_csr_row_normalize_l2

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af"
TOKEN = re.compile(rf"[{CJK}]|[^\W{CJK}]+")
CJK_CHARACTER = re.compile(f"[{CJK}]")
DIGITS = re.compile(r"\d+")
WINDOW = 6  # words this near form a pair
MAX_CHARACTERS = 5_000  # a mail with a log file attached says nothing new after that
PIECES = range(1, 6)
CJK_PIECE = 3
PIECES_WEIGHT = 1.3
SOME_ROWS, MANY_ROWS = 5_000, 20_000
SEPARATOR = "\n"  # no term holds one: words and pieces stop at white space


def normalise(text: object) -> str:
    """Return the text in one form: NFKC, lower case, numbers masked."""
    if text is None or text != text:  # NaN
        return ""
    shown = unicodedata.normalize("NFKC", str(text)[:MAX_CHARACTERS]).lower()
    return DIGITS.sub("0", shown)


def tokens(text: str) -> list[str]:
    """Return the words of a normalised text; a CJK character is one."""
    return TOKEN.findall(text)


def words(text: str) -> list[str]:
    """Return words and pairs of neighbours."""
    found = tokens(normalise(text))
    return found + [join(a, b) for a, b in zip(found, found[1:], strict=False)]


def pairs(text: str) -> list[str]:
    """Return pairs of words near each other, whatever their order."""
    found = tokens(normalise(text))
    near = []
    for start, first in enumerate(found):
        for second in found[start + 1 : start + WINDOW]:
            near.append(" + ".join(sorted((first, second))))
    return near


def pieces(text: str) -> list[str]:
    """Return pieces of words: two to five characters, of CJK text one to three."""
    found = []
    for word in normalise(text).split():
        padded = f" {word} "
        mixed = CJK_CHARACTER.search(word) is not None
        for size in PIECES:
            for start in range(len(padded) - size + 1):
                piece = padded[start : start + size]
                is_cjk = mixed and CJK_CHARACTER.search(piece) is not None
                if 1 < size <= CJK_PIECE or is_cjk == (size <= CJK_PIECE):
                    found.append(piece)
            if size >= len(padded):
                break
    return found


def join(first: str, second: str) -> str:
    """Return two neighbours as they stand in a text: CJK without a space."""
    gap = "" if CJK_CHARACTER.match(first) and CJK_CHARACTER.match(second) else " "
    return f"{first}{gap}{second}"


def vectoriser(rows: int) -> FeatureUnion:
    """Return the features of the classifier; rare ones are left out of large sets.

    Pieces are not weighted by rarity: a rare piece is mostly a misspelling. Weights
    and sizes were chosen by cross-validation (docs/ml.md).
    """
    many = rows >= MANY_ROWS
    least = 4 if many else 2 if rows >= SOME_ROWS else 1
    return FeatureUnion(
        [
            ("words", _tfidf(words, min_df=2 if many else 1)),
            ("pairs", _tfidf(pairs, min_df=4 if many else 2)),
            ("pieces", _tfidf(pieces, min_df=least, use_idf=False)),
        ],
        transformer_weights={"pieces": PIECES_WEIGHT},
    )


def seed_vectoriser() -> Tfidf:
    """Return the features of the simple rule: plain TF-IDF of words."""
    return _tfidf(words_only, sublinear_tf=False)


def words_only(text: str) -> list[str]:
    """Return single words."""
    return tokens(normalise(text))


class Tfidf(TfidfVectorizer):
    """TF-IDF whose vocabulary is kept in a model file as one string.

    As a mapping it would be several times the size of all weights together.
    """

    _terms: list[str] | None = None

    @property
    def terms(self) -> list[str]:
        """Return the terms in order of their columns."""
        if self._terms is None:
            self._terms = sorted(self.vocabulary_, key=self.vocabulary_.get)
        return self._terms

    def fit_transform(self, raw_documents: Iterable[object], y=None):
        """Learn the terms and return the weights of the texts."""
        self._terms = None
        return super().fit_transform(raw_documents, y)

    def transform(self, raw_documents: Iterable[object]) -> sparse.csr_matrix:
        """Return one row of weights per text, the very ones scikit-learn gives.

        Its checks of what it made itself cost several times the work on one text.
        """
        columns, counts, ends = [], [], [0]
        for text in raw_documents:
            found = Counter(map(self.vocabulary_.get, self.analyzer(text)))
            found.pop(None, None)
            known = sorted(found)
            columns += known
            counts += [found[column] for column in known]
            ends.append(len(columns))
        columns = np.array(columns, dtype=np.int32)
        weights = np.array(counts, dtype=self.dtype)
        if self.sublinear_tf:
            weights = np.log(weights) + 1
        if self.use_idf:
            weights *= self.idf_[columns]
        shape = len(ends) - 1, len(self.vocabulary_)
        rows = sparse.csr_matrix((weights, columns, ends), shape=shape)
        inplace_csr_row_normalize_l2(rows)
        return rows

    def __getstate__(self) -> dict:
        """Return the state with the terms in order of their columns."""
        state = dict(super().__getstate__())
        state.pop("_terms", None)
        if state.pop("vocabulary_", None) is not None:
            state["packed_terms"] = SEPARATOR.join(self.terms)
        return state

    def __setstate__(self, state: dict) -> None:
        """Rebuild the vocabulary from its string."""
        state = dict(state)
        packed = state.pop("packed_terms", None)
        if packed is not None:
            terms = packed.split(SEPARATOR)
            state["vocabulary_"] = {term: place for place, term in enumerate(terms)}
            state["_terms"] = terms
        super().__setstate__(state)


def _tfidf(analyser, **options) -> Tfidf:
    return Tfidf(
        analyzer=analyser, dtype=np.float32, **{"sublinear_tf": True, **options}
    )


def usable(texts: Iterable[object]) -> np.ndarray:
    """Tell which texts hold at least one word."""
    return np.array([bool(TOKEN.search(normalise(text))) for text in texts], dtype=bool)
