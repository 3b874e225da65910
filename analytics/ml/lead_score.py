"""Conversion (`conversion`): the chance that a lead, order or opportunity converts."""

from __future__ import annotations

import time as clock

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from analytics.ml import leaks
from analytics.ml.base import (
    LOWER,
    Card,
    Note,
    NotEnoughHistory,
    Rule,
    Trained,
    figures,
    gate,
)
from analytics.ml.calibration import expected_error, reliability
from analytics.ml.lead_features import as_level, usable_columns
from analytics.ml.lead_model import LeadModel
from analytics.ml.splits import HELD_OUT, newest

__all__ = ["KEY", "LeadModel", "train"]

KEY = "conversion"
ALGORITHM = "random forest, calibrated"
BETTER = {"brier": LOWER, "log_loss": LOWER, "calibration_error": LOWER}
NEEDED_ROWS = 200
NEEDED_EACH = 30
NEEDED_HELD = 5
MAX_ROWS = 100_000
SMOOTHING = 20  # rows of the overall rate mixed into each source's
RESAMPLES = 100
COIN = 0.5  # the AUC of guessing
MATURE = 0.90  # a row is decided when this share of the conversions had happened


def train(
    frame: pd.DataFrame,
    *,
    outcome: str = "outcome",
    time: str | None = "time",
    source: str | None = None,
    outcome_time: str | None = None,
    exclude: tuple[str, ...] = (),
    refit: bool = True,
    on_progress=None,
) -> Trained | NotEnoughHistory:
    """Measure on the newest fifth beside the rate by source, then fit on all rows.

    Rows without an outcome are undecided and left out. With an outcome time, rows too
    young to have had their chance are left out too, converted or not: keeping only
    their conversions would flatter the rate.
    """
    step = on_progress or (lambda done, total: None)
    data, when, notes = _rows(frame, outcome, time, outcome_time)
    y = data[outcome].to_numpy().astype(int)
    rate = float(y.mean()) if len(y) else None
    refused = gate(
        KEY,
        len(y),
        ("too_few_rows", len(y), NEEDED_ROWS),
        ("too_few_positive", int(y.sum()), NEEDED_EACH),
        ("too_few_negative", int((1 - y).sum()), NEEDED_EACH),
        algorithm=ALGORITHM,
        base_rate=rate,
        warnings=notes,
    )
    if refused:
        return refused
    test, split = _hold_out(when, y, notes)
    if min(y[test].sum(), (1 - y[test]).sum()) < NEEDED_HELD:
        reason = Note("no_holdout_positive", {"needed": NEEDED_HELD})
        return NotEnoughHistory(KEY, reason, len(y), rate, ALGORITHM, notes)
    columns, left = _columns(data, y, ~test, when, outcome, time, outcome_time, exclude)
    notes += left
    if not columns:
        reason = Note("constant_columns", {"rows": len(y)})
        return NotEnoughHistory(KEY, reason, len(y), rate, ALGORITHM, notes)
    features = data[columns]
    step(1, 4)
    started = clock.perf_counter()
    model = LeadModel().fit(features[~test], y[~test])
    seconds = clock.perf_counter() - started
    chance = model.predict_proba(features[test])[:, 1]
    step(2, 4)
    rule, usual = _rule(data.get(source), y, test)
    lead, own = chance_margins(chance, usual, y[test])
    rivals = _rivals(features, y, test)
    step(3, 4)
    importances = model.importances
    if refit:
        model = LeadModel().fit(features, y)
    step(4, 4)
    found = measure(chance, y[test])
    ahead = found["auc"].value - rule.figures["auc"].value
    if abs(ahead) <= lead:
        params = {"difference": ahead, "figure": "auc", "margin": lead}
        notes.append(Note("within_chance", params))
    # Better than the rule, and better than a coin beyond chance: where there is no
    # signal at all, a model is a little ahead of the rule every other time.
    margin = max(0.0, COIN + own - rule.figures["auc"].value)
    card = Card(
        key=KEY,
        algorithm=ALGORITHM,
        rows=len(y),
        split=split,
        split_params={
            "train": int((~test).sum()),
            "test": int(test.sum()),
            "held_out_from": when[test].min() if split == "time" else None,
        },
        window_start=when.min() if when is not None else None,
        window_end=when.max() if when is not None else None,
        figures=found,
        main_figure="auc",
        margin=margin,
        simple_rule=rule,
        rivals=rivals,
        parameters={"columns": [str(name) for name in columns]},
        calibration=reliability(chance, y[test]),
        importances=importances,
        details={
            "positive": int(y.sum()),
            "held_out_positive": int(y[test].sum()),
            "train_rate": float(y[~test].mean()),
            "held_out_rate": float(y[test].mean()),
            "predicted_rate": float(chance.mean()),
        },
        warnings=notes,
        base_rate=rate,
        fit_seconds=seconds,
    )
    return Trained(model, card)


