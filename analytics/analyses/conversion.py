"""Conversion: the chance that an open lead becomes a customer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from django.utils import timezone

from analytics import datasets
from analytics.analyses.base import Analysis, Dataset, Progress, number, portions
from analytics.ml import lead_score
from analytics.ml.base import NotEnoughHistory, Trained
from analytics.models import AnalysisKey, Run

# An open lead this old counts as not converted; younger ones teach nothing yet.
MATURITY_DAYS = 90
OUTCOME, TIME, SOURCE = "outcome", "first_contact", "source"


class Conversion(Analysis):
    """Learn from closed leads with what was known when they came in."""

    key = AnalysisKey.CONVERSION

    def newest(self) -> datetime | None:
        """Return when the last lead came in or was closed."""
        return datasets.newest_lead_event()

    def extract(self, as_of: datetime, params: dict[str, Any]) -> Dataset:
        """Read the leads; those with an outcome teach, the open ones are scored."""
        frame = datasets.leads(as_of, MATURITY_DAYS)
        decided = frame[frame[OUTCOME].notna()].astype({OUTCOME: "int64"})
        window = None
        if len(decided):
            window = decided[TIME].iloc[0].date(), decided[TIME].iloc[-1].date()
        return Dataset(
            decided[[*datasets.LEAD_FEATURES, TIME, OUTCOME]],
            to_score=frame.loc[frame["is_open"] == 1, [*datasets.LEAD_FEATURES, TIME]],
            window=window,
        )

    def train(
        self,
        data: Dataset,
        params: dict[str, Any],
        *,
        previous: Any = None,
        on_progress: Progress | None = None,
    ) -> Trained | NotEnoughHistory:
        """Fit on the older four fifths, measure on the newest, then fit on all."""
        return lead_score.train(data.frame, outcome=OUTCOME, time=TIME, source=SOURCE)

    def score(
        self, model: Any, data: Dataset, params: dict[str, Any]
    ) -> Iterator[list[Sequence[Any]]]:
        """Yield the chance and its reasons per open lead."""
        for part in portions(data.to_score):
            yield rows_of(model, part)

    def summarise(
        self, run: Run, model: Any, data: Dataset, params: dict[str, Any]
    ) -> dict[str, Any]:
        """Return what became of the leads by source."""
        by_source = data.frame.groupby(SOURCE)[OUTCOME].agg(["size", "sum"])
        return {
            "sources": [
                {"source": source, "leads": int(row["size"]), "won": int(row["sum"])}
                for source, row in by_source.sort_values(
                    "size", ascending=False
                ).iterrows()
            ],
            "open": len(data.to_score),
        }

    def after_publish(self, run: Run, model: Any) -> None:
        """Score the leads that came in while the run was at work."""
        if timezone.now() - run.as_of < timedelta(days=1):
            from analytics.scoring import score_missing

            score_missing(str(self.key), run, model)


def rows_of(model: Any, frame: pd.DataFrame) -> list[Sequence[Any]]:
    """Return the result rows of some leads."""
    table = model.score(frame)
    return [
        (
            lead,
            number(row.probability),
            None,
            None,
            "",
            False,
            [
                {
                    "feature": reason["feature"],
                    "value": str(reason["value"]),
                    "effect": round(float(reason["effect"]), 4),
                }
                for reason in row.reasons
            ],
            {},
        )
        for lead, row in zip(
            table.index.tolist(), table.itertuples(index=False), strict=True
        )
    ]
