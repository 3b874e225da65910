"""Group-by tables: figures by hand, what is missing, and no rows at all."""

import json

import numpy as np
import pandas as pd
import pytest

from analytics.ml import statistics

FRAME = pd.DataFrame(
    {
        "region": ["North", "North", "North ", None, "South", ""],
        "age": [20, "31", "x", 40, None, 50],
        "income": [1000.0, 3000.0, 2000.0, np.nan, 500.0, 700.0],
        "gender": ["f", "m", "m", None, "f", " "],
    }
)


def test_figures_per_group_are_those_of_the_rows():
    table = statistics.describe(FRAME)
    assert [group["region"] for group in table["groups"]] == [
        "North",
        "unknown",
        "South",
    ]
    north = table["groups"][0]
    assert north["rows"] == 3
    assert north["age"]["count"] == 2
    assert north["age"]["mean"] == 25.5
    assert north["income"] == {
        "count": 3,
        "mean": 2000.0,
        "median": 2000.0,
        "std": pytest.approx(1000.0),
        "var": pytest.approx(1_000_000.0),
    }
    assert north["gender"] == {"counts": {"f": 1, "m": 2}, "mode": "m"}


def test_one_value_has_no_spread_and_none_no_mean():
    groups = {g["region"]: g for g in statistics.describe(FRAME)["groups"]}
    south = groups["South"]
    assert south["income"]["std"] is None
    assert south["age"] == {
        "count": 0,
        "mean": None,
        "median": None,
        "std": None,
        "var": None,
    }
    assert groups["unknown"]["gender"] == {"counts": {}, "mode": None}


def test_totals_are_over_all_rows():
    total = statistics.describe(FRAME)["total"]
    assert total["rows"] == 6
    assert total["income"]["count"] == 5
    assert total["income"]["median"] == 1000.0
    assert total["gender"]["counts"] == {"f": 2, "m": 2}


def test_no_rows_give_an_empty_table():
    table = statistics.describe(FRAME.iloc[:0])
    assert table["groups"] == []
    assert table["total"]["rows"] == 0
    json.dumps(table, allow_nan=False)


def test_other_columns_can_be_grouped():
    frame = FRAME.rename(columns={"region": "city"})
    table = statistics.describe(frame, by="city", numeric=("income",), categorical=())
    assert table["groups"][0]["city"] == "North"
    assert set(table["groups"][0]) == {"city", "rows", "income"}


def test_there_is_nothing_to_beat():
    card = statistics.card(FRAME)
    assert card.beats_rule
    json.dumps(card.to_json(), allow_nan=False)
