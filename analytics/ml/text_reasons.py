"""Why a text got its class: the words that speak for it, in a form people read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from analytics.ml.text_features import CJK_CHARACTER

READABLE = ("word", "pair", "character", "piece")  # reasons are of the first kind found


class Speaker(NamedTuple):
    """A feature that speaks for a class, and how much."""

    block: str
    feature: str
    weight: float


def reasons(speakers: Iterable[Speaker], limit: int) -> list[dict]:
    """Return the features that speak most, of the most readable kind there is."""
    speaking: dict[str, list[dict]] = {}
    for block, feature, weight in speakers:
        reason = {"feature": feature.strip(), "weight": weight}
        speaking.setdefault(readability(block, feature), []).append(reason)
    for kind in READABLE:
        if kind in speaking:
            ordered = sorted(speaking[kind], key=lambda r: -r["weight"])
            return _without_repeats(ordered, limit)
    return []


def readability(block: str, feature: str) -> str:
    """Return how well a person can read a feature; one CJK character says little."""
    if block == "pairs":
        return "pair"
    shown = feature.strip()
    if CJK_CHARACTER.search(shown):
        whole = len(shown) > 1 and all(CJK_CHARACTER.match(c) for c in shown)
        return "word" if whole else "character"
    return "word" if block == "words" else "piece"


def _without_repeats(reasons: list[dict], limit: int) -> list[dict]:
    """Return the first reasons that say something the earlier ones do not."""
    kept: list[dict] = []
    for reason in reasons:
        feature = reason["feature"]
        if any(feature in other["feature"] for other in kept):
            continue
        part = next((other for other in kept if other["feature"] in feature), None)
        if part is None:
            kept.append(dict(reason))
        elif CJK_CHARACTER.search(feature):  # 浏览器 says more than 览器
            part["feature"] = feature
            part["weight"] += reason["weight"]
    kept.sort(key=lambda reason: -reason["weight"])
    return [r | {"weight": round(r["weight"], 4)} for r in kept[:limit]]
