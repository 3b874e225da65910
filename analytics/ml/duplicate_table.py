"""All rows of a search for duplicates, with what can be compared without their texts.

Numbers per row in arrays: equality of a field costs nothing then, and a sketch (a set
of letters in the bits of one number) tells which texts cannot be alike.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from analytics.ml.duplicate_fields import Fields, unpack
from analytics.ml.duplicate_levels import FIELDS, LEVELS, MISSING, PHONE_DIGITS

NAME, PHONE, EMAIL, STREET, PLACE, BIRTH, NUMBER, KIND = range(len(FIELDS))
# So many letters may be in only one of two names, streets or mail addresses that differ
# by typing errors; and of the shorter form of a name in it alone.
MOST_ODD, MOST_OWN = 6, 2


def mask(text: str) -> int:
    """Return the set of a text's letters as the bits of a number."""
    found = 0
    for letter in set(text):
        found |= 1 << (ord(letter) % 63)
    return found


# What is hashed of each field, in the order of FIELDS without the kind: equal hashes
# mean at best "same".
HASHED: tuple[Callable[[Fields], str], ...] = (
    lambda f: "".join(sorted(f.spellings.partition("/")[0])),
    lambda f: f.phone[-PHONE_DIGITS:],
    lambda f: f.email,
    lambda f: "".join(sorted(f.street.replace(" ", ""))),
    lambda f: f.postcode + f.city,
    lambda f: f.birth,
    lambda f: f.number,
)
# Further numbers of a row.
SKETCHED: dict[str, Callable[[Fields], int]] = {
    "letters": lambda f: mask(f.name),
    "spelling": lambda f: mask(f.spellings),
    "mail": lambda f: mask(f.email),
    "mailbox": lambda f: hash(f.email.rpartition("@")[0]),
    "street": lambda f: mask(f.street),
    # Each digit of a date in four bits.
    "day": lambda f: int(f.birth[:8], 16) if f.birth.isdecimal() else 0,
}


@dataclass
class Table:
    """Packed rows and their numbers, one array of as many entries per field."""

    rows: Sequence[str]
    kinds: np.ndarray
    hashes: list[np.ndarray] = field(default_factory=list)
    counts: list[np.ndarray] = field(default_factory=list)
    sketches: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[str], kinds: Sequence[int] | np.ndarray) -> Table:
        """Return the table of packed rows; kinds is a small number per row."""
        hashes = [array("q") for _ in HASHED]
        sketches = {name: array("q") for name in SKETCHED}
        for row in rows:
            fields = unpack(row)
            for column, take in zip(hashes, HASHED, strict=True):
                value = take(fields)
                # 0 stands for "not known".
                column.append(hash(value) if value else 0)
            for name, sketch in SKETCHED.items():
                sketches[name].append(sketch(fields))
        table = cls(
            rows,
            np.asarray(kinds, np.int8),
            [np.frombuffer(column, np.int64) for column in hashes],
            sketches={
                name: np.frombuffer(column, np.int64)
                for name, column in sketches.items()
            },
        )
        for column in table.hashes:
            _values, place, counts = np.unique(
                column, return_inverse=True, return_counts=True
            )
            table.counts.append(counts[place].astype(np.int32))
        return table

    def __len__(self) -> int:
        return len(self.rows)

    def best_levels(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the highest level that each field of pairs can reach, as an array."""
        levels = np.empty((len(left), len(FIELDS)), np.int8)
        for number, name in enumerate(FIELDS[:KIND]):
            a, b = self.hashes[number][left], self.hashes[number][right]
            top = len(LEVELS[name]) - 1
            other = getattr(self, f"best_{name}", None)
            lower = other(left, right) if other else top - 1
            best = np.where(a == b, top, lower)
            levels[:, number] = np.where((a == 0) | (b == 0), MISSING, best)
        levels[:, KIND] = self.kinds[left] == self.kinds[right]
        return levels

    def best_name(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return what names with other letters can be."""
        odd, own = self.apart("letters", left, right)
        spelled, _own = self.apart("spelling", left, right)
        part, shorter, typo = (
            LEVELS["name"].index(level) for level in ("part", "shorter", "typo")
        )
        best = np.where(own <= MOST_OWN, shorter, part)
        return np.where(np.minimum(odd, spelled) <= MOST_ODD, typo, best)

    def best_email(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return what other mail addresses can be."""
        boxes = self.sketches["mailbox"]
        odd, _own = self.apart("mail", left, right)
        local = LEVELS["email"].index("local")
        near = (odd <= 4).astype(np.int8)
        return np.where(boxes[left] == boxes[right], local, near)

    def best_street(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return what other streets can be."""
        odd, _own = self.apart("street", left, right)
        part, typo = (LEVELS["street"].index(level) for level in ("part", "typo"))
        return np.where(odd <= MOST_ODD, typo, part)

    def best_birth(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return what other birth dates can be: two digits apart, or in one year."""
        odd = self.sketches["day"][left] ^ self.sketches["day"][right]
        wrong = np.zeros(len(left), np.int8)
        for place in range(8):
            wrong += (odd >> (4 * place)) & 15 != 0
        return ((wrong <= 2) | (odd >> 16 == 0)).astype(np.int8)

    def apart(
        self, name: str, left: np.ndarray, right: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return how many letters only one of two texts has, and the poorer of them."""
        a, b = self.sketches[name][left], self.sketches[name][right]
        mine, theirs = np.bitwise_count(a & ~b), np.bitwise_count(b & ~a)
        return mine + theirs, np.minimum(mine, theirs)
