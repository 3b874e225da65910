"""Turn cards and summaries into what templates show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import charts, words
from analytics.models import AnalysisKey, Cluster, Run, RunState
from analytics.selectors import AnalysisState, card_of
from crm import formatting
from crm.charts import Chart
from service.models import TicketCategory

ABOUT: dict[str, Promise] = {
    AnalysisKey.STATISTICS: gettext_lazy(
        "Age, income and gender of the customers, region by region. Nothing is "
        "learned, so there is nothing to beat."
    ),
    AnalysisKey.SEGMENTATION: gettext_lazy(
        "Purchasing power, age band and region by rule; recency, frequency and value "
        "of the orders; and groups of customers who are alike. The numbers and names "
        "of the groups stay from run to run."
    ),
    AnalysisKey.LTV: gettext_lazy(
        "What each customer will bring over the horizon, year by year, discounted to "
        "today, less what winning the customer cost. It must foretell the purchases of "
        "a period it has not seen better than “as often as before”."
    ),
    AnalysisKey.CONVERSION: gettext_lazy(
        "The chance that an open lead becomes a customer, from what was known the "
        "moment it came in. Measured on the newest fifth of the leads, which the model "
        "has not seen."
    ),
    AnalysisKey.TICKET_CLASS: gettext_lazy(
        "What a ticket is about, from its words, in English and Chinese. Each accepted "
        "or corrected suggestion is learned from at the next run. Where the model is "
        "not sure it says so."
    ),
}
RESULT_PAGES = {
    AnalysisKey.STATISTICS: "analytics:statistics",
    AnalysisKey.SEGMENTATION: "analytics:segments",
    AnalysisKey.LTV: "analytics:lifetime_value",
}
ICONS = {
    AnalysisKey.STATISTICS: "table",
    AnalysisKey.SEGMENTATION: "cluster",
    AnalysisKey.LTV: "coin",
    AnalysisKey.CONVERSION: "funnel",
    AnalysisKey.TICKET_CLASS: "ticket",
}
MOST_IMPORTANCES = 15
MOST_PAIRS = 10


def result_url(run: Run | None) -> str:
    """Return the page with the results of a current run, if there is one."""
    if run is None or not run.is_current or run.key not in RESULT_PAGES:
        return ""
    return reverse(RESULT_PAGES[AnalysisKey(run.key)])


def refusal(run: Run | None) -> str:
    """Return why the last run brought no new result; nothing if it did."""
    if run is None or run.state == RunState.CANCELLED:
        return ""
    if run.state == RunState.NOT_ENOUGH:
        card = card_of(run)
        return " ".join(filter(None, (words.note(card.get("reason")), base_rate(card))))
    if run.state == RunState.NOT_BETTER:
        return _(
            "The last model was not better than the simple rule, so it is not used."
        )
    if run.state == RunState.FAILED:
        return run.reason or _("The last run failed; its log says more.")
    return ""


def base_rate(card: dict[str, Any]) -> str:
    """Return the base rate as a sentence, where the card has one."""
    rate = card.get("base_rate")
    if rate is None:
        return ""
    return _("Base rate: %(rate)s.") % {"rate": formatting.percent(rate, 1)}


def main_figure(card: dict[str, Any]) -> dict[str, Any] | None:
    """Return the main figure beside the simple rule's."""
    name = card.get("main_figure")
    if not name or card.get("figures", {}).get(name) is None:
        return None
    rule = (card.get("simple_rule") or {}).get("figures", {}).get(name)
    return {
        "name": words.figure_name(name),
        "help": words.FIGURES[name][2] if name in words.FIGURES else "",
        "value": words.with_unit(name, words.figure_text(name, card["figures"][name])),
        "rule": None if rule is None else words.figure_text(name, rule),
        "beats": card.get("beats_rule", False) and rule is not None,
    }


def overview_card(state: AnalysisState) -> dict[str, Any]:
    """Return one analysis for the overview."""
    return {
        "state": state,
        "key": state.key,
        "label": state.key.label,
        "icon": ICONS[state.key],
        "about": ABOUT[state.key],
        "url": reverse("analytics:model", args=[state.key]),
        "start_url": reverse("analytics:start", args=[state.key]),
        "result_url": result_url(state.current),
        "figure": main_figure(state.card),
        "refused": refusal(state.refused),
        "warnings": warnings(state.card) if state.current else [],
    }


def warnings(card: dict[str, Any]) -> list[str]:
    """Return the card's warnings as sentences."""
    return [words.note(one) for one in card.get("warnings", ())]


def params(run: Run) -> list[tuple[str, str]]:
    """Return a run's parameters with their names and units."""
    currency = run.summary.get("currency", "")
    write = {
        "discount_rate": lambda value: formatting.percent(value, 1),
        "margin": lambda value: formatting.percent(value, 1),
        "acquisition_cost": lambda value: formatting.money(value, currency),
    }
    return [
        (words.word(words.PARAMS, name), write.get(name, formatting.number)(value))
        for name, value in run.params.items()
    ]


@dataclass(frozen=True)
class FigureTable:
    """The model, the simple rule and the rivals, a row each, on the same hold-out."""

    heads: list[dict[str, Any]]
    rows: list[dict[str, Any]]


