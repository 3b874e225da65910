"""How good a text classifier is, beside the simple rule and its rivals."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, precision_recall_fscore_support
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.svm import LinearSVC

from analytics.ml.base import LOWER, Rule, figures
from analytics.ml.calibration import expected_error, reliability
from analytics.ml.text_features import seed_vectoriser, vectoriser

ALGORITHM = "TF-IDF + linear SVM + neural nets"
BETTER = {"log_loss": LOWER, "calibration_error": LOWER}
RULE_NAME = "TF-IDF + multinomial naive Bayes"
PAIRS_SHOWN = 15
MATRIX_UP_TO = 15
RIVAL_ROWS = 20_000  # rivals are tried on the newest of these, not to take minutes
DEFAULT_THRESHOLD = 0.5


def evaluate(model, texts: pd.Series, labels: pd.Series) -> dict[str, Any]:
    """Return the parts of a card, measured on held-out texts."""
    truth = labels.to_numpy(dtype=object)
    probability = model.predict_proba(texts.to_numpy())
    best = probability.argmax(axis=1)
    sure = probability.max(axis=1)
    said = model.classes_[best]
    right = said == truth
    answered = sure >= model.threshold_
    place = {label: code for code, label in enumerate(model.classes_)}
    codes = np.array([place.get(label, -1) for label in truth])
    picked = np.where(codes >= 0, probability[np.arange(len(codes)), codes], 0.0)
    measured = figures(
        BETTER,
        accuracy=right.mean(),
        macro_f1=f1_score(truth, said, average="macro", zero_division=0),
        log_loss=-np.log(np.maximum(picked, 1e-9)).mean(),
        calibration_error=expected_error(sure, right),
        coverage=answered.mean(),
        answered_accuracy=right[answered].mean() if answered.any() else np.nan,
    )
    return {
        "figures": measured,
        "calibration": reliability(sure, right),
        "confusion": confusion(truth, said),
        "details": {"held_out": len(truth), "answered": int(answered.sum())},
        "right": right,
    }


def by_group(
    groups: pd.Series, ours: np.ndarray, rule: np.ndarray
) -> list[dict[str, Any]]:
    """Return the accuracy of the model and of the rule per group of held-out texts."""
    table = pd.DataFrame({"group": groups.to_numpy(), "ours": ours, "rule": rule})
    found = table.groupby("group", sort=True).agg(
        rows=("ours", "size"), accuracy=("ours", "mean"), rule=("rule", "mean")
    )
    return [{"group": str(row.Index), **_row(row)} for row in found.itertuples()]


def _row(row: Any) -> dict[str, Any]:
    return {
        "rows": int(row.rows),
        "accuracy": float(row.accuracy),
        "rule": float(row.rule),
    }


def threshold(probability: np.ndarray, codes: np.ndarray, target: float) -> float:
    """Return the least probability from which answers reach the target accuracy.

    Where no cut reaches it on the held-back rows, half is asked for.
    """
    sure = probability.max(axis=1)
    right = probability.argmax(axis=1) == codes
    order = np.argsort(-sure, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero((accuracy >= target) & (np.arange(len(order)) >= 19))
    if not len(enough):
        return DEFAULT_THRESHOLD
    return float(min(sure[order[enough[-1]]], 0.99))


def others(
    older: pd.DataFrame, newer: pd.DataFrame
) -> tuple[Rule, list[Rule], np.ndarray]:
    """Return the simple rule, the rivals, and where the rule was right."""
    older = older.tail(RIVAL_ROWS) if len(older) > RIVAL_ROWS else older
    texts, labels = older["text"].to_numpy(), older["label"].to_numpy()
    new_texts, truth = newer["text"].to_numpy(), newer["label"].to_numpy()
    simple = seed_vectoriser()
    counts, new_counts = simple.fit_transform(texts), simple.transform(new_texts)
    recipe = MultinomialNB()
    rule = _try(RULE_NAME, recipe, counts, labels, new_counts, truth)
    right = recipe.predict(new_counts) == truth
    full = vectoriser(len(texts))
    rows, new_rows = full.fit_transform(texts).tocsr(), full.transform(new_texts)
    rivals = [
        _try(name, rival, rows, labels, new_rows.tocsr(), truth)
        for name, rival in (
            ("multinomial naive Bayes", MultinomialNB(alpha=0.1)),
            ("complement naive Bayes", ComplementNB(alpha=0.3)),
            ("logistic regression", LogisticRegression(C=10, max_iter=40, tol=1e-3)),
            ("linear SVM", LinearSVC(random_state=0)),
        )
    ]
    return rule, rivals, right


def confusion(truth: np.ndarray, said: np.ndarray) -> dict[str, Any]:
    """Return figures per class, the pairs most often confused, and a small matrix."""
    labels = sorted(set(truth) | set(said))
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, said, labels=labels, zero_division=0
    )
    classes = [
        {
            "label": label,
            "precision": float(precision[place]),
            "recall": float(recall[place]),
            "f1": float(f1[place]),
            "support": int(support[place]),
        }
        for place, label in enumerate(labels)
    ]
    wrong = pd.DataFrame({"truth": truth, "said": said})
    wrong = wrong[wrong["truth"] != wrong["said"]]
    top = wrong.value_counts(["truth", "said"]).head(PAIRS_SHOWN)
    table: dict[str, Any] = {
        "classes": classes,
        "pairs": [
            {"truth": pair[0], "said": pair[1], "count": int(count)}
            for pair, count in top.items()
        ],
    }
    if len(labels) <= MATRIX_UP_TO:
        cross = pd.crosstab(truth, said).reindex(
            index=labels, columns=labels, fill_value=0
        )
        table |= {"labels": labels, "matrix": cross.to_numpy().tolist()}
    return table


def _try(name: str, rival, rows, labels, new_rows, truth) -> Rule:
    started = time.perf_counter()
    rival.fit(rows, labels)
    seconds = time.perf_counter() - started
    said = rival.predict(new_rows)
    measured = figures(
        BETTER,
        accuracy=(said == truth).mean(),
        macro_f1=f1_score(truth, said, average="macro", zero_division=0),
    )
    return Rule(name, measured, seconds)
