"""How a file is written: encoding, delimiter, quoting, where its header stands."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import asdict, dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any

from crm.importing.encodings import detect, open_bytes, refuse_noise
from crm.importing.notes import delimiter_in

SAMPLE_LINES = 200
SAMPLE_CHARS = 256 * 1024
DELIMITERS = ",;\t|^~\x1f\x01"
QUOTES = "\"'"


@dataclass(frozen=True)
class Dialect:
    """How to read one file. ``header_row`` counts from 1; 0 means there is none."""

    kind: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    quotechar: str = '"'
    header_row: int = 1
    sheet: str = ""
    is_certain: bool = True

    @classmethod
    def load(cls, data: dict[str, Any]) -> Dialect:
        """Return the dialect kept in a JSON field."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in data.items() if key in known})

    def dump(self) -> dict[str, Any]:
        """Return what load() takes."""
        return asdict(self)

    def csv_options(self) -> dict[str, Any]:
        """Return the options of csv.reader."""
        if not self.quotechar:
            return {"delimiter": self.delimiter, "quoting": csv.QUOTE_NONE}
        return {"delimiter": self.delimiter, "quotechar": self.quotechar}


def sniff_text(path: Path, encoding: str = "", delimiter: str = "") -> Dialect:
    """Find out how a text file is written; what is given is not guessed."""
    certain = True
    if not encoding:
        guess = detect(path)
        encoding, certain = guess.encoding, guess.is_certain
    sample = read_sample(path, encoding)
    if not delimiter:
        delimiter = find_delimiter(sample)
    quote = find_quotechar(sample, delimiter)
    # Some delimiters are control characters.
    refuse_noise(sample.replace(delimiter, ""))
    return Dialect(
        encoding=encoding,
        delimiter=delimiter,
        quotechar='"' if delimiter_in(sample, delimiter) else quote,
        is_certain=certain,
    )


def codec(encoding: str) -> str:
    """Return the codec that also takes away a byte order mark."""
    return "utf-8-sig" if encoding == "utf-8" else encoding


def read_sample(path: Path, encoding: str) -> str:
    """Return the first lines of a text file."""
    with (
        open_bytes(path) as raw,
        io.TextIOWrapper(raw, codec(encoding), "crm.importing", newline="") as text,
    ):
        lines = islice(iter(lambda: text.readline(SAMPLE_CHARS), ""), SAMPLE_LINES)
        kept, size = [], 0
        for line in lines:
            kept.append(line)
            size += len(line)
            if size >= SAMPLE_CHARS:
                break
    return "".join(kept).lstrip("\ufeff")


def find_delimiter(sample: str) -> str:
    """Return the delimiter that cuts most rows into the same number of cells."""
    if own := delimiter_in(sample, DELIMITERS):
        return own
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        if delimiter not in sample:
            continue
        score = _score(sample, delimiter)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _score(sample: str, delimiter: str) -> float:
    """Return how well the delimiter fits; 0 where it cuts nothing."""
    lines = io.StringIO(sample, newline="")
    try:
        # The last row may be cut off.
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return 0.0
    if len(rows) > 2:
        rows = rows[:-1]
    widths = Counter(len(row) for row in rows)
    if not widths:
        return 0.0
    width, count = widths.most_common(1)[0]
    header = len(rows[0])
    if width == 1:
        return 0.01 if header > 1 else 0.0
    agreement = count / len(rows)
    # A header that agrees with its rows weighs most; then many cells beat few.
    return agreement * (2 if header == width else 1) + min(width, 20) / 100


def find_quotechar(sample: str, delimiter: str) -> str:
    """Return the sign around values: the double one unless the single one is used."""
    counts = {
        sign: sample.count(f"{delimiter}{sign}") + sample.count(f"{sign}{delimiter}")
        for sign in QUOTES
    }
    return "'" if counts["'"] >= 2 and not counts['"'] and '"' not in sample else '"'
