"""What every analysis hands back: figures, a model card, or the lack of history."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np

from analytics.ml.messages import say

HIGHER = "higher"
LOWER = "lower"
ZERO = "zero"  # the nearer to zero the better, as for a signed bias


@dataclass(frozen=True)
class Figure:
    """One measured number and the direction in which it is better."""

    name: str
    value: float
    better: str = HIGHER

    def beats(self, other: Figure, margin: float = 0.0) -> bool:
        """Tell whether this figure is better than the other by more than the margin."""
        if math.isnan(self.value):
            return False
        if math.isnan(other.value):
            return True
        if self.better == HIGHER:
            return self.value - other.value > margin
        if self.better == ZERO:
            return abs(other.value) - abs(self.value) > margin
        return other.value - self.value > margin


Figures = dict[str, Figure]


def figures(better: Mapping[str, str], **values: float) -> Figures:
    """Build figures from keyword values; directions come from one shared table."""
    return {
        name: Figure(name, float(value), better.get(name, HIGHER))
        for name, value in values.items()
    }


@dataclass(frozen=True)
class Note:
    """A warning or reason: a code and its values; the words belong to the page."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Return the English sentence."""
        return say(self.code, self.params)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, the English sentence included."""
        return {"code": self.code, "params": plain(self.params), "text": self.text}


@dataclass(frozen=True)
class Rule:
    """A way to predict with its figures on the card's split: simple rule or rival."""

    name: str
    figures: Figures
    fit_seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        data: dict[str, Any] = {"name": self.name, "figures": values(self.figures)}
        if self.fit_seconds is not None:
            data["fit_seconds"] = round(self.fit_seconds, 3)
        return data


@dataclass(frozen=True)
class Card:
    """A model's card: on what it was measured, how well, and against what."""

    key: str
    algorithm: str
    rows: int
    split: str = ""
    split_params: dict[str, Any] = field(default_factory=dict)
    window_start: date | datetime | None = None
    window_end: date | datetime | None = None
    figures: Figures = field(default_factory=dict)
    main_figure: str = ""
    margin: float = 0.0  # by so much chance alone could make it better
    simple_rule: Rule | None = None
    rivals: Sequence[Rule] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    calibration: Sequence[dict[str, float]] = ()
    confusion: dict[str, Any] = field(default_factory=dict)
    importances: Sequence[dict[str, Any]] = ()
    details: dict[str, Any] = field(default_factory=dict)
    warnings: Sequence[Note] = ()
    enough_history: bool = True
    reason: Note | None = None
    base_rate: float | None = None
    fit_seconds: float | None = None

    @property
    def beats_rule(self) -> bool:
        """Tell whether the main figure is better than the rule's, beyond chance."""
        if not self.enough_history:
            return False
        if self.simple_rule is None:  # nothing to beat, as for statistics
            return True
        ours = self.figures.get(self.main_figure)
        theirs = self.simple_rule.figures.get(self.main_figure)
        return ours is not None and (theirs is None or ours.beats(theirs, self.margin))

    @property
    def better(self) -> dict[str, str]:
        """Return the direction of each figure."""
        return {name: figure.better for name, figure in self.figures.items()}

    def to_json(self) -> dict[str, Any]:
        """Return the card as values that `json.dumps` takes."""
        return {
            "key": self.key,
            "algorithm": self.algorithm,
            "rows": int(self.rows),
            "split": self.split,
            "split_params": plain(self.split_params),
            "window_start": plain(self.window_start),
            "window_end": plain(self.window_end),
            "figures": values(self.figures),
            "better": self.better,
            "main_figure": self.main_figure,
            "margin": plain(self.margin),
            "simple_rule": self.simple_rule.to_json() if self.simple_rule else None,
            "rivals": [rival.to_json() for rival in self.rivals],
            "beats_rule": self.beats_rule,
            "parameters": plain(self.parameters),
            "calibration": plain(list(self.calibration)),
            "confusion": plain(self.confusion),
            "importances": plain(list(self.importances)),
            "details": plain(self.details),
            "warnings": [note.to_json() for note in self.warnings],
            "enough_history": self.enough_history,
            "reason": self.reason.to_json() if self.reason else None,
            "base_rate": plain(self.base_rate),
            "fit_seconds": plain(self.fit_seconds),
        }


@dataclass(frozen=True)
class Trained:
    """A fitted model with its card."""

    model: Any
    card: Card


@dataclass(frozen=True)
class NotEnoughHistory:
    """The answer where there is too little data: a card without a model."""

    key: str
    reason: Note
    rows: int
    base_rate: float | None = None
    algorithm: str = ""
    warnings: Sequence[Note] = ()

    model = None

    @property
    def card(self) -> Card:
        """Return a card that says why there is no model."""
        return Card(
            key=self.key,
            algorithm=self.algorithm,
            rows=self.rows,
            enough_history=False,
            reason=self.reason,
            base_rate=self.base_rate,
            warnings=self.warnings,
        )


def gate(key: str, rows: int, *checks: tuple[str, int, int], **extra: Any):
    """Return NotEnoughHistory for the first (code, have, needed) not met, or None."""
    for code, have, needed in checks:
        if have < needed:
            note = Note(code, {"rows": int(have), "needed": int(needed)})
            return NotEnoughHistory(key=key, reason=note, rows=int(rows), **extra)
    return None


def values(of: Figures) -> dict[str, float | None]:
    """Return figures as name → number; what is not a number becomes None."""
    return {name: plain(figure.value) for name, figure in of.items()}


def plain(value: Any) -> Any:
    """Return the value in types that JSON knows; NaN and infinities become None."""
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, date | datetime):  # pandas' NaT is a datetime too
        return None if value != value else value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
