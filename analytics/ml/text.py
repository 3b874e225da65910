"""Classes of texts (`ticket-class`): trained, measured, abstaining when unsure."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from analytics.ml import text_evaluation as evaluation
from analytics.ml.base import Card, Note, NotEnoughHistory, Rule, Trained, gate
from analytics.ml.splits import Split, split_rows
from analytics.ml.text_features import usable
from analytics.ml.text_scripts import ByScript

KEY = "ticket-class"
NEEDED_ROWS = 40
NEEDED_PER_CLASS = 5
KEPT_PER_CLASS = 2  # one example can be learned from or tested on, not both
MAX_ROWS = 60_000  # the newest; more of them cost time and gain little
TARGET_ACCURACY = 0.95
REASONS = 5


class TicketModel(BaseEstimator):
    """A classifier that says how sure it is, why, and nothing when unsure."""

    def __init__(self, target_accuracy: float = TARGET_ACCURACY) -> None:
        self.target_accuracy = target_accuracy

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> TicketModel:
        """Fit the classifier and the threshold below which it abstains."""
        self.classifier_ = ByScript().fit(texts, labels)
        self.threshold_ = evaluation.threshold(
            self.classifier_.held_probability_,
            self.classifier_.held_codes_,
            self.target_accuracy,
        )
        return self

    def refit(self, texts: Sequence[str], labels: Sequence[str]) -> TicketModel:
        """Fit on more rows and keep what was calibrated."""
        self.classifier_.refit(texts, labels)
        return self

    @property
    def classes_(self) -> np.ndarray:
        """Return the classes, in the order of the probabilities."""
        return self.classifier_.classes_

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Return one row of calibrated probabilities per text."""
        return self.classifier_.predict_proba(texts)

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        """Return the most probable class of each text."""
        return self.classifier_.predict(texts)

    def score(
        self, texts: Sequence[str], *, reasons: bool = True, choices: int = 0
    ) -> pd.DataFrame:
        """Return label, probability, runner-up and reasons per text.

        `abstained` says that the probability is below the threshold, or that no word
        is known: the label is then a guess to sort by, not one to suggest. A column
        `choices` holds that many of the likeliest labels then, with probabilities.
        """
        index = texts.index if isinstance(texts, pd.Series) else None
        texts = list(texts)
        if not texts:
            return pd.DataFrame(columns=list(COLUMNS), index=index)
        read = self.classifier_.read(texts)
        probability = self.classifier_.chances(read)
        order = np.argsort(-probability, axis=1)[:, :2]
        best = np.take_along_axis(probability, order, axis=1)
        words = self.classifier_.knows(read)
        table = pd.DataFrame(
            {
                "label": self.classes_[order[:, 0]],
                "probability": best[:, 0],
                "abstained": (best[:, 0] < self.threshold_) | ~words,
                "second": self.classes_[order[:, 1]],
                "second_probability": best[:, 1],
            },
            index=index,
        )
        if reasons:
            said = self.classifier_.reasons(read, order[:, 0], REASONS)
            table["reasons"] = [
                some if known else [] for some, known in zip(said, words, strict=True)
            ]
        if choices:
            table["choices"] = [
                self._likeliest(row, choices) if unsure else []
                for row, unsure in zip(probability, table["abstained"], strict=True)
            ]
        return table

    def _likeliest(self, chances: np.ndarray, limit: int) -> list[tuple[str, float]]:
        order = chances.argsort()[::-1][:limit]
        return [(self.classes_[place], chances[place]) for place in order]


COLUMNS = (
    "label",
    "probability",
    "abstained",
    "second",
    "second_probability",
    "reasons",
)


