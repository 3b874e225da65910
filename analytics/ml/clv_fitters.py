"""Maximum likelihood for BG/NBD (how often) and gamma-gamma (how much).

P. Fader, B. Hardie, K. L. Lee, "Counting Your Customers the Easy Way", Marketing
Science 24 (2005); P. Fader, B. Hardie, "The Gamma-Gamma Model of Monetary Value"
(2013). Parameters are fitted on a log scale with analytic gradients; equal rows are
counted once with a weight.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import digamma, gammaln
from sklearn.base import BaseEstimator

LOG_BOUND = 12.0
STARTS = (
    (0.0, 0.0, 0.0, 0.0),
    (-1.5, -1.5, -0.5, 1.0),
    (1.0, 1.0, -2.0, 1.0),
)


class FitError(ValueError):
    """No maximum was found on this data."""


def group_rows(*columns: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Return the distinct rows, how often each occurs, and each row's place in them."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        part, values = pd.factorize(column)
        code = pd.factorize(code * max(len(values), 1) + part)[0]
    count = np.bincount(code)
    first = np.zeros(len(count), dtype=np.int64)
    first[code[::-1]] = np.arange(len(code))[::-1]
    return [column[first] for column in columns], count.astype(float), code


def _maximise(
    objective: Callable[[np.ndarray], tuple[float, np.ndarray]],
    starts: tuple[tuple[float, ...], ...],
    fixed: dict[int, float] | None = None,
) -> np.ndarray:
    """Return the best log-parameters over several starts."""
    best = None
    bounds = [(-LOG_BOUND, LOG_BOUND)] * len(starts[0])
    for index, value in (fixed or {}).items():
        bounds[index] = (value, value)
    for start in starts:
        result = minimize(
            objective,
            np.array(start),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8},
        )
        if np.isfinite(result.fun) and (best is None or result.fun < best.fun):
            best = result
    if best is None:
        raise FitError("the likelihood is not finite")
    return best.x


class BetaGeoFitter(BaseEstimator):
    """BG/NBD: purchases at gamma rates until a beta-geometric drop-out.

    `kind` "bg" is the model of 2005; "mbg" lets a customer drop out after the first
    purchase too (Batislam, Denizel, Filiztekin 2007); "nbd" knows no drop-out.
    """

    def __init__(self, kind: str = "bg") -> None:
        self.kind = kind

    def fit(self, frequency, recency, T) -> BetaGeoFitter:  # noqa: N803
        """Estimate r, alpha, a, b from repeat counts, last purchase and age."""
        x, t_x, age = (np.asarray(c, dtype=float) for c in (frequency, recency, T))
        if len(x) == 0:
            raise FitError("there are no customers")
        if (x < 0).any() or (t_x < 0).any() or (t_x > age + 1e-9).any():
            raise FitError("recency must lie between zero and the age")
        scale = max(float(age.mean()), 1e-9)  # alpha is then of the order of one
        (x, t_x, age), weight, _ = group_rows(x, t_x / scale, age / scale)
        loss = _BetaGeoLikelihood(x, t_x, age, weight, self.extra_)
        fixed = {2: -LOG_BOUND, 3: 0.0} if self.kind == "nbd" else None
        log_params = _maximise(loss, STARTS, fixed)
        r, alpha, a, b = np.exp(log_params)
        self.r_, self.alpha_, self.a_, self.b_ = r, alpha * scale, a, b
        self.log_likelihood_ = self.log_likelihood(frequency, recency, T)
        return self

    @property
    def extra_(self) -> int:
        """Return the chances to drop out beyond one per repeat purchase."""
        return int(self.kind == "mbg")

    @property
    def params_(self) -> dict[str, float]:
        """Return the four parameters by name."""
        return {"r": self.r_, "alpha": self.alpha_, "a": self.a_, "b": self.b_}

    def log_likelihood(self, frequency, recency, T) -> float:  # noqa: N803
        """Return the log-likelihood of customers under the fitted parameters."""
        rows = (np.asarray(c, dtype=float) for c in (frequency, recency, T))
        (x, t_x, age), weight, _ = group_rows(*rows)
        loss = _BetaGeoLikelihood(x, t_x, age, weight, self.extra_)
        value, _ = loss(np.log([self.r_, self.alpha_, self.a_, self.b_]))
        return float(-value * weight.sum())


class _BetaGeoLikelihood:
    """The mean negative log-likelihood and its gradient on log-parameters."""

    def __init__(self, x, t_x, age, weight, extra=0) -> None:
        self.t_x, self.age, self.weight, self.extra = t_x, age, weight, extra
        self.can_be_gone = x + extra > 0
        # The special functions depend on x alone: a few hundred values, not a million.
        self.counts, self.place = np.unique(x, return_inverse=True)
        self.x = x

    def __call__(self, log_params: np.ndarray) -> tuple[float, np.ndarray]:
        r, alpha, a, b = np.exp(log_params)
        n, at = self.counts, self.place
        shape = r + self.x
        log_age, log_last = np.log(alpha + self.age), np.log(alpha + self.t_x)
        later = np.maximum(n + self.extra, 1) - 1
        kept = b + n + self.extra
        fixed = gammaln(r + n) - gammaln(r) + r * log_params[1]
        fixed += gammaln(a + b) + gammaln(kept) - gammaln(b) - gammaln(a + kept)
        alive = -shape * log_age
        gone = np.where(
            self.can_be_gone,
            (log_params[2] - np.log(b + later))[at] - shape * log_last,
            -np.inf,
        )
        total = np.logaddexp(alive, gone)
        value = fixed[at] + total
        share = np.exp(gone - total)  # the weight of "gone" in the mixture
        d_r = (digamma(r + n) - digamma(r) + log_params[1])[at]
        d_r -= (1 - share) * log_age + share * log_last
        d_alpha = r / alpha - shape * (
            (1 - share) / (alpha + self.age) + share / (alpha + self.t_x)
        )
        d_a = (digamma(a + b) - digamma(a + kept))[at] + share / a
        d_b = digamma(a + b) + digamma(kept) - digamma(b) - digamma(a + kept)
        d_b = d_b[at] - share / (b + later)[at]
        gradient = np.array([self.weight @ d for d in (d_r, d_alpha, d_a, d_b)])
        size = self.weight.sum()
        return -float(self.weight @ value) / size, -gradient * np.exp(log_params) / size


class GammaGammaFitter(BaseEstimator):
    """Gamma-gamma: purchase values around a customer's own mean."""

    def fit(self, frequency, monetary) -> GammaGammaFitter:
        """Estimate p, q, v from repeat counts and mean repeat values above zero."""
        x, m = np.asarray(frequency, dtype=float), np.asarray(monetary, dtype=float)
        if len(x) == 0:
            raise FitError("there are no repeat customers")
        if (x <= 0).any() or (m <= 0).any():
            raise FitError("frequency and value must be above zero")
        scale = float(m.mean())
        (x, m), weight, _ = group_rows(x, m / scale)
        starts = ((0.0, 1.0, 0.0), (1.5, 1.5, 1.0), (-1.0, 0.5, 0.5))
        log_params = _maximise(_GammaGammaLikelihood(x, m, weight), starts)
        p, q, v = np.exp(log_params)
        self.p_, self.q_, self.v_ = p, q, v * scale
        return self

    @property
    def params_(self) -> dict[str, float]:
        """Return the three parameters by name."""
        return {"p": self.p_, "q": self.q_, "v": self.v_}

    def posterior(self, frequency, monetary) -> tuple[np.ndarray, np.ndarray]:
        """Return shape and rate of each customer's gamma-distributed value rate."""
        x, m = np.asarray(frequency, dtype=float), np.asarray(monetary, dtype=float)
        known = (x > 0) & (m > 0)
        x, m = np.where(known, x, 0.0), np.where(known, m, 0.0)
        return self.p_ * x + self.q_, self.v_ + x * m

    def expected_value(self, frequency, monetary) -> np.ndarray:
        """Return the expected value of the next purchase."""
        shape, rate = self.posterior(frequency, monetary)
        # With q below one the population mean is infinite; the bound keeps it finite.
        return self.p_ * rate / np.maximum(shape - 1, 0.05)