def figure_table(card: dict[str, Any]) -> FigureTable | None:
    """Return the figures of all that was tried; the main figure comes first."""
    ours = card.get("figures") or {}
    main = card.get("main_figure")
    known = list(words.FIGURES)
    names = sorted(
        (name for name, value in ours.items() if value is not None),
        key=lambda name: (
            name != main,
            known.index(name) if name in known else len(known),
        ),
    )
    if not names:
        return None
    heads = [
        {
            "name": words.figure_name(name),
            "help": words.FIGURES[name][2] if name in words.FIGURES else "",
            "is_main": name == main,
        }
        for name in names
    ]
    tried = [{"name": card["algorithm"], "figures": ours, "kind": "ours"}]
    if rule := card.get("simple_rule"):
        tried.append({**rule, "kind": "rule"})
    tried += [{**one, "kind": "rival"} for one in card.get("rivals") or []]
    rows = [
        {
            "name": words.word(words.RULES, one["name"]),
            "kind": one["kind"],
            "values": [
                (name == main, words.figure_text(name, one["figures"].get(name)))
                for name in names
            ],
        }
        for one in tried
    ]
    return FigureTable(heads, rows)


def model_context(run: Run | None) -> dict[str, Any]:
    """Return all that says how good the model of a run is."""
    card = card_of(run)
    if not card:
        return {"card": {}, "version": None}
    names = category_names() if card.get("key") == AnalysisKey.TICKET_CLASS else {}

    def named(code: str) -> str:
        return names.get(code, code)

    return {
        "card": card,
        "version": run.model_version,
        "method": words.word(words.RULES, card["algorithm"]),
        "figures": figure_table(card),
        "main": main_figure(card),
        "split": split(card),
        "warnings": warnings(card),
        "not_enough": ""
        if card.get("enough_history", True)
        else " ".join(filter(None, (words.note(card.get("reason")), base_rate(card)))),
        "calibration": charts.calibration(card),
        "confusion": charts.confusion(card, named),
        "pairs": confused_pairs(card, named),
        "groups": group_rows(card),
        "importances": importances(card),
        "sources": charts.lead_sources(run.summary["sources"])
        if run.summary.get("sources")
        else None,
        "parameters": parameters(card),
    }


def split(card: dict[str, Any]) -> str:
    """Say how the hold-out was drawn."""
    found = card.get("split")
    return words.word(words.SPLITS, found) if found else ""


def parameters(card: dict[str, Any]) -> list[tuple[str, str]]:
    """Return fitted parameters that are plain numbers."""
    return [
        (words.word(words.FITTED, name), formatting.number(value, 3))
        for name, value in (card.get("parameters") or {}).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]


def importances(card: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the model looks at most, with the share of the largest as a bar."""
    found = (card.get("importances") or [])[:MOST_IMPORTANCES]
    top = max((abs(one["value"]) for one in found), default=0) or 1
    return [
        {
            "name": words.word(words.FEATURES, one.get("feature", "")),
            "value": one["value"],
            "share": max(one["value"], 0) / top,
        }
        for one in found
    ]


def confused_pairs(card: dict[str, Any], named: Any) -> list[dict[str, Any]]:
    """Return the pairs of classes that are mixed up most."""
    found = card.get("confusion") or {}
    return [
        {
            "right": named(one["truth"]),
            "said": named(one["said"]),
            "count": one["count"],
        }
        for one in (found.get("pairs") or [])[:MOST_PAIRS]
    ]


def group_rows(card: dict[str, Any]) -> list[dict[str, Any]]:
    """Return how good the model is on each collection; nothing if there is but one."""
    found = card.get("details", {}).get("groups") or []
    if len(found) < 2:
        return []
    return [{**one, "name": one["group"] or _("Own tickets")} for one in found]


def category_names() -> dict[str, str]:
    """Return the names of the ticket categories by code."""
    return {one.code: str(one) for one in TicketCategory.objects.all()}


# --- Results -----------------------------------------------------------------


def cluster_row(cluster: Cluster) -> dict[str, Any]:
    """Return one cluster for the table of groups."""
    return {
        "number": cluster.number,
        "name": words.cluster_name(cluster.name_key),
        "size": cluster.size,
        "revenue": cluster.revenue,
        "each": cluster.revenue / cluster.size if cluster.size else None,
        "recency": cluster.centre.get("recency_days"),
        "frequency": cluster.centre.get("frequency"),
        "monetary": cluster.centre.get("monetary"),
        "url": charts.customers_url(cluster=cluster.number),
    }


def group_charts(groups: dict[str, list[dict[str, Any]]]) -> list[Chart]:
    """Return a chart per kind of class."""
    kinds = [
        (
            "power_class",
            _("Customers by purchasing power"),
            lambda key: words.word(words.POWER, key),
            "purchasing_power",
        ),
        (
            "rfm_label",
            _("Customers by recency, frequency and value"),
            lambda key: words.word(words.RFM, key),
            "rfm",
        ),
        ("age_band", _("Customers by age"), words.age_band, ""),
        ("region", _("Customers by region"), words.region, ""),
    ]
    return [
        charts.group_sizes(title, groups[column], name, parameter)
        for column, title, name, parameter in kinds
        if groups.get(column)
    ]


def region_rows(tables: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the statistics table: a row per region, and one for all."""
    rows = [
        {**one, "name": words.region(one["region"]), "is_total": False}
        for one in tables["groups"]
    ]
    rows.append({**tables["total"], "name": _("All regions"), "is_total": True})
    for row in rows:
        gender = row["gender"]
        row["mode"] = (
            words.word(words.GENDERS, gender["mode"]) if gender["mode"] else ""
        )
        row["counts"] = [gender["counts"].get(code, 0) for code in words.GENDERS]
    return rows
