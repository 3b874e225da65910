"""Cards and figures, and that the library stands on its own."""

import json
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import analytics.ml
from analytics.ml.base import (
    HIGHER,
    LOWER,
    ZERO,
    Card,
    Figure,
    Note,
    NotEnoughHistory,
    Rule,
    figures,
    gate,
    plain,
)
from analytics.ml.messages import MESSAGES, say
from analytics.tests.ml.public_data import ROOT

FOLDER = Path(analytics.ml.__file__).parent


def card(ours, theirs, better=HIGHER):
    rule = Rule("rule", {"it": Figure("it", theirs, better)})
    own = {"it": Figure("it", ours, better)}
    return Card("key", "algorithm", 10, figures=own, main_figure="it", simple_rule=rule)


@pytest.mark.parametrize(
    ("better", "ours", "theirs", "beats"),
    [
        (HIGHER, 0.8, 0.7, True),
        (HIGHER, 0.7, 0.7, False),
        (LOWER, 0.7, 0.8, True),
        (LOWER, 0.8, 0.7, False),
        (ZERO, -0.1, 0.2, True),
        (ZERO, -0.3, 0.2, False),
        (HIGHER, float("nan"), 0.2, False),
        (LOWER, 0.5, float("nan"), True),
    ],
)
def test_a_model_beats_its_rule_only_when_better(better, ours, theirs, beats):
    assert card(ours, theirs, better).beats_rule is beats


def test_no_history_beats_nothing():
    found = NotEnoughHistory("key", Note("too_few_rows", {"rows": 1, "needed": 9}), 1)
    assert found.model is None
    assert not found.card.beats_rule
    data = found.card.to_json()
    assert data["enough_history"] is False
    assert data["reason"]["text"] == (
        "Not enough history: 1 usable rows, 9 are needed."
    )


def test_gates_name_the_first_thing_missing():
    assert gate("key", 5, ("too_few_rows", 5, 5)) is None
    found = gate("key", 5, ("too_few_rows", 5, 5), ("no_repeat", 1, 2))
    assert found.reason == Note("no_repeat", {"rows": 1, "needed": 2})


def test_a_card_is_json_whatever_it_holds():
    odd = {
        "nan": np.float64("nan"),
        "inf": float("inf"),
        "array": np.arange(3),
        "flag": np.bool_(True),
        "when": pd.Timestamp("2024-05-01 10:00"),
        "day": date(2024, 5, 1),
        "never": pd.NaT,
        5: (1, 2),
    }
    full = Card(
        "key",
        "algorithm",
        np.int64(3),
        figures=figures({}, auc=np.float64(0.5), gone=float("nan")),
        details=odd,
        window_start=datetime(2024, 1, 1),  # noqa: DTZ001
        window_end=pd.NaT,
        warnings=[Note("sampled", {"sample": np.int64(1), "rows": 2})],
    )
    data = json.loads(json.dumps(full.to_json(), allow_nan=False))
    assert data["figures"] == {"auc": 0.5, "gone": None}
    assert data["details"]["array"] == [0, 1, 2]
    assert data["details"]["never"] is None
    assert data["details"]["when"] == "2024-05-01T10:00:00"
    assert data["details"]["5"] == [1, 2]
    assert data["window_end"] is None
    assert plain("text") == "text"


def test_every_code_has_words_and_unknown_ones_pass():
    assert say("a code of tomorrow", {"x": 1}) == "a code of tomorrow"
    used = set()
    for path in FOLDER.glob("*.py"):
        for part in path.read_text().split('Note("')[1:]:
            used.add(part.partition('"')[0])
    assert len(used) > 15
    assert used <= set(MESSAGES)


def test_the_library_imports_no_web_framework():
    modules = [f"analytics.ml.{path.stem}" for path in FOLDER.glob("*.py")]
    modules = [name for name in modules if not name.endswith("__init__")]
    assert len(modules) > 15
    code = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "print([n for n in sys.modules if n.partition('.')[0] == 'django'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.strip() == "[]"
