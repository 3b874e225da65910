"""Model files: what was tampered with, cut or outdated is never loaded."""

import json
import zlib

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from analytics.ml import artefacts
from analytics.ml.artefacts import StaleArtefact

KEY = b"a key of the installation"


@pytest.fixture(scope="module")
def model():
    x = np.arange(20.0).reshape(-1, 1)
    return LogisticRegression().fit(x, x[:, 0] > 9)


@pytest.fixture(scope="module")
def blob(model):
    return artefacts.dumps(model, key=KEY, data_hash="abc", meta={"as_of": "today"})


def test_a_model_comes_back_with_hash_and_meta(model, blob):
    found = artefacts.loads(blob, key=KEY, data_hash="abc")
    x = np.array([[3.0], [15.0]])
    assert (found.model.predict_proba(x) == model.predict_proba(x)).all()
    assert found.data_hash == "abc"
    assert found.meta == {"as_of": "today"}


def test_a_buffer_of_the_database_is_as_good_as_bytes(blob):
    assert artefacts.loads(memoryview(blob), key=KEY).data_hash == "abc"


def test_every_changed_byte_is_noticed(blob):
    for place in {0, 10, 70, 100, len(blob) // 2, len(blob) - 1}:
        changed = bytearray(blob)
        changed[place] ^= 1
        with pytest.raises(StaleArtefact):
            artefacts.loads(bytes(changed), key=KEY)


@pytest.mark.parametrize("junk", [b"", b"\n", b"x" * 500, b"a b\nc", b"\x00" * 99])
def test_what_is_no_model_file_is_stale(junk):
    with pytest.raises(StaleArtefact):
        artefacts.loads(junk, key=KEY)


def test_a_cut_file_is_stale(blob):
    with pytest.raises(StaleArtefact):
        artefacts.loads(blob[:-10], key=KEY)


def test_another_key_or_other_data_is_stale(blob):
    with pytest.raises(StaleArtefact, match="signature"):
        artefacts.loads(blob, key=b"another")
    with pytest.raises(StaleArtefact, match="other data"):
        artefacts.loads(blob, key=KEY, data_hash="abd")


def test_no_key_signs_nothing(model):
    with pytest.raises(ValueError, match="key"):
        artefacts.dumps(model, key=b"")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": artefacts.FORMAT_VERSION + 1}, "format"),
        ({"magic": "other"}, "format"),
        ({"libraries": {"sklearn": "0.1"}}, "library versions"),
    ],
)
def test_a_signed_file_of_another_time_is_stale(blob, change, said):
    head, _, payload = blob.partition(b"\n")
    header = json.loads(head.partition(b" ")[2]) | change
    line = json.dumps(header, sort_keys=True).encode()
    signed = artefacts._sign(KEY, line, payload) + b" " + line + b"\n" + payload
    with pytest.raises(StaleArtefact, match=said):
        artefacts.loads(signed, key=KEY)


def test_foreign_types_are_not_built(model):
    payload = zlib.compress(skops.io.dumps({"call": json.JSONDecoder}))
    head = artefacts.dumps(model, key=KEY).partition(b"\n")[0].partition(b" ")[2]
    signed = artefacts._sign(KEY, head, payload) + b" " + head + b"\n" + payload
    with pytest.raises(StaleArtefact, match="foreign"):
        artefacts.loads(signed, key=KEY)


def test_files_are_written_whole_or_not_at_all(tmp_path, model):
    path = tmp_path / "models" / "one.model"
    artefacts.save(path, model, key=KEY, data_hash="1")
    assert artefacts.load(path, key=KEY).data_hash == "1"
    with pytest.raises(Exception, match="."):
        artefacts.save(path, lambda: None, key=b"")
    assert artefacts.load(path, key=KEY).data_hash == "1"
    assert [found.name for found in path.parent.iterdir()] == ["one.model"]


def test_a_missing_file_is_stale(tmp_path):
    with pytest.raises(StaleArtefact):
        artefacts.load(tmp_path / "nothing", key=KEY)


def test_the_data_hash_knows_values_columns_and_types_but_no_order():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]})
    first = artefacts.hash_frame(frame)
    assert artefacts.hash_frame(frame.iloc[::-1]) == first
    assert artefacts.hash_frame(frame[["b", "a"]]) == first
    changed = [
        frame.assign(a=[1, 2, 4]),
        frame.assign(b=["x", None, "y"]),
        frame.rename(columns={"a": "c"}),
        frame.head(2),
        frame.assign(a=frame["a"] * 1.5),
    ]
    assert len({first, *map(artefacts.hash_frame, changed)}) == 6
