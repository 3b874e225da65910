"""What BG/NBD says of one customer's future: alive or not, how many purchases.

Everything follows from the customer's posterior. Alive at T, the purchase rate is
gamma(r + x, alpha + T) and the drop-out chance beta(a, b + x). Given both, the number
of purchases N in (0, t] has E[N] = (1 - e^(-lpt)) / p and, by integrating the count of
those still alive, E[N²] = E[N] + 2 (1 - p) (1 - e^(-lpt) (1 + lpt)) / p². The rate
integrates out in closed form; the drop-out chance by Gauss-Jacobi quadrature, which
stays exact where the hypergeometric function of the textbook formula overflows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.special import expit

from analytics.ml.clv_fitters import BetaGeoFitter, group_rows

NODES = 48


@dataclass(frozen=True)
class Purchases:
    """Moments of the number of purchases within a horizon."""

    mean: np.ndarray
    second: np.ndarray  # E[N²]
    none: np.ndarray  # P(N = 0)


def p_alive(model: BetaGeoFitter, frequency, recency, T) -> np.ndarray:  # noqa: N803
    """Return the chance that a customer is still one; 1 before any repeat purchase."""
    x, t_x, age = (np.asarray(c, dtype=float) for c in (frequency, recency, T))
    later = np.maximum(x + model.extra_, 1) - 1
    log_odds = np.log(model.a_ / (model.b_ + later))
    log_odds += (model.r_ + x) * np.log((model.alpha_ + age) / (model.alpha_ + t_x))
    return np.where(x + model.extra_ > 0, expit(-log_odds), 1.0)


def expected_purchases(model: BetaGeoFitter, t, frequency, recency, T):  # noqa: N803
    """Return the expected number of purchases in the next t units."""
    return purchases(model, [t], frequency, recency, T)[0].mean


def purchases(
    model: BetaGeoFitter,
    horizons,
    frequency,
    recency,
    T,  # noqa: N803
) -> list[Purchases]:
    """Return the moments for each horizon, in the order given."""
    x, age = (np.asarray(c, dtype=float) for c in (frequency, T))
    alive = p_alive(model, x, recency, age)
    (ux, uage), _, place = group_rows(x, age)  # the integrals depend on these alone
    results = []
    for table in _alive_moments(model, horizons, ux, uage):
        mean, second, none = (part[place] for part in table)
        results.append(Purchases(alive * mean, alive * second, 1 - alive * (1 - none)))
    return results


def _alive_moments(model, horizons, x, age) -> np.ndarray:
    """Return mean, second moment and P(none) per horizon, given alive at T."""
    out = np.zeros((len(horizons), 3, len(x)))
    for count in np.unique(x):
        rows = np.flatnonzero(x == count)
        nodes, weights = beta_quadrature(model.a_, model.b_ + count + model.extra_)
        shape = model.r_ + count
        for k, t in enumerate(horizons):
            for part in np.array_split(rows, max(1, len(rows) // 20_000)):
                rate = model.alpha_ + age[part]
                out[k][:, part] = _moments(nodes, weights, shape, rate, t)
    return out


def _moments(p, weights, shape, rate, t) -> np.ndarray:
    """Integrate mean and second moment over the drop-out chance p."""
    u = p[None, :] * (t / rate)[:, None]
    log_survive = -shape * np.log1p(u)  # E[e^(-lpt)]
    mean = -np.expm1(log_survive) / p
    # 1 - E[e^(-lpt)(1 + lpt)], written so that nothing cancels for a small p
    left = -np.expm1(log_survive) - shape * u / (1 + u) * np.exp(log_survive)
    series = shape * (shape + 1) * u**2 * (0.5 - (shape + 2) * u / 3)
    left = np.where((shape + 2) * u < 1e-4, series, left)
    second = mean + 2 * (1 - p) * left / p**2
    none = (1 + t / rate) ** -shape  # no purchase, given alive, needs no drop-out
    return np.stack([mean @ weights, second @ weights, none])


def beta_quadrature(a: float, b: float, n: int = NODES):
    """Return nodes and weights that integrate over a beta(a, b) distribution."""
    alpha, beta = b - 1, a - 1
    k = np.arange(n, dtype=float)
    total = 2 * k + alpha + beta
    with np.errstate(invalid="ignore", divide="ignore"):
        diagonal = (beta**2 - alpha**2) / (total * (total + 2))
    diagonal[0] = (beta - alpha) / (alpha + beta + 2)
    j = k[1:]
    total = 2 * j + alpha + beta
    square = 4 * j * (j + alpha) * (j + beta) * (j + alpha + beta)
    with np.errstate(invalid="ignore", divide="ignore"):
        square = square / (total**2 * (total + 1) * (total - 1))
    first = (
        4 * (1 + alpha) * (1 + beta) / ((2 + alpha + beta) ** 2 * (3 + alpha + beta))
    )
    square[0] = first
    nodes, vectors = eigh_tridiagonal(diagonal, np.sqrt(square))
    p = np.clip((1 + nodes) / 2, 1e-300, 1.0)
    return p, vectors[0] ** 2