def train(
    texts: pd.Series,
    labels: pd.Series,
    *,
    times: pd.Series | None = None,
    split: pd.Series | None = None,
    groups: pd.Series | None = None,
    refit: bool = True,
    on_progress=None,
) -> Trained | NotEnoughHistory:
    """Measure a model on the hold-out beside the simple rule, then fit on all rows.

    `split` names each row "train" or "test"; without it the newest fifth by `times`
    is held out, or a random fifth where the times say nothing. With `groups` the card
    says how accurate the model is on each group of the hold-out.
    """
    step = on_progress or (lambda done, total: None)
    rows, notes = _clean(texts, labels, times, split, groups)
    counts = rows["label"].value_counts()
    refused = _gate(rows, counts, notes)
    if refused:
        return refused
    parts = split_rows(rows["label"], rows["time"], rows["split"])
    older, newer = rows[parts.train], rows[parts.test]
    older, dropped = _without_rare(older)
    if older["label"].nunique() < 2:
        return _refuse(rows, Note("one_class", {"label": counts.index[0]}), notes)
    step(1, 5)
    started = time.perf_counter()
    model = TicketModel().fit(older["text"].to_numpy(), older["label"].to_numpy())
    seconds = time.perf_counter() - started
    step(2, 5)
    measured = evaluation.evaluate(model, newer["text"], newer["label"])
    step(3, 5)
    right = measured.pop("right")
    rule, rivals, rule_right = evaluation.others(older, newer)
    if groups is not None:
        found = evaluation.by_group(newer["group"], right, rule_right)
        measured["details"]["groups"] = found
    step(4, 5)
    if refit:
        everything, _ = _without_rare(rows)
        model.refit(everything["text"].to_numpy(), everything["label"].to_numpy())
    step(5, 5)
    notes += dropped + parts.notes
    card = _card(model, rows, parts, measured, rule, rivals, notes, seconds)
    return Trained(model, card)


def _clean(texts, labels, times, split, groups) -> tuple[pd.DataFrame, list[Note]]:
    rows = pd.DataFrame(
        {
            "text": pd.Series(texts).to_numpy(dtype=object),
            "label": pd.Series(labels).astype("string").str.strip().to_numpy(object),
            "time": pd.NaT if times is None else pd.Series(times).to_numpy(),
            "split": None if split is None else pd.Series(split).to_numpy(object),
            "group": None if groups is None else pd.Series(groups).to_numpy(object),
        }
    )
    labelled = rows["label"].notna() & (rows["label"] != "")
    rows = rows[labelled]
    worded = usable(rows["text"])
    notes = []
    if not worded.all():
        notes.append(Note("empty_texts_dropped", {"count": int((~worded).sum())}))
        # A test row keeps its place: it counts as whatever the model says of it.
        rows = rows[worded | (rows["split"] == "test").to_numpy()]
    if len(rows) > MAX_ROWS:
        notes.append(Note("sampled", {"sample": MAX_ROWS, "rows": len(rows)}))
        rows = rows.sort_values("time", kind="stable").tail(MAX_ROWS)
    return rows.reset_index(drop=True), notes


def _gate(rows: pd.DataFrame, counts: pd.Series, notes) -> NotEnoughHistory | None:
    base = float(counts.iloc[0] / len(rows)) if len(rows) else None
    refused = gate(
        KEY,
        len(rows),
        ("too_few_rows", len(rows), NEEDED_ROWS),
        algorithm=evaluation.ALGORITHM,
        base_rate=base,
        warnings=notes,
    )
    if refused:
        return refused
    if len(counts) == 1:
        return _refuse(rows, Note("one_class", {"label": counts.index[0]}), notes)
    if (counts >= NEEDED_PER_CLASS).sum() < 2:
        return _refuse(rows, Note("no_classes", {"needed": NEEDED_PER_CLASS}), notes)
    return None


def _refuse(rows: pd.DataFrame, reason: Note, notes) -> NotEnoughHistory:
    top = rows["label"].value_counts(normalize=True)
    return NotEnoughHistory(
        key=KEY,
        reason=reason,
        rows=len(rows),
        base_rate=float(top.iloc[0]),
        algorithm=evaluation.ALGORITHM,
        warnings=notes,
    )


def _without_rare(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    counts = rows["label"].value_counts()
    rare = counts[counts < KEPT_PER_CLASS]
    if rare.empty:
        return rows, []
    params = {"count": len(rare), "needed": KEPT_PER_CLASS}
    return rows[~rows["label"].isin(rare.index)], [Note("rare_classes_dropped", params)]


def _card(model, rows, parts: Split, measured, rule: Rule, rivals, notes, seconds):
    times = rows["time"].dropna()
    return Card(
        key=KEY,
        algorithm=evaluation.ALGORITHM,
        rows=len(rows),
        split=parts.name,
        split_params=parts.params,
        window_start=times.min() if len(times) else None,
        window_end=times.max() if len(times) else None,
        main_figure="accuracy",
        simple_rule=rule,
        rivals=rivals,
        parameters={
            "classes": len(model.classes_),
            "threshold": model.threshold_,
            "target_accuracy": model.target_accuracy,
            "nets": model.classifier_.use_nets_,
        },
        base_rate=float(rows["label"].value_counts(normalize=True).iloc[0]),
        warnings=notes,
        fit_seconds=seconds,
        **measured,
    )
