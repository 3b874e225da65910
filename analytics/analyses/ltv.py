"""Lifetime value: what each customer will bring, less what winning them cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from django.conf import settings
from django.utils.translation import gettext as _

from analytics import datasets
from analytics.analyses.base import Analysis, Dataset, Progress, number, portions
from analytics.analyses.segmentation import currency_notes
from analytics.ml import clv
from analytics.ml.base import Note, NotEnoughHistory, Trained
from analytics.ml.clv_summary import UNIT_DAYS
from analytics.models import AnalysisKey, Run
from crm.exceptions import UserVisibleError

UNIT = "week"
LONGEST_HOLDOUT = timedelta(days=364)
SHORTEST_WINDOW = timedelta(days=56)
BINS = 24


class LifetimeValue(Analysis):
    """Σ revenue per year / (1 + discount rate)^year − acquisition cost."""

    key = AnalysisKey.LTV

    def clean_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return discount rate, horizon, margin and default acquisition cost."""
        cleaned = {
            "discount_rate": _number(
                params, "discount_rate", settings.LTV_DISCOUNT_RATE
            ),
            "years": int(_number(params, "years", settings.LTV_HORIZON_YEARS)),
            "margin": _number(params, "margin", settings.LTV_MARGIN),
            "acquisition_cost": _number(
                params, "acquisition_cost", settings.LTV_ACQUISITION_COST
            ),
        }
        allowed = {
            "discount_rate": (0, 10),
            "years": (1, 30),
            "margin": (0, 1),
            "acquisition_cost": (0, 1e12),
        }
        for name, (low, high) in allowed.items():
            if not low <= cleaned[name] <= high:
                raise UserVisibleError(
                    _("%(name)s must lie between %(low)s and %(high)s.")
                    % {"name": name, "low": low, "high": f"{high:g}"}
                )
        return cleaned

    def newest(self) -> datetime | None:
        """Return when the last order was placed."""
        return datasets.newest_order()

    def extract(self, as_of: datetime, params: dict[str, Any]) -> Dataset:
        """Read purchase histories to the date, and to the start of the hold-out."""
        currency = datasets.main_currency(as_of)
        window = datasets.order_window(as_of, currency.main)
        today = as_of.astimezone(datasets.zone()).date()
        days = UNIT_DAYS[UNIT]
        frame = datasets.purchase_summary(as_of, today, currency.main, days)
        more: dict[str, Any] = {
            "currency": currency.main,
            "costs": datasets.acquisition_costs(currency.main),
            "calibration": frame.iloc[:0],
        }
        if window and today - window[0] >= SHORTEST_WINDOW:
            held_out = min(LONGEST_HOLDOUT, (today - window[0]) / 2)
            until = today - held_out
            more["calibration"] = datasets.purchase_calibration(
                as_of, until, today, currency.main, days
            )
        elif window:
            more["too_short"] = (today - window[0]).days
        return Dataset(frame, more=more, notes=currency_notes(currency), window=window)

    def train(
        self,
        data: Dataset,
        params: dict[str, Any],
        *,
        previous: Any = None,
        on_progress: Progress | None = None,
    ) -> Trained | NotEnoughHistory:
        """Fit BG/NBD and gamma-gamma and measure them on the hold-out."""
        if "too_short" in data.more:
            needed = SHORTEST_WINDOW.days
            note = Note(
                "short_window", {"days": data.more["too_short"], "needed": needed}
            )
            return NotEnoughHistory(
                str(self.key), note, data.rows, algorithm=clv.ALGORITHM
            )
        options = clv.Options(
            unit=UNIT,
            years=params["years"],
            discount_rate=params["discount_rate"],
            margin=params["margin"],
        )
        return clv.train(
            data.frame,
            data.more["calibration"],
            options=options,
            on_progress=on_progress,
        )

    def score(
        self, model: Any, data: Dataset, params: dict[str, Any]
    ) -> Iterator[list[Sequence[Any]]]:
        """Yield value, interval, P(alive) and reasons per customer who has bought.

        P(alive) is known of those who bought more than once.
        """
        costs = data.more["costs"]
        values = data.more.setdefault("values", [])
        for part in portions(data.frame):
            own = costs.reindex(part.index).fillna(params["acquisition_cost"])
            table = model.score(part, acquisition_cost=own)
            # The model loses customers after a repeated purchase only, so that whoever
            # bought once would still buy for certain: that is no finding.
            table.loc[part["frequency"] == 0, "p_alive"] = float("nan")
            values.append(table[["value", "p_alive"]])
            yield [
                (
                    customer,
                    number(row.value),
                    number(row.low),
                    number(row.high),
                    "",
                    False,
                    _rounded(row.reasons),
                    {
                        "p_alive": number(row.p_alive),
                        "expected_purchases": number(row.expected_purchases),
                        "expected_value": number(row.expected_value),
                        "revenue": number(row.revenue),
                        "acquisition_cost": number(row.acquisition_cost),
                    },
                )
                for customer, row in zip(
                    table.index.tolist(), table.itertuples(index=False), strict=True
                )
            ]

    def summarise(
        self, run: Run, model: Any, data: Dataset, params: dict[str, Any]
    ) -> dict[str, Any]:
        """Return totals and the distribution of the values."""
        table = pd.concat(data.more["values"])
        values = table["value"].dropna()
        return {
            "currency": data.more["currency"],
            "customers": len(values),
            "total": float(values.sum()),
            "mean": float(values.mean()),
            "median": float(values.median()),
            "repeated": int(table["p_alive"].count()),
            "alive": float(table["p_alive"].sum()),
            "distribution": distribution(values),
        }


def distribution(values: pd.Series) -> list[dict[str, float]]:
    """Return counts of values in round steps; the last bin holds the long tail."""
    low, top = float(values.min()), float(values.quantile(0.98))
    step = _round_step((top - min(low, 0)) / BINS)
    start = step * (min(low, 0) // step)
    edges = [start + step * place for place in range(BINS + 1)]
    places = ((values - start) // step).clip(0, BINS).astype(int)
    counts = places.value_counts()
    return [
        {
            "from": edge,
            "to": None if place == BINS else edge + step,
            "count": int(counts.get(place, 0)),
        }
        for place, edge in enumerate(edges)
    ]


def _round_step(step: float) -> float:
    """Return 1, 2 or 5 times a power of ten, not below the step."""
    if step <= 0:
        return 1.0
    power = 10.0 ** (len(str(int(step))) - 1) if step >= 1 else 1.0
    return next(power * times for times in (1, 2, 5, 10) if power * times >= step)


def _rounded(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "feature": one["feature"],
            "value": round(float(one["value"]), 4),
            "effect": round(float(one["effect"]), 2),
        }
        for one in reasons
    ]


def _number(params: dict[str, Any], name: str, default: float) -> float:
    given = params.get(name)
    if given in (None, ""):
        return default
    try:
        return float(given)
    except (TypeError, ValueError) as error:
        raise UserVisibleError(
            _("%(name)s must be a number.") % {"name": name}
        ) from error