class _GammaGammaLikelihood:
    """The mean negative log-likelihood and its gradient on log-parameters."""

    def __init__(self, x, m, weight) -> None:
        self.x, self.m, self.weight = x, m, weight
        self.counts, self.place = np.unique(x, return_inverse=True)

    def __call__(self, log_params: np.ndarray) -> tuple[float, np.ndarray]:
        p, q, v = np.exp(log_params)
        x, m, n, at = self.x, self.m, self.counts, self.place
        log_sum = np.log(x * m + v)
        log_m, log_x = np.log(m), np.log(x)
        shape = p * x + q
        special = gammaln(p * n + q) - gammaln(p * n) - gammaln(q)
        value = special[at] + q * log_params[2] + (p * x - 1) * log_m
        value += p * x * log_x - shape * log_sum
        d_p = (n * (digamma(p * n + q) - digamma(p * n)))[at]
        d_p += x * (log_m + log_x - log_sum)
        d_q = (digamma(p * n + q) - digamma(q))[at] + log_params[2] - log_sum
        d_v = q / v - shape / (x * m + v)
        gradient = np.array([self.weight @ d for d in (d_p, d_q, d_v)])
        size = self.weight.sum()
        return -float(self.weight @ value) / size, -gradient * np.exp(log_params) / size
