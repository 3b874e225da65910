"""Charts of the analyses' pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from analytics import words
from analytics.models import Cluster
from crm.charts import Chart, Money, Number, Percent

MOST_REGIONS = 20
MOST_CLASSES = 25


def customers_url(**query: Any) -> str:
    """Return the list of customers that a filter keeps."""
    return f"{reverse('customers:customer_list')}?{urlencode(query)}"


def colour_of(cluster: Cluster) -> int:
    """Return the cluster's place in the palette; it follows the lasting number."""
    return (cluster.number - 1) % 8 + 1


def scatter(card: dict[str, Any], clusters: Iterable[Cluster]) -> Chart:
    """Draw the customers in two dimensions, a colour per cluster."""
    points: dict[int, list[list[float]]] = {}
    for point in card.get("details", {}).get("scatter", ()):
        points.setdefault(point["cluster"], []).append([point["x"], point["y"]])
    shown = card.get("figures", {}).get("explained_variance")
    sample = sum(map(len, points.values()))
    return Chart(
        "scatter",
        _("Customers by likeness"),
        x_label=_("First axis"),
        y_label=_("Second axis"),
        series=[
            {
                "name": words.cluster_name(one.name_key),
                "data": points.get(one.number, []),
                "colour": colour_of(one),
            }
            for one in clusters
        ],
        note=_(
            "Each point is a customer, near ones are alike. A sample of %(sample)s; "
            "the two axes show %(share)s of the differences."
        )
        % {"sample": Number(0).text(sample), "share": Percent(0).text(shown)},
    )


def cluster_sizes(clusters: list[Cluster]) -> Chart:
    """Draw how many customers are in each cluster."""
    return Chart(
        "bar",
        _("Customers per group"),
        x_label=_("Group"),
        y_label=_("Customers"),
        categories=[words.cluster_name(one.name_key) for one in clusters],
        series=[{"name": _("Customers"), "data": [one.size for one in clusters]}],
        links=[customers_url(cluster=one.number) for one in clusters],
        horizontal=True,
    )


def cluster_values(clusters: list[Cluster], currency: str) -> Chart:
    """Draw how much each cluster has brought."""
    return Chart(
        "bar",
        _("Net revenue per group"),
        x_label=_("Group"),
        y_label=_("Net revenue"),
        categories=[words.cluster_name(one.name_key) for one in clusters],
        series=[{"name": _("Net revenue"), "data": [one.revenue for one in clusters]}],
        links=[customers_url(cluster=one.number) for one in clusters],
        y_format=Money(currency),
        horizontal=True,
    )


def group_sizes(
    title: str,
    rows: list[dict[str, Any]],
    name: Callable[[str], str],
    parameter: str = "",
) -> Chart:
    """Draw how many customers are in each class of one kind."""
    return Chart(
        "bar",
        title,
        x_label=_("Class"),
        y_label=_("Customers"),
        categories=[name(row["key"]) for row in rows],
        series=[{"name": _("Customers"), "data": [row["count"] for row in rows]}],
        links=[customers_url(**{parameter: row["key"]}) for row in rows]
        if parameter
        else (),
    )


def lifetime_values(summary: dict[str, Any]) -> Chart:
    """Draw how the lifetime values are spread."""
    bins = summary.get("distribution", [])
    edges = [one["from"] for one in bins]
    if bins:
        step = bins[0]["to"] - bins[0]["from"] if bins[0]["to"] is not None else 1
        edges.append(bins[-1]["from"] + step)
    return Chart(
        "histogram",
        _("Customers by lifetime value"),
        x_label=_("Lifetime value"),
        y_label=_("Customers"),
        categories=edges,
        series=[{"name": _("Customers"), "data": [one["count"] for one in bins]}],
        x_format=Money(summary.get("currency", "")),
        y_format=Number(0),
        note=_("The last bar holds everything above."),
    )


def calibration(card: dict[str, Any]) -> Chart | None:
    """Draw what was said against what happened on the hold-out."""
    rows = card.get("calibration") or []
    if not rows:
        return None
    if "group" in rows[0]:
        return _purchases_by_group(rows)
    return Chart(
        "calibration",
        _("Calibration: said and seen"),
        x_label=_("Predicted"),
        y_label=_("Observed"),
        series=[
            {
                "name": _("Model"),
                "data": [
                    [row["predicted"], row["observed"], row["count"]] for row in rows
                ],
            }
        ],
        note=_(
            "On the diagonal a chance of 0.3 comes true in 30 of 100 cases. "
            "Measured on the hold-out."
        ),
    )


def _purchases_by_group(rows: list[dict[str, Any]]) -> Chart:
    last = len(rows) - 1
    labels = [
        f"{row['group']}+" if place == last and last else str(row["group"])
        for place, row in enumerate(rows)
    ]
    return Chart(
        "bar",
        _("Purchases in the hold-out by repeat purchases before"),
        x_label=_("Repeat purchases before"),
        y_label=_("Purchases per customer"),
        categories=labels,
        series=[
            {"name": _("Predicted"), "data": [row["predicted"] for row in rows]},
            {"name": _("Observed"), "data": [row["observed"] for row in rows]},
        ],
    )


def confusion(card: dict[str, Any], names: Callable[[str], str]) -> Chart | None:
    """Draw which classes were taken for which; only where they fit on a page."""
    found = card.get("confusion") or {}
    labels, matrix = found.get("labels") or [], found.get("matrix") or []
    if not matrix or len(labels) > MOST_CLASSES or len(matrix) != len(labels):
        return None
    return Chart(
        "heatmap",
        _("Right and predicted category"),
        x_label=_("Predicted"),
        y_label=_("Right"),
        categories=[names(label) for label in labels],
        series=[
            {"name": names(label), "data": row}
            for label, row in zip(labels, matrix, strict=True)
        ],
        y_format=Number(0),
        highlight_diagonal=True,
    )


def lead_sources(rows: list[dict[str, Any]]) -> Chart:
    """Draw which share of the leads of each source became customers."""
    from customers.choices import Source

    labels = dict(Source.choices)
    return Chart(
        "bar",
        _("Share of leads that converted, by source"),
        x_label=_("Source"),
        y_label=_("Converted"),
        categories=[str(labels.get(row["source"], row["source"])) for row in rows],
        series=[
            {
                "name": _("Converted"),
                "data": [row["won"] / max(row["leads"], 1) for row in rows],
            }
        ],
        y_format=Percent(1),
    )


def region_numbers(
    tables: dict[str, Any], column: str, title: str, number: Number
) -> Chart:
    """Draw mean and median of a column per region."""
    rows = [one for one in tables["groups"] if one[column]["count"]][:MOST_REGIONS]
    return Chart(
        "bar",
        title,
        x_label=_("Region"),
        y_label=title,
        categories=[words.region(one["region"]) for one in rows],
        series=[
            {"name": _("Mean"), "data": [one[column]["mean"] for one in rows]},
            {"name": _("Median"), "data": [one[column]["median"] for one in rows]},
        ],
        y_format=number,
    )


def region_genders(tables: dict[str, Any]) -> Chart:
    """Draw the genders per region."""
    rows = tables["groups"][:MOST_REGIONS]
    codes = list(tables["total"]["gender"]["counts"])
    return Chart(
        "stacked",
        _("Gender by region"),
        x_label=_("Region"),
        y_label=_("Customers"),
        categories=[words.region(one["region"]) for one in rows],
        series=[
            {
                "name": words.word(words.GENDERS, code),
                "data": [one["gender"]["counts"].get(code, 0) for one in rows],
            }
            for code in codes
        ],
    )
