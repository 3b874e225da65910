"""Columns of a foreign file as dates, numbers and outcomes, or one clear sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from analytics.ml.base import Note

BAD_SHARE = 0.01  # above this the column is not what it was said to be
TEXT_NAMES = ("text", "question", "message", "description", "content", "subject")
LABEL_NAMES = ("label", "category", "intent", "class", "target", "type")
SOURCE_NAMES = ("source", "origin", "channel", "lead_source", "source_channel")
ANY = "any"
DAY_MONTH = re.compile(r"^\s*(\d{1,2})[/.-](\d{1,2})[/.-]\d{2,4}")


class InputError(ValueError):
    """What is wrong with the input, in one sentence for the user."""


def need(frame: pd.DataFrame, *names: str | None) -> None:
    """Raise InputError for the first column that is not there."""
    for name in names:
        if name is not None and name not in frame.columns:
            listed = ", ".join(str(column) for column in frame.columns[:30])
            raise InputError(f"There is no column {name}; the file has: {listed}.")


def guess(frame: pd.DataFrame, names: Iterable[str]) -> str | None:
    """Return the first column that has one of the names, whatever its case."""
    found = {str(column).strip().lower(): column for column in frame.columns}
    return next((found[name] for name in names if name in found), None)


def text_columns(
    frame: pd.DataFrame, text: str | None, label: str | None
) -> tuple[str, str]:
    """Return the columns of text and label: as said, by name, or the only two."""
    need(frame, text, label)
    text = text or guess(frame, [n for n in TEXT_NAMES if n != label])
    label = label or guess(frame, [n for n in LABEL_NAMES if n != text])
    others = [name for name in frame.columns if name not in (text, label)]
    if text is None and label is not None and len(others) == 1:
        text = others[0]
    if label is None and text is not None and len(others) == 1:
        label = others[0]
    if text is None or label is None:
        listed = ", ".join(str(column) for column in frame.columns[:30])
        raise InputError(
            f"Say which column is the text and which the label; the file has: {listed}."
        )
    return text, label


def dates(frame: pd.DataFrame, name: str) -> tuple[pd.Series, list[Note]]:
    """Return a column as times without a zone."""
    raw = frame[name].astype("string").str.strip()
    raw = raw.mask(raw == "")
    first = raw.dropna().str.extract(DAY_MONTH)[0].dropna().astype(int)
    parsed = pd.to_datetime(
        raw,
        errors="coerce",
        format="mixed",
        # 31/12/2010 can only be read in one way, so the others are read alike.
        dayfirst=bool((first > 12).any()),
        utc=True,
    ).dt.tz_localize(None)
    if not raw.notna().any():
        raise InputError(f"Column {name} is empty; it has to hold dates.")
    return parsed, _unread(raw, parsed, name, "a date")


def numbers(frame: pd.DataFrame, name: str) -> tuple[pd.Series, list[Note]]:
    """Return a column as numbers; 1,234.50 and 1.234,50 are both understood."""
    raw = frame[name].astype("string").str.replace(r"[^\d,.\-+eE]", "", regex=True)
    raw = raw.mask(raw == "")
    both = raw.str.contains(",", regex=False) & raw.str.contains(".", regex=False)
    comma_last = raw.str.rfind(",") > raw.str.rfind(".")
    alone = ~both & raw.str.contains(r",\d{1,2}$", regex=True)
    decimal_comma = ((both & comma_last) | alone).fillna(False).astype(bool)
    continental = raw.str.replace(".", "", regex=False).str.replace(",", ".")
    plain = raw.str.replace(",", "", regex=False)
    parsed = pd.to_numeric(plain.mask(decimal_comma, continental), errors="coerce")
    parsed = parsed.astype(float)
    if not raw.notna().any():
        raise InputError(f"Column {name} holds no numbers.")
    return parsed, _unread(raw, parsed, name, "a number")


def outcome(frame: pd.DataFrame, name: str, value: str) -> pd.Series:
    """Return 1 where the column has the value; "any" stands for anything filled."""
    raw = frame[name].astype("string").str.strip().fillna("")
    if value.lower() in (ANY, "any non-empty", "*") and not (raw == value).any():
        found = raw != ""
    else:
        found = raw == value
        if not found.any():
            seen = ", ".join(raw.value_counts().index[:8])
            raise InputError(f"Column {name} never holds {value}; it holds: {seen}.")
    if found.all():
        raise InputError(
            f"Every row has the outcome {value} in column {name}: "
            "there is only one class, so nothing can be learned."
        )
    if not found.any():
        raise InputError(
            f"Column {name} is empty in every row: there is only one class."
        )
    return found.astype(int)


def transactions(
    frame: pd.DataFrame, customer: str, date: str, amount: str | None
) -> tuple[pd.DataFrame, list[Note]]:
    """Return customer, date and amount; rows without a customer are left out."""
    need(frame, customer, date, amount)
    when, notes = dates(frame, date)
    table = pd.DataFrame({"customer": frame[customer].astype("string").str.strip()})
    table["date"] = when
    if amount is not None:
        table["amount"], more = numbers(frame, amount)
        notes += more
    table = table[(table["customer"].fillna("") != "") & table["date"].notna()]
    if amount is not None:
        table = table[table["amount"].notna()]
    if len(table) < len(frame):
        notes.append(Note("rows_left_out", {"count": len(frame) - len(table)}))
    if table.empty:
        raise InputError("No row has both a customer and a date.")
    table["customer"] = table["customer"].astype(object)
    return table, notes


def _unread(raw: pd.Series, parsed: pd.Series, name: str, what: str) -> list[Note]:
    """Raise where many values cannot be read, else note how many were left out."""
    bad = np.flatnonzero((raw.notna() & parsed.isna()).to_numpy())
    if not len(bad):
        return []
    if len(bad) > BAD_SHARE * raw.notna().sum():
        row = int(bad[0])
        raise InputError(
            f"Row {row + 2}, column {name}: {raw.iloc[row]} is not {what}"
            f" ({len(bad)} of {raw.notna().sum()} values are not)."
        )
    return [Note("unreadable_values", {"count": len(bad), "column": name})]
