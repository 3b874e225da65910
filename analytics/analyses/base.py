"""The one shape of all analyses: extract, train, evaluate, score, publish."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils import timezone

from analytics.frames import copy_rows
from analytics.ml import artefacts
from analytics.ml.base import Card, Note, NotEnoughHistory, Trained
from analytics.models import Run, Score

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]
# Rows per COPY; between two of them a cancelled run stops.
CHUNK = 20_000
SCORE_FIELDS = (
    "run",
    "object_id",
    "value",
    "low",
    "high",
    "label",
    "abstained",
    "reasons",
    "details",
)


@dataclass
class Dataset:
    """What one extraction found: rows to learn from, rows to score, and remarks."""

    frame: pd.DataFrame
    to_score: pd.DataFrame | None = None
    more: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    window: tuple[Any, Any] | None = None

    @property
    def rows(self) -> int:
        """Return how many rows there are to learn from."""
        return len(self.frame)


class Analysis(ABC):
    """One analysis. Subclasses say what is read, learned, and written.

    ``key``      of AnalysisKey
    ``learns``   there is a model, kept as a signed file
    """

    key: ClassVar[str]
    learns: ClassVar[bool] = True

    def clean_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters with defaults; raises UserVisibleError for bad ones."""
        return {}

    def newest(self) -> datetime | None:
        """Return when the newest row was made; without one the clock decides."""
        return None

    def default_as_of(self) -> datetime:
        """Return now, or the end of the last day with data where that was long ago.

        An archive of former years would else be described by its silence since.
        """
        now, newest = timezone.now(), self.newest()
        if newest is None or (now - newest).days <= self.fresh_days:
            return now
        last_day = timezone.localdate(newest)
        return timezone.make_aware(datetime.combine(last_day, time.max))

    fresh_days: ClassVar[int] = 30

    @abstractmethod
    def extract(self, as_of: datetime, params: dict[str, Any]) -> Dataset:
        """Read the data as they stood on a date."""

    @abstractmethod
    def train(
        self,
        data: Dataset,
        params: dict[str, Any],
        *,
        previous: Any = None,
        on_progress: Progress | None = None,
    ) -> Trained | NotEnoughHistory:
        """Learn, and measure against the simple rule on a time-ordered hold-out."""

    def evaluate(self, trained: Trained | NotEnoughHistory, data: Dataset) -> Card:
        """Return the model's card; training measured it before the last fit."""
        return trained.card

    def is_better(self, card: Card) -> bool:
        """Tell whether the model is worth publishing: better than its simple rule."""
        return card.beats_rule

    @abstractmethod
    def score(
        self, model: Any, data: Dataset, params: dict[str, Any]
    ) -> Iterator[list[Sequence[Any]]]:
        """Yield portions of rows for ``write``."""

    def write(self, run: Run, rows: list[Sequence[Any]]) -> int:
        """Append a portion of result rows under the run's id."""
        return copy_rows(Score, SCORE_FIELDS, ((run.pk, *row) for row in rows))

    def summarise(
        self, run: Run, model: Any, data: Dataset, params: dict[str, Any]
    ) -> dict[str, Any]:
        """Return small results that pages show of the run as a whole."""
        return {}

    def scored_rows(self, data: Dataset) -> int:
        """Return how many rows will be scored, for the progress bar."""
        return len(data.frame if data.to_score is None else data.to_score)

    def after_publish(self, run: Run, model: Any) -> None:  # noqa: B027
        """Do what can only be done once the run is the current one."""


def data_hash(data: Dataset) -> str:
    """Return a hash of what was learned from, the same whatever the row order."""
    return artefacts.hash_frame(data.frame.reset_index())


def portions(frame: pd.DataFrame, size: int = CHUNK) -> Iterator[pd.DataFrame]:
    """Cut a frame into portions of rows."""
    for start in range(0, len(frame), size):
        yield frame.iloc[start : start + size]


def number(value: Any) -> float | None:
    """Return a float that the database takes; None for what is none."""
    if value is None:
        return None
    value = float(value)
    return value if math.isfinite(value) else None
