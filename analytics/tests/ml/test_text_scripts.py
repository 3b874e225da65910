"""English and Chinese texts are read by a classifier each, where there are enough."""

import numpy as np
import pytest

from analytics.ml import artefacts
from analytics.ml.text import TicketModel
from analytics.ml.text_scripts import ALL, CJK, OTHER, OWN_ROWS, ByScript, scripts_of

ENGLISH = {
    "delivery": ["where is my parcel", "the parcel is late"],
    "invoice": ["send the invoice", "the invoice is wrong"],
}
CHINESE = {
    "delivery": ["我的包裹在哪里", "包裹还没到"],
    "refund": ["我要退款", "退款什么时候到账"],
}


def rows_of(texts, count):
    rows = [
        (f"{text} {number}", label)
        for number in range(count)
        for label, some in texts.items()
        for text in some
    ]
    return [text for text, _ in rows], [label for _, label in rows]


@pytest.fixture(scope="module")
def mixed():
    english = rows_of(ENGLISH, OWN_ROWS // 4 + 1)
    chinese = rows_of(CHINESE, OWN_ROWS // 4 + 1)
    return english[0] + chinese[0], english[1] + chinese[1]


@pytest.fixture(scope="module")
def model(mixed):
    return ByScript().fit(*mixed)


def test_one_chinese_character_makes_a_text_chinese():
    found = scripts_of(["打开qq", "camera360", "", "x 中"])
    assert found.tolist() == [CJK, OTHER, OTHER, CJK]


def test_each_script_has_a_part_of_its_own_with_its_own_classes(model):
    assert set(model.parts_) == {CJK, OTHER}
    assert model.classes_.tolist() == ["delivery", "invoice", "refund"]
    assert model.parts_[CJK].classes_.tolist() == ["delivery", "refund"]
    assert model.parts_[OTHER].classes_.tolist() == ["delivery", "invoice"]


def test_no_text_gets_a_class_that_its_script_never_had(model):
    found = model.predict_proba(["the parcel is late", "包裹还没到"])
    assert np.allclose(found.sum(axis=1), 1)
    assert found[0, 2] == 0
    assert found[1, 1] == 0
    assert model.predict(["send the invoice", "我要退款"]).tolist() == [
        "invoice",
        "refund",
    ]


def test_what_was_held_back_speaks_of_all_classes(model):
    assert model.held_probability_.shape == (len(model.held_codes_), 3)
    right = model.held_probability_.argmax(axis=1) == model.held_codes_
    assert right.mean() > 0.9


def test_reasons_come_from_the_part_that_read_the_text(model):
    code = model.classes_.tolist().index
    assert model.contributions("send the invoice", code("invoice"))
    assert model.contributions("我要退款", code("refund"))
    assert model.contributions("我要退款", code("invoice")) == []


def test_few_rows_of_one_script_learn_with_the_others():
    english = rows_of(ENGLISH, OWN_ROWS // 4 + 1)
    chinese = rows_of(CHINESE, 3)
    model = ByScript().fit(english[0] + chinese[0], english[1] + chinese[1])
    assert set(model.parts_) == {ALL}
    assert model.predict(["我要退款"]).tolist() == ["refund"]


def test_later_rows_are_learned_by_the_same_parts(mixed):
    model = ByScript().fit(*mixed)
    texts = mixed[0] + ["the handle is broken", "the handle broke"] * 20
    labels = mixed[1] + ["damage"] * 40
    model.refit(texts, labels)
    assert "damage" in model.parts_[OTHER].classes_
    assert model.predict(["handle broke", "我要退款"]).tolist() == ["damage", "refund"]


def test_model_of_two_scripts_survives_a_file(mixed):
    model = TicketModel().fit(*mixed)
    key = b"k" * 32
    again = artefacts.loads(artefacts.dumps(model, key=key), key=key).model
    texts = ["send the invoice", "我要退款"]
    assert np.allclose(
        again.predict_proba(texts), model.predict_proba(texts), atol=0.01
    )
