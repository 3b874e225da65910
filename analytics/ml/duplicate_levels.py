"""Compare two normalised customers field by field: how far does each agree?

A level is a small number, 0 for "differs" and the higher the more alike; -1 where one
of the two says nothing. ``LEVELS`` names them.
"""

from __future__ import annotations

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler

from analytics.ml.duplicate_fields import CJK_RUN, Fields, turned

MISSING, DIFFERS = -1, 0
LEVELS = {
    "name": ("differs", "part", "shorter", "typo", "written", "same"),
    "phone": ("differs", "typo", "same"),
    "email": ("differs", "typo", "local", "same"),
    "street": ("differs", "part", "typo", "same"),
    "place": ("differs", "typo", "part", "same"),
    "birth": ("differs", "typo", "same"),
    "number": ("differs", "typo", "same"),
    "kind": ("differs", "same"),
}
FIELDS = tuple(LEVELS)
PHONE_DIGITS = 8


def levels_of(a: Fields, b: Fields) -> tuple[int, ...]:
    """Return the levels of all fields but the kind, in the order of ``LEVELS``."""
    return (
        name_level(a, b),
        phone_level(a.phone, b.phone),
        mail_level(a.email, b.email),
        street_level(a.street, b.street),
        place_level(a, b),
        birth_level(a.birth, b.birth),
        number_level(a.number, b.number),
    )


def name_level(a: Fields, b: Fields) -> int:
    """Compare names: by words, by characters, and by how they sound."""
    if not a.name or not b.name:
        return MISSING
    if a.name == b.name:
        return 5
    ones, others = a.name.split(" "), b.name.split(" ")
    if sorted(ones) == sorted(others):
        return 5
    if numbers(ones) != numbers(others):
        return 1 if set(ones) & set(others) else DIFFERS
    if sounds_alike(a, b, ones, others):
        return 4
    is_cjk = bool(CJK_RUN.search(a.name)), bool(CJK_RUN.search(b.name))
    if all(is_cjk):
        return chinese_level(a.name, b.name)
    if any(is_cjk):
        near = OSA.distance(a.spellings.split("/")[0], b.spellings.split("/")[0]) == 1
        return 3 if near and min(len(a.spellings), len(b.spellings)) > 5 else DIFFERS
    return latin_level(ones, others)


def sounds_alike(a: Fields, b: Fields, ones: list[str], others: list[str]) -> bool:
    """Tell whether two names read the same, whatever the script, order and spaces."""
    left, right = set(a.spellings.split("/")), set(b.spellings.split("/"))
    if left & right:
        return True
    if len(a.spellings) != len(b.spellings) and len(left) == len(right) == 1:
        return False
    return bool(left & turned(others)) or bool(turned(ones) & right)


