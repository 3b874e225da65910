"""Statistics: each region with the age, income and gender of its customers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from analytics import datasets
from analytics.analyses.base import Analysis, Dataset, Progress
from analytics.ml import statistics
from analytics.ml.base import Card, Note, NotEnoughHistory, Trained
from analytics.models import AnalysisKey, Run

NEEDED = 2
METHOD = "group-by"


class Statistics(Analysis):
    """Describe; nothing is learned, so there is no rule to beat."""

    key = AnalysisKey.STATISTICS
    learns = False

    def extract(self, as_of: datetime, params: dict[str, Any]) -> Dataset:
        """Read every customer's region, gender, income and age."""
        return Dataset(datasets.people(as_of))

    def train(
        self,
        data: Dataset,
        params: dict[str, Any],
        *,
        previous: Any = None,
        on_progress: Progress | None = None,
    ) -> Trained | NotEnoughHistory:
        """Make the tables; one customer has no spread to speak of."""
        if data.rows < NEEDED:
            note = Note("too_few_rows", {"rows": data.rows, "needed": NEEDED})
            return NotEnoughHistory(str(self.key), note, data.rows, algorithm=METHOD)
        tables = statistics.describe(
            data.frame,
            by="region",
            numeric=("age", "income"),
            categorical=("gender",),
        )
        return Trained(tables, Card(str(self.key), METHOD, data.rows))

    def score(
        self, model: Any, data: Dataset, params: dict[str, Any]
    ) -> Iterator[list[Sequence[Any]]]:
        """Yield nothing: there is no result per customer."""
        return iter(())

    def scored_rows(self, data: Dataset) -> int:
        """Return zero."""
        return 0

    def summarise(
        self, run: Run, model: Any, data: Dataset, params: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the tables."""
        return {"tables": model}
