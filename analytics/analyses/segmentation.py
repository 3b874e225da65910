"""Segmentation: purchasing power, RFM and clusters whose ids stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from analytics import datasets
from analytics.analyses.base import Analysis, Dataset, Progress, number, portions
from analytics.frames import copy_rows
from analytics.ml import rfm, segmentation
from analytics.ml.base import Card, Note, NotEnoughHistory, Trained
from analytics.models import AnalysisKey, Cluster, CustomerSegment, Run

SEGMENT_FIELDS = (
    "run",
    "customer_id",
    "purchasing_power",
    "age_band",
    "region",
    "recency_days",
    "frequency",
    "monetary",
    "r",
    "f",
    "m",
    "rfm_label",
    "cluster",
    "x",
    "y",
)


class Segmentation(Analysis):
    """Put every customer into a few groups that have names."""

    key = AnalysisKey.SEGMENTATION

    def newest(self) -> datetime | None:
        """Return when the last order was placed."""
        return datasets.newest_order()

    def extract(self, as_of: datetime, params: dict[str, Any]) -> Dataset:
        """Read one row of features per customer, in the main currency."""
        currency = datasets.main_currency(as_of)
        return Dataset(
            datasets.segment_features(as_of, currency.main),
            more={"currency": currency.main},
            notes=currency_notes(currency),
            window=datasets.order_window(as_of, currency.main),
        )

    def train(
        self,
        data: Dataset,
        params: dict[str, Any],
        *,
        previous: Any = None,
        on_progress: Progress | None = None,
    ) -> Trained | NotEnoughHistory:
        """Fit thresholds and clusters; ids and names follow the last run's model."""
        return segmentation.train(
            data.frame, previous=previous, on_progress=on_progress
        )

    def evaluate(self, trained: Trained | NotEnoughHistory, data: Dataset) -> Card:
        """Return the card; its picture must not name the customers in it."""
        card = trained.card
        for point in card.details.get("scatter", ()):
            point.pop("id", None)
        return card

    def score(
        self, model: Any, data: Dataset, params: dict[str, Any]
    ) -> Iterator[list[Sequence[Any]]]:
        """Yield every customer's classes, RFM, cluster and place in the picture."""
        for part in portions(data.frame):
            table = model.score(part)
            count_groups(data.more.setdefault("groups", {}), table, part["monetary"])
            yield list(
                zip(
                    part.index.tolist(),
                    table["power_class"].astype("object").tolist(),
                    table["age_band"].astype("object").tolist(),
                    [str(name)[:120] for name in table["region"].astype("object")],
                    [number(days) for days in part["recency_days"]],
                    part["frequency"].tolist(),
                    part["monetary"].tolist(),
                    [rank or None for rank in table["rfm_recency"].tolist()],
                    [rank or None for rank in table["rfm_frequency"].tolist()],
                    [rank or None for rank in table["rfm_monetary"].tolist()],
                    table["rfm_label"].astype("object").tolist(),
                    [one if one >= 0 else None for one in table["cluster"].tolist()],
                    [number(x) for x in table["x"]],
                    [number(y) for y in table["y"]],
                    strict=True,
                )
            )

    def write(self, run: Run, rows: list[Sequence[Any]]) -> int:
        """Append segments of customers."""
        return copy_rows(
            CustomerSegment, SEGMENT_FIELDS, ((run.pk, *row) for row in rows)
        )

    def summarise(
        self, run: Run, model: Any, data: Dataset, params: dict[str, Any]
    ) -> dict[str, Any]:
        """Write the clusters; return the other groups and who changed the cluster."""
        clusters = (
            Cluster(
                run=run,
                number=one["id"],
                name_key=one["name"],
                size=one["size"],
                revenue=round(one["revenue"], 4),
                centre=one["medians"],
            )
            for one in model.clusters
        )
        # At once: the trigger keeps the parts of those runs that have clusters.
        with transaction.atomic(), connection.cursor() as cursor:
            Cluster.objects.bulk_create(clusters)
            cursor.execute(PARTS, [run.pk])
        return {
            "currency": data.more["currency"],
            "groups": group_rows(data.more.get("groups", {})),
            "migration": migration(run),
        }


# Classes that a page shows, in their order where they have one.
ORDERED = {
    "power_class": ("A", "B", "C"),
    "age_band": (*rfm.AGE_BANDS, rfm.UNKNOWN),
}
SHOWN = ("power_class", "age_band", "region", "rfm_label")
MOST_GROUPS = 30
MIGRATION = """
    SELECT before.cluster, after.cluster, count(*)
    FROM analytics_customersegment before
    JOIN analytics_customersegment after
        ON after.run_id = %(now)s AND after.customer_id = before.customer_id
    WHERE before.run_id = %(then)s AND before.cluster IS DISTINCT FROM after.cluster
    GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 20
"""

# From here on a trigger keeps them (migration 0003).
PARTS = """
    INSERT INTO analytics_clusterpart (run_id, owner_id, cluster, size)
    SELECT segment.run_id, customer.owner_id, segment.cluster, count(*)
    FROM analytics_customersegment segment
    JOIN customers_customer customer ON customer.id = segment.customer_id
    WHERE segment.run_id = %s AND segment.cluster IS NOT NULL
        AND customer.owner_id IS NOT NULL
    GROUP BY 1, 2, 3
"""


def count_groups(found: dict[str, Any], table: Any, value: Any) -> None:
    """Add a portion of customers to the counts and values of the groups."""
    for column in SHOWN:
        keys = table[column].astype("object")
        sums = value.groupby(keys).agg(["size", "sum"])
        groups = found.setdefault(column, {})
        for key, count, total in sums.itertuples():
            before = groups.get(key, (0, 0.0))
            groups[key] = before[0] + int(count), before[1] + float(total)


def group_rows(found: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the groups as rows, in their own order or the largest first."""
    result = {}
    for column, groups in found.items():
        known = ORDERED.get(column)
        if known:
            keys = [key for key in known if key in groups]
        else:
            keys = sorted(groups, key=lambda key: -groups[key][0])[:MOST_GROUPS]
        result[column] = [
            {
                "key": str(key),
                "count": groups[key][0],
                "value": round(groups[key][1], 2),
            }
            for key in keys
        ]
    return result


def migration(run: Run) -> list[dict[str, Any]]:
    """Return how many customers changed from which cluster to which."""
    before = Run.objects.filter(key=run.key, is_current=True).first()
    if before is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(MIGRATION, {"then": before.pk, "now": run.pk})
        rows = cursor.fetchall()
    return [
        {"from": source, "to": target, "count": count} for source, target, count in rows
    ]


def currency_notes(found: datasets.Currencies) -> list[Note]:
    """Return a remark where orders in other currencies were left out."""
    if not found.left_out:
        return []
    params = {"count": found.left_out, "currency": found.main}
    return [Note("other_currencies_left_out", params)]