def chinese_level(one: str, other: str) -> int:
    """Compare Chinese names: one other character of three is another person."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) >= 4 and shorter in longer:
        return 2
    if len(shorter) >= 4 and OSA.distance(one, other) == 1:
        return 3
    return 1 if len(shorter) >= 3 and one[1:] == other[1:] else DIFFERS


def latin_level(ones: list[str], others: list[str]) -> int:
    """Compare names word by word, whatever their order."""
    shorter, longer = sorted((ones, others), key=len)
    left = list(longer)
    whole = initials = 0
    for word in sorted(shorter, key=len, reverse=True):
        best = max(left, key=lambda one: word_alike(word, one))
        alike = word_alike(word, best)
        if alike >= 1:
            whole += len(word) >= 2
            initials += alike == 1
            left.remove(best)
    matched = len(longer) - len(left)
    if matched == len(shorter) and whole:
        if not left and not initials:
            return 3
        if sum(map(len, shorter)) > 3:
            return 2
    joined = "".join(sorted(shorter)), "".join(sorted(longer))
    if OSA.normalized_similarity(*joined) >= 0.86:
        return 3
    return 1 if whole - initials > 0 else DIFFERS


def word_alike(one: str, other: str) -> float:
    """Return 3 for the same word, 2 for a typing error, 1 for an initial, else 0."""
    if one == other:
        return 3
    if len(one) == 1 or len(other) == 1:
        return float(one[0] == other[0])
    size = min(len(one), len(other))
    allowed = 0 if size < 3 else 1 if size < 6 else 2
    if OSA.distance(one, other, score_cutoff=allowed) <= allowed:
        return 2
    is_near = size > 4 and JaroWinkler.similarity(one, other) >= 0.93
    return 2 if is_near else 0


def numbers(words: list[str]) -> set[str]:
    """Return the numbers among words: shop 12 is not shop 13."""
    return {word for word in words if word[0].isdigit()}


def phone_level(one: str, other: str) -> int:
    """Compare numbers; one may lack the code of the country or the town."""
    if not one or not other:
        return MISSING
    shorter, longer = sorted((one, other), key=len)
    if one == other or (len(shorter) >= PHONE_DIGITS and longer.endswith(shorter)):
        return 2
    if len(shorter) < PHONE_DIGITS - 1:
        return DIFFERS
    near = OSA.distance(shorter, longer[-len(shorter) :], score_cutoff=1) <= 1
    return 1 if near or OSA.distance(one, other, score_cutoff=1) <= 1 else DIFFERS


def mail_level(one: str, other: str) -> int:
    """Compare addresses; other numbers in them are other mailboxes."""
    if not one or not other:
        return MISSING
    if one == other:
        return 3
    left, right = one.rpartition("@")[0], other.rpartition("@")[0]
    if left == right:
        return 2 if len(left) >= 5 else DIFFERS
    digits = [[c for c in text if c.isdigit()] for text in (left, right)]
    near = OSA.distance(one, other, score_cutoff=2) <= 2
    return 1 if near and digits[0] == digits[1] and len(left) >= 5 else DIFFERS


def street_level(one: str, other: str) -> int:
    """Compare streets with their numbers."""
    if not one or not other:
        return MISSING
    ones, others = sorted(one.split(" ")), sorted(other.split(" "))
    if ones == others:
        return 3
    left, right = numbers(ones), numbers(others)
    alike = fuzz.ratio(" ".join(ones), " ".join(others))
    if alike >= 80 and (left <= right or right <= left):
        return 2
    texts = [
        " ".join(word for word in some if word not in left | right)
        for some in (one.split(" "), other.split(" "))
    ]
    if not all(texts):
        return DIFFERS
    if fuzz.token_set_ratio(*texts) >= 80:
        return 1
    if not left & right:
        return DIFFERS
    # The same house number: a part left out or broken otherwise may be forgiven.
    joined = [text.replace(" ", "") for text in texts]
    is_near = fuzz.ratio(*texts) >= 65 or fuzz.partial_ratio(*joined) >= 80
    return 1 if is_near else DIFFERS


def place_level(a: Fields, b: Fields) -> int:
    """Compare postal code and town: both, one of them, or one nearly."""
    codes = bool(a.postcode and b.postcode)
    towns = bool(a.city and b.city)
    if not codes and not towns:
        return MISSING
    same_code = codes and a.postcode == b.postcode
    same_town = towns and a.city == b.city
    if (same_code or not codes) and (same_town or not towns):
        return 3 if same_code else 2
    if same_code or same_town:
        return 2
    near_code = codes and OSA.distance(a.postcode, b.postcode, score_cutoff=1) <= 1
    near_town = towns and fuzz.ratio(a.city, b.city) >= 80
    return 1 if near_code or near_town else DIFFERS


def birth_level(one: str, other: str) -> int:
    """Compare birth dates: one digit wrong, or day and month exchanged."""
    if not one or not other:
        return MISSING
    if one == other:
        return 2
    turned_round = one[:4] == other[:4] and one[4:] == other[6:] + other[4:6]
    near = turned_round or OSA.distance(one, other, score_cutoff=1) <= 1
    return 1 if near else DIFFERS


def number_level(one: str, other: str) -> int:
    """Compare numbers that an office gave."""
    if not one or not other:
        return MISSING
    if one == other:
        return 2
    near = min(len(one), len(other)) > 5 and OSA.distance(one, other) == 1
    return 1 if near else DIFFERS
