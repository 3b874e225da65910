"""BG/NBD and gamma-gamma: known parameters come back, and the published ones."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import check_grad
from scipy.special import hyp2f1

from analytics.ml import clv
from analytics.ml.clv_fitters import (
    BetaGeoFitter,
    FitError,
    GammaGammaFitter,
    _BetaGeoLikelihood,
    _GammaGammaLikelihood,
    group_rows,
)
from analytics.ml.clv_posterior import (
    beta_quadrature,
    expected_purchases,
    p_alive,
    purchases,
)
from analytics.tests.ml.public_data import cdnow, public

TRUE = {"r": 0.6, "alpha": 8.0, "a": 0.9, "b": 3.0}


def simulate(count, r, alpha, a, b, age=60.0, seed=0):
    """Return frequency, recency and T of customers of a BG/NBD world."""
    rng = np.random.default_rng(seed)
    rate, gone = rng.gamma(r, 1 / alpha, count), rng.beta(a, b, count)
    T = rng.uniform(age / 2, age, count)
    frequency, recency = np.zeros(count), np.zeros(count)
    clock, active = np.zeros(count), np.ones(count, dtype=bool)
    while active.any():
        clock[active] += rng.exponential(1 / rate[active])
        active &= clock <= T
        frequency[active] += 1
        recency[active] = clock[active]
        active &= rng.random(count) >= gone
    return frequency, recency, T


def test_bg_nbd_recovers_the_parameters_of_simulated_customers():
    found = BetaGeoFitter().fit(*simulate(60_000, **TRUE)).params_
    for name, value in TRUE.items():
        assert found[name] == pytest.approx(value, rel=0.12), name


def test_gamma_gamma_recovers_the_parameters_of_simulated_spending():
    rng = np.random.default_rng(1)
    p, q, v, count = 5.0, 4.0, 20.0, 40_000
    frequency = rng.integers(1, 12, count)
    rate = rng.gamma(q, 1 / v, count)
    monetary = rng.gamma(p * frequency, 1 / rate) / frequency
    found = GammaGammaFitter().fit(frequency, monetary).params_
    assert found["p"] == pytest.approx(p, rel=0.1)
    assert found["q"] == pytest.approx(q, rel=0.05)
    assert found["v"] == pytest.approx(v, rel=0.15)


def test_published_parameters_come_back_on_the_cdnow_sample():
    summary = clv.summarise(cdnow(), unit="week", calibration_end="1997-09-30")
    fitted = BetaGeoFitter().fit(summary["frequency"], summary["recency"], summary["T"])
    assert fitted.r_ == pytest.approx(0.243, abs=0.0005)
    assert fitted.alpha_ == pytest.approx(4.414, abs=0.002)
    assert fitted.a_ == pytest.approx(0.793, abs=0.001)
    assert fitted.b_ == pytest.approx(2.426, abs=0.001)
    assert fitted.log_likelihood_ == pytest.approx(-9582.43, abs=0.01)
    buyers = summary[summary["frequency"] > 0]
    spend = GammaGammaFitter().fit(buyers["frequency"], buyers["monetary"])
    assert spend.p_ == pytest.approx(6.25, abs=0.01)
    assert spend.q_ == pytest.approx(3.744, abs=0.005)
    assert spend.v_ == pytest.approx(15.444, abs=0.01)


def test_summary_equals_the_published_one():
    summary = clv.summarise(cdnow(), unit="week", calibration_end="1997-09-30")
    known = pd.read_csv(
        public("cdnow/cdnow_customers_summary_with_transactions.csv"), index_col="ID"
    )
    assert len(summary) == len(known) == 2357
    assert (summary["frequency"].to_numpy() == known["x"].to_numpy()).all()
    for ours, theirs in (("recency", "t_x"), ("T", "T"), ("monetary", "zbar")):
        gap = np.abs(summary[ours].to_numpy() - known[theirs].to_numpy())
        assert gap.max() < 0.0051, ours  # theirs are rounded to two places


@pytest.mark.parametrize("extra", [0, 1])
def test_gradients_are_those_of_the_likelihoods(extra):
    x, t_x, age = simulate(200, **TRUE)
    (x, t_x, age), weight, _ = group_rows(x, t_x, age)
    loss = _BetaGeoLikelihood(x, t_x, age, weight, extra)
    at = np.log([0.5, 6.0, 1.2, 2.0])
    assert check_grad(lambda z: loss(z)[0], lambda z: loss(z)[1], at) < 1e-5
    money = np.random.default_rng(0).gamma(3, 10, 50)
    count = np.random.default_rng(0).integers(1, 9, 50).astype(float)
    spend = _GammaGammaLikelihood(count, money, np.ones(50))
    at = np.log([2.0, 3.0, 12.0])
    assert check_grad(lambda z: spend(z)[0], lambda z: spend(z)[1], at) < 1e-5


def test_equal_rows_are_fitted_as_often_as_they_occur():
    x, t_x, age = (np.round(c) for c in simulate(400, **TRUE))
    t_x = np.minimum(t_x, age)
    once = BetaGeoFitter().fit(x, t_x, age)
    thrice = BetaGeoFitter().fit(*(np.tile(c, 3) for c in (x, t_x, age)))
    assert thrice.log_likelihood_ == pytest.approx(3 * once.log_likelihood_)
    for name, value in once.params_.items():
        assert thrice.params_[name] == pytest.approx(value, rel=1e-3), name


@pytest.fixture(scope="module")
def fitted():
    model = BetaGeoFitter()
    model.r_, model.alpha_, model.a_, model.b_ = 0.243, 4.414, 0.793, 2.426
    return model


def test_expected_purchases_equal_the_textbook_formula(fitted):
    x, t_x, T = simulate(300, **TRUE, age=39)
    r, alpha, a, b = fitted.params_.values()
    for t in (1.0, 39.0, 156.0):
        ratio = ((alpha + T) / (alpha + T + t)) ** (r + x)
        tail = ratio * hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + T + t))
        above = (a + b + x - 1) / (a - 1) * (1 - tail)
        odds = a / (b + np.maximum(x, 1) - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x)
        textbook = above / (1 + (x > 0) * odds)
        assert np.allclose(expected_purchases(fitted, t, x, t_x, T), textbook)


def test_moments_equal_a_simulation(fitted):
    rng, x, T, t = np.random.default_rng(2), 3.0, 30.0, 100.0
    rate = rng.gamma(fitted.r_ + x, 1 / (fitted.alpha_ + T), 200_000)
    gone = rng.beta(fitted.a_, fitted.b_ + x, 200_000)
    count = np.minimum(rng.poisson(rate * t), rng.geometric(gone))
    alive = p_alive(fitted, [x], [T], [T])[0]
    step = purchases(fitted, [t], np.array([x]), np.array([T]), np.array([T]))[0]
    assert step.mean[0] == pytest.approx(alive * count.mean(), rel=0.02)
    assert step.second[0] == pytest.approx(alive * (count**2).mean(), rel=0.03)
    assert step.none[0] == pytest.approx(1 - alive * (count > 0).mean(), abs=0.005)


def test_quadrature_integrates_a_beta_distribution():
    for a, b in ((0.8, 2.4), (1.0, 1.0), (0.3, 900.0)):
        nodes, weights = beta_quadrature(a, b)
        assert weights.sum() == pytest.approx(1)
        assert (weights * nodes).sum() == pytest.approx(a / (a + b))


def test_huge_frequencies_and_ages_stay_finite(fitted):
    x = np.array([0.0, 1_500.0, 20_000.0])
    T = np.array([5_000.0, 100.0, 1e-9])
    recency = np.minimum(T, np.array([0.0, 100.0, 1e-9]))
    for value in (
        expected_purchases(fitted, 156, x, recency, T),
        p_alive(fitted, x, recency, T),
    ):
        assert np.isfinite(value).all()
        assert (value >= 0).all()


def test_impossible_rows_are_refused():
    with pytest.raises(FitError):
        BetaGeoFitter().fit([1], [5.0], [4.0])
    with pytest.raises(FitError):
        BetaGeoFitter().fit([], [], [])
    with pytest.raises(FitError):
        GammaGammaFitter().fit([0], [5.0])
    with pytest.raises(FitError):
        GammaGammaFitter().fit([], [])
