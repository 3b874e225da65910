"""Lifetime value: the formula, the hold-out, and what happens with little data."""

import json

import numpy as np
import pandas as pd
import pytest

from analytics.ml import clv
from analytics.ml.base import NotEnoughHistory
from analytics.ml.clv_posterior import expected_purchases
from analytics.ml.clv_summary import periods_per_year
from analytics.tests.ml.public_data import cdnow


@pytest.fixture(scope="module")
def calibration():
    return clv.summarise(cdnow(), unit="week", calibration_end="1997-09-30")


@pytest.fixture(scope="module")
def trained(calibration):
    return clv.train(clv.summarise(cdnow(), unit="week"), calibration)


def test_holdout_error_is_the_published_one_and_beats_the_same_rate(trained):
    card = trained.card
    assert card.figures["mae"].value <= 0.785
    assert card.simple_rule.figures["mae"].value == pytest.approx(1.024, abs=0.0005)
    assert card.beats_rule
    assert card.details["holdout_purchases"] == 1882
    assert card.details["predicted_purchases"] == pytest.approx(1653, abs=1)
    assert card.figures["bias"].value == pytest.approx(-0.121, abs=0.001)
    json.dumps(card.to_json(), allow_nan=False)


def test_interval_holds_what_it_promises_on_the_holdout(trained):
    assert trained.card.details["interval_coverage"] >= 0.80


def test_groups_of_frequency_are_foretold_in_order(trained):
    rows = trained.card.calibration
    assert sum(row["count"] for row in rows) == 2357
    predicted = [row["predicted"] for row in rows]
    assert predicted == sorted(predicted)


def test_value_is_discounted_revenue_less_acquisition_cost(calibration):
    options = clv.Options(unit="week", years=2, discount_rate=0.15, margin=0.4)
    model = clv.LifetimeModel(options).fit(calibration)
    some = calibration.head(20)
    table = model.score(some, acquisition_cost=7.0)
    columns = [some[name] for name in ("frequency", "recency", "T")]
    year = periods_per_year("week")
    one = expected_purchases(model.purchases_, year, *columns)
    two = expected_purchases(model.purchases_, 2 * year, *columns)
    spend = model.spend_.expected_value(some["frequency"], some["monetary"]) * 0.4
    by_hand = spend * (one / 1.15 + (two - one) / 1.15**2) - 7.0
    assert np.allclose(table["value"], by_hand)
    assert (table["low"] <= table["value"] + 1e-9).mean() > 0.9
    assert (table["high"] >= table["low"]).all()
    assert (table["low"] >= -7.0 - 1e-9).all()


def test_acquisition_costs_are_taken_per_customer(calibration):
    model = clv.LifetimeModel().fit(calibration)
    some = calibration.head(3)
    costs = pd.Series([10.0, None], index=some.index[:2])
    free = model.score(some)["value"]
    paid = model.score(some, acquisition_cost=costs)["value"]
    assert (free - paid).round(6).tolist() == [10.0, 0.0, 0.0]


def test_reasons_name_the_three_factors(trained, calibration):
    reasons = trained.model.score(calibration.head(5))["reasons"]
    for row in reasons:
        names = {reason["feature"] for reason in row}
        assert names == {"p_alive", "purchase_rate", "expected_value"}
        sizes = [abs(reason["effect"]) for reason in row]
        assert sizes == sorted(sizes, reverse=True)


def test_scores_do_not_depend_on_the_partition(trained, calibration):
    whole = trained.model.score(calibration, reasons=False)
    parts = [
        trained.model.score(part, reasons=False)
        for part in (calibration.iloc[:1000], calibration.iloc[1000:])
    ]
    pd.testing.assert_frame_equal(whole, pd.concat(parts))


def test_later_rows_change_nothing_before_the_calibration_end():
    rows = cdnow()
    end = pd.Timestamp("1997-09-30")
    known = clv.summarise(rows[rows["date"] <= end], calibration_end=end)
    later = clv.summarise(rows, calibration_end=end)
    columns = ["frequency", "recency", "T", "monetary"]
    pd.testing.assert_frame_equal(known[columns], later[columns])
    assert known["holdout_frequency"].sum() == 0
    assert later["holdout_frequency"].sum() == 1882


def test_purchases_of_one_day_count_once_and_the_first_not_at_all():
    rows = pd.DataFrame(
        {
            "customer": ["a"] * 5 + ["b"],
            "date": pd.to_datetime(
                ["2024-01-01", "2024-01-08 09:00", "2024-01-08 17:00"]
                + ["2024-01-22", "2024-01-25", "2024-01-15"],
                format="ISO8601",
            ),
            "amount": [100.0, 10.0, 20.0, 50.0, -5.0, 7.0],
        }
    )
    table = clv.summarise(rows, unit="week", observation_end="2024-01-29")
    a, b = table.loc["a"], table.loc["b"]
    assert (a["frequency"], a["recency"], a["T"]) == (2, 3.0, 4.0)
    assert a["monetary"] == 40.0  # (10 + 20 and 50) / 2; a day of returns is none
    assert (b["frequency"], b["recency"], b["T"], b["monetary"]) == (0, 0, 2, 0)


def test_little_data_is_said_and_not_fitted():
    rows = cdnow()
    none = clv.summarise(rows.iloc[:0], calibration_end="1997-09-30")
    one = clv.summarise(rows[rows["customer"] == 1], calibration_end="1997-09-30")
    first = rows.drop_duplicates("customer")
    loyal_to_none = clv.summarise(first, calibration_end="1997-09-30")
    for table, code in (
        (none, "too_few_rows"),
        (one, "too_few_rows"),
        (loyal_to_none, "no_repeat"),
    ):
        found = clv.train(None, table)
        assert isinstance(found, NotEnoughHistory)
        assert found.card.reason.code == code
        assert not found.card.beats_rule
        json.dumps(found.card.to_json(), allow_nan=False)


def test_equal_amounts_everywhere_still_give_values(calibration):
    same = calibration.assign(
        monetary=np.where(calibration["frequency"] > 0, 20.0, 0.0)
    )
    found = clv.train(None, same)
    values = found.model.score(same)
    assert np.isfinite(values[["value", "low", "high"]].to_numpy()).all()
    assert np.allclose(values["expected_value"], 20.0)


def test_without_amounts_purchases_are_foretold_all_the_same(calibration):
    found = clv.train(None, calibration.drop(columns="monetary"))
    assert found.card.figures["mae"].value <= 0.785
    assert "value_mae" not in found.card.figures
