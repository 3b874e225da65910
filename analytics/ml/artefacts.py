"""Model files: no pickle, signed, versioned, written whole or not at all.

An artefact is one header line of JSON and a compressed skops payload. Workers on
other hosts share it as bytes through the database; a folder of files serves one host.
Whatever does not fit (another format, another key, a cut file, another library
version) raises `StaleArtefact`, and the caller trains again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy
import sklearn
import skops.io

from analytics.ml.base import plain

FORMAT_VERSION = 1
MAGIC = "crm-model"
TRUSTED = ("analytics.ml.", "sklearn.")  # the signature vouches for the rest
MAX_HEADER = 65_536


class StaleArtefact(Exception):
    """The stored model cannot be used; train again."""


@dataclass(frozen=True)
class Artefact:
    """A loaded model with what was kept beside it."""

    model: Any
    data_hash: str
    meta: dict[str, Any]


def dumps(
    model: Any,
    *,
    key: bytes,
    data_hash: str = "",
    meta: Mapping[str, Any] | None = None,
) -> bytes:
    """Serialise a model and sign it with the key."""
    payload = zlib.compress(skops.io.dumps(model), 1)
    header = {
        "magic": MAGIC,
        "format": FORMAT_VERSION,
        "libraries": _libraries(),
        "size": len(payload),
        "data_hash": data_hash,
        "meta": plain(dict(meta or {})),
    }
    line = json.dumps(header, sort_keys=True).encode()
    return _sign(key, line, payload) + b" " + line + b"\n" + payload


def loads(blob: bytes, *, key: bytes, data_hash: str | None = None) -> Artefact:
    """Check and load a model; with a data hash given, it must be the stored one."""
    blob = bytes(blob)
    head, newline, payload = blob.partition(b"\n")
    signature, space, line = head.partition(b" ")
    if not newline or not space or len(head) > MAX_HEADER:
        raise StaleArtefact("not a model file")
    # The signature comes first: nothing of an unsigned file is ever interpreted.
    if not hmac.compare_digest(signature, _sign(key, line, payload)):
        raise StaleArtefact("the signature does not match")
    header = _header(line)
    if data_hash is not None and header["data_hash"] != data_hash:
        raise StaleArtefact("trained on other data")
    return Artefact(_unpack(payload), header["data_hash"], header["meta"])


def save(path: Path | str, model: Any, **kwargs: Any) -> Path:
    """Write a model file so that a reader sees the old one or the new, never half."""
    path = Path(path)
    blob = dumps(model, **kwargs)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(blob)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def load(path: Path | str, *, key: bytes, data_hash: str | None = None) -> Artefact:
    """Load a model file; a missing one is as stale as a damaged one."""
    try:
        blob = Path(path).read_bytes()
    except OSError as error:
        raise StaleArtefact(f"cannot be read: {error.strerror}") from error
    return loads(blob, key=key, data_hash=data_hash)


def hash_frame(frame: pd.DataFrame) -> str:
    """Return a hash of a frame's columns, types and values, whatever its row order."""
    digest = hashlib.sha256()
    rows = np.zeros(len(frame), dtype=np.uint64)
    for column in sorted(frame.columns, key=str):
        digest.update(f"{column}\0".encode())
        hashed = pd.util.hash_pandas_object(frame[column], index=False).to_numpy()
        # A multiplier between columns, so that swapped columns do not cancel out.
        rows = rows * np.uint64(0x9E3779B97F4A7C15) + hashed
    digest.update(np.sort(rows).tobytes())
    return digest.hexdigest()


def _sign(key: bytes, line: bytes, payload: bytes) -> bytes:
    if not key:
        raise ValueError("A model file needs a key to be signed with.")
    signer = hmac.new(key, line + b"\n", hashlib.sha256)
    signer.update(payload)
    return signer.hexdigest().encode()


def _header(line: bytes) -> dict[str, Any]:
    header = json.loads(line)
    if header.get("magic") != MAGIC or header.get("format") != FORMAT_VERSION:
        raise StaleArtefact("written in another format")
    if header["libraries"] != _libraries():
        raise StaleArtefact("written with other library versions")
    return header


def _unpack(payload: bytes) -> Any:
    try:
        payload = zlib.decompress(payload)
        unknown = skops.io.get_untrusted_types(data=payload)
        foreign = [name for name in unknown if not name.startswith(TRUSTED)]
        if foreign:
            raise StaleArtefact(f"holds foreign types: {', '.join(foreign)}")
        return skops.io.loads(payload, trusted=unknown)
    except StaleArtefact:
        raise
    except Exception as error:  # a class that moved, a field that is gone
        raise StaleArtefact(f"cannot be unpacked: {error}") from error


def _libraries() -> dict[str, str]:
    """Return the versions whose change makes a stored model worthless."""
    return {
        "sklearn": sklearn.__version__,
        "numpy": np.__version__.split(".")[0],
        "scipy": scipy.__version__.split(".")[0],
    }