def measure(chance: np.ndarray, y: np.ndarray):
    """Return how well chances rank the outcomes and how true they are."""
    bounded = np.clip(chance, 1e-6, 1 - 1e-6)
    top = np.argsort(-chance, kind="stable")[: max(1, len(chance) // 5)]
    return figures(
        BETTER,
        auc=roc_auc_score(y, chance),
        brier=brier_score_loss(y, bounded),
        log_loss=log_loss(y, bounded, labels=[0, 1]),
        calibration_error=expected_error(chance, y),
        top_fifth_share=y[top].sum() / max(y.sum(), 1),
    )


def chance_margins(
    ours: np.ndarray, theirs: np.ndarray, y: np.ndarray
) -> tuple[float, float]:
    """Return by how much chance alone moves our lead on the rule, and our AUC.

    Each is 1.96 standard errors over resamples of the hold-out. Both are measured on
    the same resamples, so what is hard for both does not count for the lead.
    """
    rng = np.random.default_rng(0)
    found = []
    for _ in range(RESAMPLES):
        rows = rng.integers(0, len(y), len(y))
        if 0 < y[rows].sum() < len(rows):
            found.append([roc_auc_score(y[rows], c[rows]) for c in (ours, theirs)])
    mine, other = np.array(found).T
    return float(1.96 * np.std(mine - other)), float(1.96 * np.std(mine))


def _rows(
    frame: pd.DataFrame, outcome: str, time: str | None, outcome_time: str | None
) -> tuple[pd.DataFrame, pd.Series | None, list[Note]]:
    """Return the decided rows from the oldest to the newest, and their times."""
    notes: list[Note] = []
    data = frame[frame[outcome].notna()]
    if time is None or time not in data:
        return data, None, notes
    when = naive(data[time])
    data, when = data[when.notna()], when[when.notna()]
    order = np.argsort(when.to_numpy(), kind="stable")
    data, when = data.iloc[order], when.iloc[order]
    if outcome_time is not None and outcome_time in data:
        data, when, young = _mature(data, when, outcome, naive(data[outcome_time]))
        notes += young
    if len(data) > MAX_ROWS:
        notes.append(Note("sampled", {"sample": MAX_ROWS, "rows": len(data)}))
        data, when = data.tail(MAX_ROWS), when.tail(MAX_ROWS)
    return data, when, notes


def _mature(data, when, outcome: str, decided: pd.Series):
    """Leave out the rows too young to have converted, converted or not."""
    positive = (data[outcome].astype(int) == 1) & decided.notna()
    waits = (decided - when)[positive].dt.total_seconds() / 86_400
    if not len(waits):
        return data, when, []
    days = float(np.quantile(np.maximum(waits, 0), MATURE))
    as_of = max(when.max(), decided.max())
    old = (as_of - when).dt.total_seconds() / 86_400 >= days
    if old.all():
        return data, when, []
    params = {"count": int((~old).sum()), "days": round(days)}
    return data[old], when[old], [Note("censored_rows", params)]


def _hold_out(
    when: pd.Series | None, y: np.ndarray, notes: list[Note]
) -> tuple[np.ndarray, str]:
    test = newest(when) if when is not None else None
    if test is not None:
        return test, "time"
    notes.append(Note("random_split"))
    test = np.zeros(len(y), dtype=bool)
    rows = np.arange(len(y))
    _, held = train_test_split(rows, test_size=HELD_OUT, stratify=y, random_state=0)
    test[held] = True
    return test, "random"


def _columns(data, y, train, when, outcome, time, outcome_time, exclude):
    """Return the columns to learn from; what is suspect is judged on older rows."""
    taken = {outcome, time, outcome_time, *exclude}
    candidates = data[[name for name in data.columns if name not in taken]]
    older = when[train] if when is not None else None
    warned = leaks.suspicious_columns(candidates[train], y[train], older)
    suspect = set(leaks.certain(warned))
    honest = candidates[[n for n in candidates.columns if str(n) not in suspect]]
    columns, left = usable_columns(honest[train], older)
    notes = list(warned)
    notes += [Note("suspicious_excluded", {"column": name}) for name in sorted(suspect)]
    notes += [
        Note("stretch_of_time", {"column": name})
        for name, why in left.items()
        if why == "stretch_of_time"
    ]
    return columns, notes


def _rule(
    source: pd.Series | None, y: np.ndarray, test: np.ndarray
) -> tuple[Rule, np.ndarray]:
    """Return the rate so far, by source where there is one, and its figures."""
    base = float(y[~test].mean())
    if source is None:
        usual = np.full(int(test.sum()), base)
        return Rule("base_rate", measure(usual, y[test])), usual
    levels = as_level(source).to_numpy()
    known = pd.DataFrame({"level": levels[~test], "y": y[~test]})
    known = known.groupby("level")["y"].agg(["sum", "size"])
    rate = (known["sum"] + SMOOTHING * base) / (known["size"] + SMOOTHING)
    chance = pd.Series(levels[test]).map(rate).fillna(base).to_numpy()
    return Rule("base_rate_by_source", measure(chance, y[test])), chance


def _rivals(features: pd.DataFrame, y: np.ndarray, test: np.ndarray) -> list[Rule]:
    rivals = {
        "logistic regression": make_pipeline(
            StandardScaler(), LogisticRegression(C=0.01, max_iter=1000)
        ),
        "gradient boosting": HistGradientBoostingClassifier(
            max_iter=60,
            learning_rate=0.05,
            max_leaf_nodes=6,
            min_samples_leaf=40,
            random_state=0,
        ),
    }
    rules = []
    for name, estimator in rivals.items():
        started = clock.perf_counter()
        rival = LeadModel(estimator).fit(features[~test], y[~test])
        seconds = clock.perf_counter() - started
        chance = rival.predict_proba(features[test])[:, 1]
        rules.append(Rule(name, measure(chance, y[test]), seconds))
    return rules


def naive(column: pd.Series) -> pd.Series:
    """Return times without a zone; what is no time is missing."""
    if not pd.api.types.is_datetime64_any_dtype(column):
        column = pd.to_datetime(column, errors="coerce", format="mixed", utc=True)
    return column.dt.tz_localize(None) if column.dt.tz is not None else column
