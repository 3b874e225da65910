"""Find pairs worth comparing: rows that share a key, as in every record linkage.

Comparing each with each is out of the question (a million rows have 5 × 10^11 pairs).
Each *kind* of key (the same phone number; a word of the name with the postal code …)
puts the rows into blocks; two rows of one block are a candidate pair. A block with more
than ``MOST`` rows is split by the name; what is still too large says nothing about its
rows and is left out.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from analytics.ml.duplicate_fields import CJK_RUN, Fields, unpack
from analytics.ml.duplicate_levels import PHONE_DIGITS

MOST = 40
# So many blocks, or pairs, are treated at a time.
PORTION = 100_000
CODES = str.maketrans("bfpvcgjkqsxzdtlmnr", "111122222222334556", "aeiouyhw")
Progress = Callable[[int, int], None]


def sound(word: str) -> str:
    """Return the first letter and the next three consonants, alike ones as one."""
    if not word.isascii():
        return word
    coded = word[1:].translate(CODES)
    found = word[:1]
    for letter in coded:
        if letter != found[-1]:
            found += letter
    return found[:4]


def letters(fields: Fields) -> list[str]:
    """Return the sorted letters of a name: order, spaces and script do not matter."""
    return ["".join(sorted(one)) for one in fields.spellings.split("/") if one]


def words(fields: Fields) -> list[str]:
    """Return the words of a name as they sound; of a Chinese name the whole."""
    if CJK_RUN.search(fields.name):
        return [fields.spellings.split("/")[0]]
    return [sound(one) for one in fields.name.split(" ") if len(one) > 1][:3]


def street_key(fields: Fields) -> str:
    """Return the sound of the longest word of the street."""
    found = [one for one in fields.street.split(" ") if not one[:1].isdigit()]
    return sound(max(found, key=len)) if found else ""


def number_key(fields: Fields) -> str:
    """Return the numbers of the street."""
    return " ".join(one for one in fields.street.split(" ") if one[:1].isdigit())


def by_phone(f: Fields) -> list[str]:
    return [f.phone[-PHONE_DIGITS:]] if f.phone else []


def by_mail(f: Fields) -> list[str]:
    return [f.email] if f.email else []


def by_mailbox(f: Fields) -> list[str]:
    local = f.email.rpartition("@")[0]
    return [local] if len(local) >= 5 else []


def by_name(f: Fields) -> list[str]:
    return letters(f)


def by_sound(f: Fields) -> list[str]:
    return [" ".join(sorted(words(f)))] if len(words(f)) > 1 else []


def by_name_and_birth(f: Fields) -> list[str]:
    return [f"{one} {f.birth}" for one in words(f)] if f.birth else []


def by_birth_and_place(f: Fields) -> list[str]:
    place = f.postcode or f.city
    return [f"{f.birth} {place}"] if f.birth and place else []


def by_name_and_postcode(f: Fields) -> list[str]:
    return [f"{one} {f.postcode}" for one in words(f)] if f.postcode else []


def by_name_and_city(f: Fields) -> list[str]:
    return [f"{one} {f.city}" for one in letters(f)] if f.city else []


def by_name_number_and_city(f: Fields) -> list[str]:
    house = number_key(f)
    return [f"{one} {house} {f.city}" for one in words(f)] if f.city and house else []


def by_birth_and_house(f: Fields) -> list[str]:
    house = number_key(f)
    return [f"{f.birth} {house}"] if f.birth and house else []


def by_number(f: Fields) -> list[str]:
    return [f.number] if f.number else []


def by_name_and_street(f: Fields) -> list[str]:
    street = street_key(f)
    return [f"{one} {street} {number_key(f)}" for one in words(f)] if street else []


def by_street(f: Fields) -> list[str]:
    street, number = street_key(f), number_key(f)
    if not street or not number:
        return []
    return [f"{number} {street} {one}" for one in (f.postcode, f.city) if one]


KINDS: dict[str, Callable[[Fields], list[str]]] = {
    "phone": by_phone,
    "email": by_mail,
    "mailbox": by_mailbox,
    "name": by_name,
    "sound": by_sound,
    "name_birth": by_name_and_birth,
    "birth_place": by_birth_and_place,
    "name_postcode": by_name_and_postcode,
    "name_city": by_name_and_city,
    "name_house_city": by_name_number_and_city,
    "birth_house": by_birth_and_house,
    "number": by_number,
    "name_street": by_name_and_street,
    "street": by_street,
}


def candidates(
    rows: Sequence[str],
    on_progress: Progress | None = None,
    too_large: dict[str, int] | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pairs of row numbers (left, right) in portions, left < right.

    A pair comes once for each key that its rows share. ``too_large`` takes up how many
    rows of each kind sat in blocks of which only equal names were compared.
    """
    names = np.fromiter(
        (hash((letters(unpack(row)) or [""])[0]) for row in rows), np.int64, len(rows)
    )
    for place, (kind, keys_of) in enumerate(KINDS.items()):
        if on_progress:
            on_progress(place, len(KINDS))
        keys, owners = keyed(rows, keys_of)
        order = np.argsort(keys, kind="stable")
        rest = owners[order]
        starts, sizes = blocks(keys[order])
        yield from in_portions(rest, starts, sizes)
        is_large = sizes > MOST
        if not is_large.any():
            continue
        rest = rest[np.repeat(is_large, sizes)]
        if too_large is not None:
            too_large[kind] = len(rest)
        # Splitting by the name keeps what a switchboard's callers have in common.
        mixed = np.repeat(np.arange(is_large.sum()), sizes[is_large])
        keys = mixed * np.int64(1_000_003) ^ names[rest]
        order = np.argsort(keys, kind="stable")
        yield from in_portions(rest[order], *blocks(keys[order]))


def keyed(
    rows: Sequence[str], keys_of: Callable[[Fields], list[str]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes of all keys of one kind, and the row of each."""
    keys, owners = array("q"), array("i")
    for number, row in enumerate(rows):
        for key in keys_of(unpack(row)):
            keys.append(hash(key))
            owners.append(number)
    return np.frombuffer(keys, np.int64), np.frombuffer(owners, np.int32)


def blocks(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where each block of equal sorted keys begins, and its size."""
    if not len(keys):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    return starts, np.diff(np.r_[starts, len(keys)])


def in_portions(
    owners: np.ndarray, starts: np.ndarray, sizes: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the pairs of the blocks that are not too large, many at a time."""
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    waiting = 0
    for count in range(2, MOST + 1):
        at = starts[sizes == count]
        for start in range(0, len(at), PORTION):
            block = owners[at[start : start + PORTION, None] + np.arange(count)]
            for left, right in pairs_of(block):
                kept.append((left, right))
                waiting += len(left)
                if waiting >= PORTION:
                    yield joined(kept)
                    kept, waiting = [], 0
    if kept:
        yield joined(kept)


def joined(
    parts: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    """Return several portions as one."""
    lefts, rights = zip(*parts, strict=True)
    return np.concatenate(lefts), np.concatenate(rights)


def pairs_of(block: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the pairs of blocks of one size: one block per row of the array."""
    for place in range(block.shape[1] - 1):
        a, b = block[:, place, None], block[:, place + 1 :]
        low, high = np.minimum(a, b).ravel(), np.maximum(a, b).ravel()
        # A row that has two keys alike is no pair of itself.
        differ = low < high
        yield low[differ], high[differ]
