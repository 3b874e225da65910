"""Measure the search for duplicates on rows of which the truth is known."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from analytics.ml.base import Card, Figures, NotEnoughHistory, Rule, Trained, figures
from analytics.ml.base import gate as gate_of
from analytics.ml.duplicate_blocks import candidates
from analytics.ml.duplicate_fields import Normaliser, unpack
from analytics.ml.duplicates import KEY, WEIGHTS, Table, Weights, find, learn
from analytics.ml.inputs import InputError, need

Pairs = set[tuple[int, int]]
NEEDED_ROWS, NEEDED_PAIRS = 20, 10
# The fields of a customer that are compared, as the product names them.
COLUMNS = (
    "name",
    "phone",
    "email",
    "address",
    "postal_code",
    "city",
    "birth_date",
    "number",
)


def truth_of(frame: pd.DataFrame, name: str, pattern: str | None) -> list[str]:
    """Return what names the customer of each row: a column, or a part of it."""
    need(frame, name)
    texts = frame[name].astype("string").fillna("").str.strip()
    if not pattern:
        return texts.tolist()
    try:
        found = texts.str.extract(f"({pattern})")[0]
    except re.error as error:
        raise InputError(f"{pattern} is no regular expression: {error}.") from error
    if found.isna().any():
        row = int(np.flatnonzero(found.isna())[0])
        raise InputError(f"Row {row + 2}, column {name}: {texts.iloc[row]} lacks it.")
    return found.tolist()


def rows_of(
    frame: pd.DataFrame, given: Sequence[str], normaliser: Normaliser
) -> list[str]:
    """Return a file's rows packed; ``given`` says "field=column,column" where needed.

    A field that nobody placed is the column of its name; a date that is none is empty.
    """
    places = {name: [name] for name in COLUMNS if name in frame.columns}
    for one in given:
        field, _equals, names = one.partition("=")
        if field not in COLUMNS or not names:
            listed = ", ".join(COLUMNS)
            raise InputError(f"{one}: write FIELD=COLUMN, FIELD one of {listed}.")
        places[field] = names.split(",")
    need(frame, *(name for names in places.values() for name in names))
    if not places:
        raise InputError(f"No column is named like a field: {', '.join(COLUMNS)}.")
    texts = pd.DataFrame(
        {
            field: frame[names].astype("string").fillna("").agg(" ".join, axis=1)
            for field, names in places.items()
        }
    )
    if "birth_date" in texts:
        days = pd.to_datetime(
            texts["birth_date"].str.strip(), errors="coerce", format="mixed"
        )
        texts["birth_date"] = days.dt.strftime("%Y-%m-%d").fillna("")
    return [normaliser.prepare(**row).pack() for row in texts.to_dict("records")]


def evaluate(
    rows: Sequence[str], kinds: Sequence[int], truth: Sequence[Hashable]
) -> Trained | NotEnoughHistory:
    """Return the card of the fixed weights on packed rows; one truth, one customer.

    ``held_out_f1`` is measured with weights that were counted on one half of the
    customers, on the other half, and the other way round.
    """
    table = Table.of(rows, kinds)
    true = true_pairs(truth)
    missing = gate_of(
        KEY,
        len(rows),
        ("too_few_rows", len(rows), NEEDED_ROWS),
        ("too_few_positive", len(true), NEEDED_PAIRS),
    )
    if missing is not None:
        return missing
    found = find(table)
    blocked = {
        pair
        for left, right in candidates(rows)
        for pair in zip(left.tolist(), right.tolist(), strict=True)
    }
    measured = figures_of({(pair.left, pair.right) for pair in found.pairs}, true)
    own = figures(
        {},
        block_recall=len(blocked & true) / len(true),
        held_out_f1=held_out(rows, kinds, truth),
    )
    card = Card(
        key=KEY,
        algorithm="Fellegi-Sunter, fixed weights",
        rows=len(rows),
        split="all rows; held_out_f1: weights counted on the other half of customers",
        figures=measured | own,
        main_figure="f1",
        simple_rule=Rule("same name, birth date and town", same_rule(rows, true)),
        parameters={
            "pairs_true": len(true),
            "pairs_found": len(found.pairs),
            "pairs_compared": found.compared,
            "pairs_possible": len(rows) * (len(rows) - 1) // 2,
        },
    )
    return Trained(WEIGHTS, card)


def true_pairs(truth: Sequence[Hashable]) -> Pairs:
    """Return the pairs of row numbers that are one."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for number, one in enumerate(truth):
        groups[one].append(number)
    return {pair for rows in groups.values() for pair in combinations(rows, 2)}


def figures_of(found: Pairs, true: Pairs) -> Figures:
    """Return precision, recall and F1 of pairs."""
    hits = len(found & true)
    precision = hits / len(found) if found else 0.0
    recall = hits / len(true) if true else 0.0
    both = precision + recall
    f1 = 2 * precision * recall / both if both else 0.0
    return figures({}, f1=f1, precision=precision, recall=recall)


def same_rule(rows: Sequence[str], true: Pairs) -> Figures:
    """Return the figures of the rule that most people would begin with."""
    fields = [unpack(row) for row in rows]
    keys = [
        (one.name, one.birth, one.city) if one.name else number
        for number, one in enumerate(fields)
    ]
    return figures_of(true_pairs(keys), true)


def held_out(
    rows: Sequence[str], kinds: Sequence[int], truth: Sequence[Hashable]
) -> float:
    """Return the mean F1 of two halves, each with weights counted on the other."""
    names = {one: place for place, one in enumerate(dict.fromkeys(truth))}
    half = np.array([names[one] % 2 for one in truth])
    parts = [np.flatnonzero(half == side) for side in (0, 1)]
    tables = [
        Table.of([rows[i] for i in part], [kinds[i] for i in part]) for part in parts
    ]
    truths = [true_pairs([truth[i] for i in part]) for part in parts]
    return float(
        np.mean(
            [
                half_f1(tables[side], truths[side], counted(tables, truths, 1 - side))
                for side in (0, 1)
            ]
        )
    )


def counted(tables: Sequence[Table], truths: Sequence[Pairs], side: int) -> Weights:
    """Return the weights of a half; without a pair the fixed ones."""
    return learn(tables[side], sorted(truths[side])) if truths[side] else WEIGHTS


def half_f1(table: Table, true: Pairs, weights: Weights) -> float:
    """Return the F1 of one half."""
    found = find(table, weights=weights).pairs
    return figures_of({(pair.left, pair.right) for pair in found}, true)["f1"].value
