"""Ticket categories: what a new ticket is about, from its words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from analytics import datasets
from analytics.analyses.base import Analysis, Dataset, Progress, number, portions
from analytics.ml import text
from analytics.ml.base import NotEnoughHistory, Trained
from analytics.models import AnalysisKey, Run

LABEL = "label"
# How the parts of public collections are called there.
PARTS = {"train": "train", "develop": "train", "dev": "train", "test": "test"}
NEWEST_SHARE = 0.2
PORTION = 2_000
# Offered where the model is not sure.
CHOICES = 3


class TicketClass(Analysis):
    """Learn from tickets whose category a person or an import vouches for."""

    key = AnalysisKey.TICKET_CLASS

    def extract(self, as_of: datetime, params: dict[str, Any]) -> Dataset:
        """Read labelled tickets to learn from, and unlabelled ones to score."""
        frame = datasets.labelled_tickets(as_of)
        window = None
        if len(frame):
            window = frame["opened_at"].min(), frame["opened_at"].max()
        frame["part"] = parts(frame)
        return Dataset(
            frame, to_score=datasets.unlabelled_tickets(as_of), window=window
        )

    def train(
        self,
        data: Dataset,
        params: dict[str, Any],
        *,
        previous: Any = None,
        on_progress: Progress | None = None,
    ) -> Trained | NotEnoughHistory:
        """Learn the categories; the hold-out is the public one where there is one."""
        frame = data.frame
        split = None if (frame["part"] == "").all() else frame["part"]
        return text.train(
            frame["text"],
            frame[LABEL],
            times=frame["opened_at"],
            split=split,
            groups=None if split is None else frame["dataset"],
            on_progress=on_progress,
        )

    def score(
        self, model: Any, data: Dataset, params: dict[str, Any]
    ) -> Iterator[list[Sequence[Any]]]:
        """Yield the likeliest category of each unlabelled ticket."""
        for part in portions(data.to_score, PORTION):
            yield rows_of(model, part)

    def summarise(
        self, run: Run, model: Any, data: Dataset, params: dict[str, Any]
    ) -> dict[str, Any]:
        """Return how the labelled tickets got their category."""
        origins = data.frame["origin"].value_counts()
        return {
            "origins": {str(name): int(count) for name, count in origins.items()},
            "categories": int(data.frame[LABEL].nunique()),
            "unlabelled": len(data.to_score),
        }

    def after_publish(self, run: Run, model: Any) -> None:
        """Score the tickets that came in while the run was at work."""
        from analytics.scoring import score_missing

        score_missing(str(self.key), run, model)


def parts(frame: pd.DataFrame) -> pd.Series:
    """Return "train" or "test" per ticket, or "" where no part is a public one.

    Beside a public collection the newest fifth of our own tickets is held out too.
    """
    found = frame["split"].map(PARTS).fillna("").where(frame["dataset"] != "", "")
    found = found.astype("object")
    if not (found == "test").any():
        return pd.Series("", index=frame.index, dtype="object")
    own = found[found == ""].index  # in the order of time
    newest = own[len(own) - int(len(own) * NEWEST_SHARE) :]
    found.loc[own] = "train"
    found.loc[newest] = "test"
    return found


def rows_of(model: Any, frame: pd.DataFrame) -> list[Sequence[Any]]:
    """Return the result rows of some tickets."""
    table = model.score(frame["text"], choices=CHOICES)
    return [
        (
            ticket,
            number(row.probability),
            None,
            None,
            str(row.label)[:120],
            bool(row.abstained),
            [
                {
                    "feature": str(reason["feature"]),
                    "weight": round(float(reason["weight"]), 4),
                }
                for reason in row.reasons
            ],
            {
                "best": [
                    _choice(*choice)
                    for choice in row.choices or [(row.label, row.probability)]
                ]
            },
        )
        for ticket, row in zip(
            table.index.tolist(), table.itertuples(index=False), strict=True
        )
    ]


def _choice(label: Any, chance: Any) -> dict[str, Any]:
    return {"label": str(label), "probability": number(chance)}
