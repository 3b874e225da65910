"""Every code that the library may say has words on the pages."""

from analytics import words
from analytics.ml import rfm
from analytics.ml.clusters import LEVELS
from analytics.ml.messages import MESSAGES


def test_every_note_has_a_sentence():
    assert not set(MESSAGES) - set(words.NOTES)


def test_every_sentence_takes_the_values_of_its_note():
    class Anything(dict):
        def __missing__(self, key):
            self[key] = 0.5
            return 0.5

    for code, english in MESSAGES.items():
        params = Anything()
        english.format_map(params)
        said = words.note({"code": code, "params": params, "text": "not this"})
        assert said != "not this"
        assert "{" not in said


def test_every_behaviour_and_cluster_part_has_words():
    assert set(rfm.LABEL_KEYS) == set(words.RFM)
    for part, levels in LEVELS.values():
        assert set(levels) == set(words.CLUSTER_PARTS[part])


def test_a_cluster_has_a_name_in_words():
    key = {"value": "high", "frequency": "often", "recency": "recent", "number": "2"}
    name = words.cluster_name(key)
    assert name == "High value, buys often, bought lately (2)"
    assert words.cluster_name({}) == "Group"
