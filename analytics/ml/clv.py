"""Lifetime value (`ltv`): what a customer will bring, less what winning him cost."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import gammaincinv
from sklearn.base import BaseEstimator

from analytics.ml.base import Card, Note, NotEnoughHistory, Trained, gate
from analytics.ml.clv_evaluation import evaluate_holdout
from analytics.ml.clv_fitters import BetaGeoFitter, FitError, GammaGammaFitter
from analytics.ml.clv_posterior import p_alive, purchases
from analytics.ml.clv_summary import periods_per_year, summarise

__all__ = ["KEY", "LifetimeModel", "Options", "summarise", "train", "with_values"]

KEY = "ltv"
ALGORITHM = "BG/NBD + gamma-gamma"
NEEDED_CUSTOMERS = 100
NEEDED_REPEAT = 30
FIT_ROWS = 300_000  # more rows move the parameters less than their standard error


@dataclass(frozen=True)
class Options:
    """What the value is computed with."""

    unit: str = "week"
    years: int = 3
    discount_rate: float = 0.10
    margin: float = 1.0
    interval: float = 0.80

    @property
    def year_ends(self) -> list[float]:
        """Return the end of each year ahead, in units."""
        year = periods_per_year(self.unit)
        return [year * number for number in range(1, self.years + 1)]


class LifetimeModel(BaseEstimator):
    """BG/NBD for how often, gamma-gamma for how much, discounted year by year."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options

    def fit(self, summary: pd.DataFrame, y=None) -> LifetimeModel:
        """Fit both models on one row per customer."""
        self.options_ = asdict(self.options or Options())
        sample = summary
        if len(summary) > FIT_ROWS:
            sample = summary.sample(FIT_ROWS, random_state=0)
        x, recency, age = sample["frequency"], sample["recency"], sample["T"]
        self.purchases_ = BetaGeoFitter().fit(x, recency, age)
        self.spend_ = None
        if "monetary" in sample:
            known = (x > 0) & (sample["monetary"] > 0)
            mean = sample["monetary"][known].mean()
            self.mean_spend_ = float(mean) if known.any() else 0.0
            if known.sum() >= 3 and sample["monetary"][known].nunique() > 1:
                spend = GammaGammaFitter()
                self.spend_ = spend.fit(x[known], sample["monetary"][known])
        self.typical_ = self._parts(sample).median().to_dict()
        return self

    @property
    def parameters(self) -> dict[str, float]:
        """Return the fitted parameters by their names in the literature."""
        found = dict(self.purchases_.params_)
        found["log_likelihood"] = self.purchases_.log_likelihood_
        if self.spend_ is not None:
            found |= self.spend_.params_
        return {name: float(value) for name, value in found.items()}

    def score(
        self, summary: pd.DataFrame, acquisition_cost=0.0, *, reasons: bool = True
    ) -> pd.DataFrame:
        """Return value, interval and reasons per customer, indexed as the summary.

        The value is the sum over the years of revenue / (1 + rate)^year, less the
        acquisition cost; costs that are missing count as zero.
        """
        options = Options(**self.options_)
        x, recency, age = summary["frequency"], summary["recency"], summary["T"]
        steps = purchases(self.purchases_, options.year_ends, x, recency, age)
        means = np.stack([step.mean for step in steps])
        per_year = np.diff(means, axis=0, prepend=0.0)
        worth = (1 + options.discount_rate) ** -np.arange(1.0, options.years + 1)
        spend = self.expected_value(summary)
        gain = spend * options.margin
        revenue = gain * (worth @ per_year)
        low, high = self.spend_interval(summary, steps[-1], options.interval)
        # The interval is of the undiscounted sum; discounting shrinks it alike.
        shrink = options.margin * (worth @ per_year) / np.maximum(means[-1], 1e-12)
        cost = self._costs(summary, acquisition_cost)
        table = pd.DataFrame(
            {
                "value": revenue - cost,
                "low": low * shrink - cost,
                "high": high * shrink - cost,
                "revenue": revenue,
                "acquisition_cost": cost,
                "p_alive": p_alive(self.purchases_, x, recency, age),
                "expected_purchases": means[-1],
                "expected_value": spend,
            },
            index=summary.index,
        )
        if reasons:
            table["reasons"] = self._reasons(summary, table["revenue"])
        return table

    def expected_value(self, summary: pd.DataFrame) -> np.ndarray:
        """Return the expected worth of the next purchase; NaN without amounts."""
        if self.spend_ is None:
            if "monetary" not in summary:
                return np.full(len(summary), np.nan)
            own = summary["monetary"].where(summary["monetary"] > 0)
            return own.fillna(self.mean_spend_).to_numpy(dtype=float)
        return self.spend_.expected_value(summary["frequency"], summary["monetary"])

    def spend_interval(self, summary, step, level: float):
        """Return a central interval of the money spent within the step's horizon.

        No purchase at all has its own chance; given any, the sum is taken as gamma
        with the exact mean and variance of the compound of both models.
        """
        some = np.maximum(1 - step.none, 1e-12)
        if self.spend_ is None:
            each = self.expected_value(summary)
            mean, second = step.mean * each, step.second * each**2
        else:
            p = self.spend_.p_
            shape, rate = self.spend_.posterior(
                summary["frequency"], summary["monetary"]
            )
            inverse = rate / np.maximum(shape - 1, 0.05)
            inverse_2 = rate**2 / np.maximum((shape - 1) * (shape - 2), 0.05)
            mean = p * step.mean * inverse
            second = (p * step.mean + p**2 * step.second) * inverse_2
        mean, second = mean / some, second / some
        spread = np.maximum(second - mean**2, 1e-9 * mean**2 + 1e-300)
        k = np.maximum(mean**2 / spread, 1e-3)
        bounds = []
        for tail in ((1 - level) / 2, (1 + level) / 2):
            inside = np.clip((tail - step.none) / some, 0.0, 1.0)
            bounds.append(gammaincinv(k, inside) * mean / k)
        return bounds[0], bounds[1]

    def _costs(self, summary: pd.DataFrame, given) -> np.ndarray:
        if isinstance(given, pd.Series):
            given = given.reindex(summary.index)
        costs = np.broadcast_to(np.asarray(given, dtype=float), len(summary))
        return np.nan_to_num(costs, nan=0.0)

    def _parts(self, summary: pd.DataFrame) -> pd.DataFrame:
        """Return the three factors of a value."""
        x, age = summary["frequency"], summary["T"]
        model = self.purchases_
        return pd.DataFrame(
            {
                "p_alive": p_alive(model, x, summary["recency"], age),
                "purchase_rate": (model.r_ + x) / (model.alpha_ + age),
                "expected_value": self.expected_value(summary),
            },
            index=summary.index,
        )

    def _reasons(self, summary: pd.DataFrame, revenue: pd.Series) -> list[list[dict]]:
        """Return, per customer, what each factor adds against the typical customer."""
        parts = self._parts(summary)
        lists: list[list[dict]] = [[] for _ in range(len(summary))]
        for name, typical in self.typical_.items():
            values = parts[name].to_numpy()
            # The factors multiply, so the typical one in place of this one scales it.
            effect = revenue.to_numpy() * (1 - typical / np.maximum(values, 1e-12))
            for row, value, change in zip(
                lists, values.tolist(), effect.tolist(), strict=True
            ):
                row.append({"feature": name, "value": value, "effect": change})
        for row in lists:
            row.sort(key=lambda reason: -abs(reason["effect"]))
        return lists


