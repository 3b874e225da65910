"""Segments: rules by hand, clusters that keep their ids and names, odd data."""

import json

import numpy as np
import pandas as pd
import pytest

from analytics.ml import artefacts, rfm, segmentation
from analytics.ml.base import NotEnoughHistory
from analytics.ml.clusters import match_ids, name_clusters
from analytics.tests.ml.public_data import public

GROUPS = {  # recency_days, frequency, monetary
    "champions": (5, 30, 9000),
    "regulars": (40, 8, 900),
    "gone": (400, 2, 80),
}


def customers(sizes=(80, 200, 300), seed=0):
    """Return customers of three clear groups, and the group of each."""
    rng = np.random.default_rng(seed)
    parts, names = [], []
    for (name, centre), size in zip(GROUPS.items(), sizes, strict=True):
        noise = rng.lognormal(0, 0.15, (size, 3))
        parts.append(np.array(centre) * noise)
        names += [name] * size
    frame = pd.DataFrame(
        np.vstack(parts), columns=["recency_days", "frequency", "monetary"]
    )
    frame["frequency"] = frame["frequency"].round().clip(lower=1)
    return frame, pd.Series(names)


def online_retail(end):
    """Return the features of the shop's customers as they stood on a day."""
    rows = pd.read_csv(
        public("online_retail/online_retail_2010-12_2011-12.csv.gz"),
        usecols=["Quantity", "InvoiceDate", "UnitPrice", "CustomerID"],
    ).dropna()
    rows = pd.DataFrame(
        {
            "customer": rows["CustomerID"],
            "date": pd.to_datetime(rows["InvoiceDate"]),
            "amount": rows["Quantity"] * rows["UnitPrice"],
        }
    )
    return rfm.features(rows[rows["date"] <= end])


@pytest.fixture(scope="module")
def trained():
    return segmentation.train(customers()[0])


def test_clear_groups_are_found_and_named_apart(trained):
    frame, truth = customers()
    scored = trained.model.score(frame)
    found = pd.crosstab(truth, scored["cluster"])
    assert (found.max(axis=1) / found.sum(axis=1)).min() > 0.98
    assert trained.card.figures["silhouette"].value > 0.6
    best = max(trained.model.clusters, key=lambda row: row["medians"]["monetary"])
    assert best["name"] == {
        "value": "high",
        "frequency": "often",
        "recency": "recent",
    }
    names = [tuple(row["name"].items()) for row in trained.model.clusters]
    assert len(set(names)) == len(names) == 3
    assert sum(row["size"] for row in trained.model.clusters) == len(frame)
    json.dumps(trained.card.to_json(), allow_nan=False)


def test_ids_and_names_stay_when_the_data_moves(trained):
    frame, _ = customers(sizes=(60, 260, 280), seed=7)
    again = segmentation.train(frame, previous=trained.model)
    before = {row["id"]: row["name"] for row in trained.model.clusters}
    after = {row["id"]: row["name"] for row in again.model.clusters}
    assert after == before
    alike = trained.model.score(frame)["cluster"] == again.model.score(frame)["cluster"]
    assert alike.mean() > 0.98


def test_a_second_run_on_the_same_data_changes_nothing(trained):
    frame, _ = customers()
    again = segmentation.train(frame, previous=trained.model)
    columns = ["cluster", "rfm_label", "power_class"]
    pd.testing.assert_frame_equal(
        trained.model.score(frame)[columns], again.model.score(frame)[columns]
    )


def test_a_new_cluster_gets_a_new_number():
    old = np.array([[0.0, 0.0], [5.0, 5.0]])
    new = np.array([[5.1, 5.0], [0.0, 9.0], [0.1, 0.0]])
    ids, next_id = match_ids(new, np.ones(2), old, [4, 7], 9)
    assert ids == [7, 9, 4]
    assert next_id == 10


def test_a_vanished_cluster_gives_its_number_to_nobody():
    old = np.array([[0.0, 0.0], [5.0, 5.0]])
    ids, next_id = match_ids(np.array([[0.0, 9.0]]), np.ones(2), old, [1, 2], 3)
    assert ids == [3]
    assert next_id == 4


def test_names_are_unique_and_kept():
    centres = np.array([[10.0, 1.0, 1.0], [10.0, 1.0, 1.01], [300.0, 0.0, 0.0]])
    columns = ["recency_days", "frequency", "monetary"]
    names = name_clusters(centres, columns, [1, 2, 3], {2: {"value": "kept"}})
    assert names[2] == {"value": "kept"}
    assert len({tuple(sorted(name.items())) for name in names.values()}) == 3


