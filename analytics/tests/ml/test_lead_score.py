"""Conversion: the public floor, no column from after the outcome, honest chances."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from analytics.ml import artefacts, lead_score
from analytics.ml.base import NotEnoughHistory
from analytics.ml.calibration import expected_error, reliability
from analytics.ml.lead_features import LeadEncoder, usable_columns
from analytics.ml.lead_model import LeadModel
from analytics.ml.leaks import certain, single_auc, suspicious_columns
from analytics.tests.ml.public_data import olist, public

BEFORE = ["origin", "landing_page_id"]
DEALS = [
    "seller_id",
    "sdr_id",
    "sr_id",
    "won_date",
    "business_segment",
    "lead_type",
    "lead_behaviour_profile",
    "has_company",
    "has_gtin",
    "average_stock",
    "business_type",
    "declared_product_catalog_size",
    "declared_monthly_revenue",
]


def leads(count=1200, seed=0):
    """Return leads whose chance depends on source and size, and the true chance."""
    rng = np.random.default_rng(seed)
    source = rng.choice(["web", "fair", "call"], count)
    size = rng.lognormal(2, 1, count)
    odds = np.select([source == "web", source == "fair"], [-2.5, 0.5], -1.0)
    chance = 1 / (1 + np.exp(-(odds + 0.4 * (np.log(size) - 2))))
    frame = pd.DataFrame(
        {
            "time": pd.date_range("2024-01-01", periods=count, freq="2h"),
            "source": source,
            "size": size,
            "noise": rng.choice(list("abcd"), count),
            "outcome": (rng.random(count) < chance).astype(int),
        }
    )
    return frame, chance


@pytest.fixture(scope="module")
def trained():
    return lead_score.train(leads()[0], source="source")


@pytest.fixture(scope="module")
def olist_card():
    frame = olist()
    return lead_score.train(
        frame,
        time="first_contact_date",
        source="origin",
        outcome_time="won_date",
        refit=False,
    ).card


def test_olist_passes_its_floor_on_the_newest_fifth(olist_card):
    assert olist_card.figures["auc"].value >= 0.70
    assert olist_card.beats_rule
    assert olist_card.split == "time"
    assert olist_card.split_params["test"] == pytest.approx(1600, abs=60)
    assert len(olist_card.calibration) == 10
    assert len(olist_card.rivals) == 2
    json.dumps(olist_card.to_json(), allow_nan=False)


def test_no_column_of_the_deal_is_learned_from(olist_card):
    assert sorted(olist_card.parameters["columns"]) == sorted(BEFORE)
    flagged = {
        note.params["column"]
        for note in olist_card.warnings
        if note.code == "filled_after_outcome"
    }
    # The time of the outcome is known as such and never a candidate.
    assert flagged == set(DEALS) - {"won_date"}
    assert olist_card.figures["auc"].value < 0.75  # .76 and more was a leak


def test_chances_come_near_the_true_ones(trained):
    frame, chance = leads(seed=5)
    scored = trained.model.score(frame)
    assert roc_auc_score(frame["outcome"], scored["probability"]) > 0.7
    assert np.corrcoef(scored["probability"], chance)[0, 1] > 0.9
    assert expected_error(scored["probability"], chance) < 0.06
    assert trained.card.beats_rule


def test_reasons_point_the_right_way(trained):
    frame, _ = leads()
    frame = frame.drop(columns="outcome")
    base = frame.iloc[[0]].assign(size=7.0)
    good = trained.model.score(base.assign(source="fair")).iloc[0]
    bad = trained.model.score(base.assign(source="web")).iloc[0]
    assert good["probability"] > bad["probability"]
    effects = [
        {reason["feature"]: reason["effect"] for reason in row["reasons"]}
        for row in (good, bad)
    ]
    assert effects[0]["source"] > 0 > effects[1]["source"]
    assert abs(effects[0]["source"]) > abs(effects[0].get("noise", 0))
    assert good["reasons"][0] == {
        "feature": "source",
        "value": "fair",
        "effect": effects[0]["source"],
    }


def test_unseen_levels_and_missing_values_are_scored(trained):
    odd = pd.DataFrame(
        {"source": ["moon", None], "size": [None, "x"], "noise": ["", 3]}
    )
    scored = trained.model.score(odd)
    assert scored["probability"].between(0, 1).all()
    assert scored["reasons"].map(len).tolist() == [3, 3]
    json.dumps(scored["reasons"].tolist())
    assert trained.model.score(odd.iloc[:0]).empty


def test_later_rows_do_not_change_what_was_learned_before():
    frame, _ = leads()
    older = frame.head(1000)
    one = LeadModel().fit(older[["source", "size"]], older["outcome"])
    split = frame["time"] <= older["time"].max()
    two = LeadModel().fit(frame[split][["source", "size"]], frame[split]["outcome"])
    asked = frame[["source", "size"]].tail(50)
    assert (one.predict_proba(asked) == two.predict_proba(asked)).all()


def test_the_order_of_the_rows_given_does_not_matter():
    frame, _ = leads()
    shuffled = frame.sample(frac=1, random_state=3)
    cards = [lead_score.train(f, refit=False).card for f in (frame, shuffled)]
    assert cards[0].figures == cards[1].figures


def test_young_leads_are_no_lost_leads():
    frame, _ = leads()
    wait = pd.Timedelta(days=20)
    end = frame["time"].max()
    frame["won_on"] = (frame["time"] + wait).where(frame["outcome"] == 1)
    unseen = frame["won_on"] > end
    frame.loc[unseen, ["outcome", "won_on"]] = [0, pd.NaT]
    card = lead_score.train(frame, outcome_time="won_on", refit=False).card
    note = next(note for note in card.warnings if note.code == "censored_rows")
    assert note.params["days"] == 20
    assert card.rows == len(frame) - note.params["count"]
    assert note.params["count"] == pytest.approx(240, abs=25)
    assert card.window_end <= end - wait + pd.Timedelta(days=1)


def test_undecided_rows_are_left_out():
    frame, _ = leads()
    frame["outcome"] = frame["outcome"].astype(float)
    frame.loc[:99, "outcome"] = None
    assert lead_score.train(frame, refit=False).card.rows == len(frame) - 100


def test_leaks_of_every_kind_are_seen():
    frame, _ = leads()
    y = frame["outcome"]
    rng = np.random.default_rng(1)
    won = y == 1
    frame["contract"] = np.where(won & (rng.random(len(y)) < 0.1), "C-1", None)
    frame["state"] = np.where(won, "customer", "lead")
    frame["points"] = y * 10 + rng.random(len(y))
    frame["closed"] = (frame["time"] + pd.Timedelta(days=9)).astype(str)
    frame["called"] = np.where(
        rng.random(len(y)) < np.where(won, 0.9, 0.3), "yes", None
    )
    frame["minutes"] = np.exp(rng.normal(0, 1, len(y)) + 1.5 * y)
    notes = suspicious_columns(
        frame.drop(columns=["outcome", "time"]), y, frame["time"]
    )
    found = {note.params["column"]: note.code for note in notes}
    assert found == {
        "contract": "filled_after_outcome",
        "state": "separates_outcome",
        "points": "separates_outcome",
        "closed": "later_than_time",
        "called": "missing_tied_to_outcome",
        "minutes": "strong_alone",
    }
    assert set(certain(notes)) == {"contract", "state", "points", "closed"}
    for note in notes:
        assert note.params["column"] in note.text


def test_deals_without_any_signal_are_said_to_have_none():
    deals = pd.read_csv(public("maven_crm_sales/sales_pipeline.csv"))
    deals = deals[deals["deal_stage"].isin(["Won", "Lost"])]
    deals["outcome"] = (deals.pop("deal_stage") == "Won").astype(int)
    card = lead_score.train(deals, time="engage_date", refit=False).card
    left_out = {
        note.params["column"]
        for note in card.warnings
        if note.code == "suspicious_excluded"
    }
    assert left_out == {"close_date", "close_value"}
    assert card.figures["auc"].value < 0.56
    assert not card.beats_rule
    assert "within_chance" in {note.code for note in card.warnings}


def test_honest_columns_are_not_suspected():
    frame, _ = leads()
    frame["mostly_empty"] = np.where(np.arange(len(frame)) % 9 == 0, "x", None)
    frame["serial"] = [f"id-{n}" for n in range(len(frame))]
    honest = frame.drop(columns=["outcome", "time"])
    assert suspicious_columns(honest, frame["outcome"], frame["time"]) == []
    assert single_auc(frame["serial"], frame["outcome"].to_numpy()) < 0.6
    assert suspicious_columns(honest, frame["outcome"] * 0, frame["time"]) == []


def test_columns_that_cannot_teach_are_left_out():
    frame, _ = leads()
    frame["one"] = "same"
    frame["serial"] = [f"id-{n}" for n in range(len(frame))]
    frame["month"] = frame["time"].dt.month.astype(str)
    frame["weekday"] = frame["time"].dt.day_of_week.astype(str)
    kept, left = usable_columns(frame.drop(columns="outcome"), frame["time"])
    assert kept == ["source", "size", "noise", "weekday"]
    assert left == {
        "time": "date",
        "one": "constant",
        "serial": "identifier",
        "month": "stretch_of_time",
    }


def test_rare_levels_share_a_column():
    frame = pd.DataFrame({"page": ["a"] * 20 + ["b"] * 3 + ["c"] * 2 + [None] * 12})
    encoder = LeadEncoder().fit(frame)
    rows = encoder.transform(
        pd.DataFrame({"page": ["a", "b", "c", "never", None, " "]})
    )
    assert encoder.levels_["page"] == ["(missing)", "a"]
    assert rows.argmax(axis=1).tolist() == [1, 2, 2, 2, 0, 0]


def test_little_and_one_sided_data_is_said():
    frame, _ = leads()
    cases = (
        (frame.head(0), "too_few_rows"),
        (frame.head(1), "too_few_rows"),
        (frame.assign(outcome=0), "too_few_positive"),
        (frame.assign(outcome=1), "too_few_negative"),
        (frame.assign(outcome=None), "too_few_rows"),
        (frame[["time", "outcome"]].assign(same="x"), "constant_columns"),
        (frame.assign(outcome=[1] * 600 + [0] * 600), "no_holdout_positive"),
    )
    for rows, code in cases:
        found = lead_score.train(rows)
        assert isinstance(found, NotEnoughHistory), code
        assert found.card.reason.code == code
        json.dumps(found.card.to_json(), allow_nan=False)


def test_without_times_the_holdout_is_random_and_that_is_said():
    frame, _ = leads()
    card = lead_score.train(frame.drop(columns="time"), time=None, refit=False).card
    assert card.split == "random"
    assert "random_split" in {note.code for note in card.warnings}


@pytest.mark.parametrize("seed", [1, 3, 4])
def test_noise_does_not_beat_the_base_rate(seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "time": pd.date_range("2024-01-01", periods=6000, freq="h"),
            "source": rng.choice(["a", "b"], 6000),
            "noise": rng.choice(list("cdefg"), 6000),
            "outcome": (rng.random(6000) < 0.3).astype(int),
        }
    )
    card = lead_score.train(frame, source="source", refit=False).card
    assert abs(card.figures["auc"].value - 0.5) < 0.05
    assert not card.beats_rule
    assert card.figures["calibration_error"].value < 0.1


def test_the_model_survives_a_file(trained):
    frame, _ = leads(200, seed=9)
    blob = artefacts.dumps(trained.model, key=b"k")
    loaded = artefacts.loads(blob, key=b"k").model
    pd.testing.assert_frame_equal(loaded.score(frame), trained.model.score(frame))


def test_any_classifier_can_be_calibrated_and_none_turns_the_order_round():
    frame, _ = leads()
    model = LeadModel(LogisticRegression()).fit(frame[["size"]], frame["outcome"])
    scored = model.score(frame)
    assert scored["probability"].mean() == pytest.approx(
        frame["outcome"].mean(), abs=0.05
    )
    rng = np.random.default_rng(0)
    random = LeadModel().fit(frame[["noise"]], rng.integers(0, 2, len(frame)))
    assert random.slope_ > 0


def test_reliability_counts_every_row_once():
    rng = np.random.default_rng(0)
    chance = rng.random(1003)
    rows = reliability(chance, rng.random(1003) < chance)
    assert sum(row["count"] for row in rows) == 1003
    assert expected_error(chance, rng.random(1003) < chance) < 0.06
    assert expected_error(np.full(100, 0.9), np.zeros(100)) == pytest.approx(0.9)