def train(
    summary: pd.DataFrame | None,
    calibration: pd.DataFrame,
    *,
    options: Options | None = None,
    on_progress=None,
) -> Trained | NotEnoughHistory:
    """Measure on the calibration window, then fit on the whole one.

    `calibration` carries the hold-out columns of `summarise`; with no `summary` the
    model fitted on the calibration window is returned as it was measured.
    """
    options = options or Options()
    step = on_progress or (lambda done, total: None)
    repeat = int((calibration["frequency"] > 0).sum())
    refused = gate(
        KEY,
        len(calibration),
        ("too_few_rows", len(calibration), NEEDED_CUSTOMERS),
        ("no_repeat", repeat, NEEDED_REPEAT),
        algorithm=ALGORITHM,
        base_rate=repeat / len(calibration) if len(calibration) else None,
    )
    if refused:
        return refused
    started = time.perf_counter()
    try:
        model = LifetimeModel(options).fit(calibration)
        seconds = time.perf_counter() - started
        step(1, 3)
        measured = evaluate_holdout(model, calibration)
        step(2, 3)
        details = dict(measured.pop("details"))
        if summary is not None:
            model = LifetimeModel(options).fit(summary)
            details["final_parameters"] = model.parameters
        step(3, 3)
    except FitError as error:
        reason = Note("no_fit", {"detail": str(error)})
        return NotEnoughHistory(KEY, reason, len(calibration), algorithm=ALGORITHM)
    card = Card(
        key=KEY,
        algorithm=ALGORITHM,
        rows=len(calibration),
        base_rate=repeat / len(calibration),
        fit_seconds=seconds,
        details=details | {"options": asdict(options)},
        **measured,
    )
    return Trained(model, card)


def with_values(
    result: Trained | NotEnoughHistory,
    summary: pd.DataFrame,
    acquisition_cost: float,
    notes: list[Note],
) -> Trained | NotEnoughHistory:
    """Add the customers' lifetime values to the card of a trained model."""
    if result.model is None:
        return result
    scored = result.model.score(summary, acquisition_cost, reasons=False)
    value = scored["value"]
    spread = value.quantile([0.1, 0.5, 0.9]).to_numpy()
    values = {
        "customers": len(value),
        "total": value.sum(),
        "mean": value.mean(),
        **dict(zip(("p10", "median", "p90"), spread, strict=True)),
        "acquisition_cost": acquisition_cost,
    }
    card = replace(
        result.card,
        details=result.card.details | {"lifetime_value": values},
        warnings=[*notes, *result.card.warnings],
    )
    return Trained(result.model, card)