def test_online_retail_keeps_its_clusters_a_month_later():
    before = segmentation.train(online_retail("2011-11-09"))
    frame = online_retail("2011-12-10")
    after = segmentation.train(frame, previous=before.model)
    assert after.card.figures["stability"].value > 0.8
    assert set(after.model.ids_) == set(before.model.ids_)
    assert after.model.names_ == before.model.names_
    scored = after.model.score(frame)
    assert set(scored["power_class"]) == {"A", "B", "C"}
    assert scored["rfm_label"].nunique() > 8
    share = scored["power_class"].value_counts(normalize=True)
    assert share["A"] == pytest.approx(0.2, abs=0.01)


def test_the_model_survives_a_file(trained):
    frame, _ = customers()
    blob = artefacts.dumps(trained.model, key=b"secret")
    loaded = artefacts.loads(blob, key=b"secret").model
    pd.testing.assert_frame_equal(loaded.score(frame), trained.model.score(frame))
    again = segmentation.train(frame, previous=loaded)
    assert again.model.names_ == trained.model.names_


def test_the_picture_has_a_fixed_sign(trained):
    frame, _ = customers()
    for axis in trained.model.axes_:
        assert axis[np.abs(axis).argmax()] > 0
    shuffled = frame.sample(frac=1, random_state=3)
    other = segmentation.train(shuffled).model
    assert np.allclose(other.axes_, trained.model.axes_)
    assert len(trained.card.details["scatter"]) == len(frame)


def test_who_never_bought_is_in_no_cluster(trained):
    frame = pd.DataFrame(
        {
            "recency_days": [np.nan, 10.0],
            "frequency": [0, 5],
            "monetary": [0.0, 500.0],
            "age": [200, 34],
            "region": [" ", "North"],
        },
        index=[11, 12],
    )
    scored = trained.model.score(frame)
    assert scored.loc[11, "cluster"] == segmentation.NO_CLUSTER
    assert scored.loc[11, "rfm_label"] == "never_bought"
    assert scored.loc[11, "power_class"] == "C"
    assert np.isnan(scored.loc[11, "x"])
    assert (scored.loc[11, "age_band"], scored.loc[11, "region"]) == ("unknown",) * 2
    assert (scored.loc[12, "age_band"], scored.loc[12, "region"]) == ("25-34", "North")
    assert scored.loc[12, "cluster"] in trained.model.ids_
    assert len(trained.model.score(frame.iloc[:0])) == 0


def test_thresholds_given_are_the_ones_used():
    frame, _ = customers()
    options = segmentation.Options(power_thresholds=(100.0, 1000.0))
    scored = segmentation.train(frame, options=options).model.score(frame)
    above = frame["monetary"] > 1000
    assert (scored["power_class"] == "A").tolist() == above.tolist()
    below = frame["monetary"] <= 100
    assert (scored["power_class"] == "C").tolist() == below.tolist()


def test_rfm_scores_are_quintiles():
    frame = pd.DataFrame(
        {
            "recency_days": np.arange(100.0),
            "frequency": np.arange(100, 0, -1),
            "monetary": np.arange(100, 0, -1) * 10.0,
        }
    )
    scores = rfm.rfm_scores(frame, rfm.rfm_edges(frame))
    for column in ("rfm_recency", "rfm_frequency", "rfm_monetary"):
        assert scores[column].value_counts().tolist() == [20] * 5
    assert scores["rfm_label"].iloc[0] == "champions"
    assert scores["rfm_label"].iloc[-1] == "lost"
    assert set(scores["rfm_label"]) <= set(rfm.LABEL_KEYS)


def test_age_bands_have_no_gaps():
    ages = pd.Series([0, 17, 18, 24, 25, 64, 65, 120, 121, -1, None])
    assert list(rfm.age_band(ages)) == (
        ["0-17", "0-17", "18-24", "18-24", "25-34", "55-64", "65+", "65+"]
        + ["unknown"] * 3
    )


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_few_customers_are_not_enough(rows):
    found = segmentation.train(customers()[0].head(rows))
    assert isinstance(found, NotEnoughHistory)
    assert found.card.reason.code == "too_few_rows"


def test_constant_columns_are_not_enough():
    frame = pd.DataFrame(
        {"recency_days": [3.0] * 50, "frequency": [1] * 50, "monetary": [9.0] * 50}
    )
    found = segmentation.train(frame)
    assert isinstance(found, NotEnoughHistory)
    assert found.card.reason.code == "constant_columns"


def test_one_telling_column_is_enough_for_clusters():
    frame, _ = customers()
    frame = frame.assign(recency_days=7.0, frequency=3)
    model = segmentation.train(frame).model
    assert model.columns_ == ["monetary"]
    scored = model.score(frame)
    assert scored["cluster"].nunique() > 1
    assert (scored["y"] == 0).all()


def test_negative_and_infinite_values_are_borne():
    frame, _ = customers()
    frame.loc[frame.index[0], "monetary"] = -500.0
    frame.loc[frame.index[1], "monetary"] = np.inf
    frame.loc[frame.index[2], "monetary"] = np.nan
    scored = segmentation.train(frame).model.score(frame)
    assert np.isfinite(scored[["x", "y"]].to_numpy()).all()
