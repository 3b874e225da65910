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
# So many letters may be in only one of two texts that differ by typing errors: names,
# phone numbers and mail addresses, then streets; and so many of the text that is a part
# of the other in it alone.
MOST_ODD, MOST_ODD_STREET, MOST_OWN = 5, 7, 1
# Streets that differ by more have not even a part in common.
MOST_ODD_PART, MOST_OWN_PART = 10, 2


def bag(text: str) -> int:
    """Return a text's letters, each once or twice, as the bits of a number."""
    found = 0
    for letter in text:
        bit = 1 << (ord(letter) % 31 * 2)
        found |= bit << 1 if found & bit else bit
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
    "letters": lambda f: bag(f.name.replace(" ", "")),
    "spelling": lambda f: bag(f.spellings.partition("/")[0]),
    "digits": lambda f: bag(f.phone[-PHONE_DIGITS + 1 :]),
    "mail": lambda f: bag(f.email),
    "mailbox": lambda f: hash(f.email.rpartition("@")[0]),
    "mail_number": lambda f: hash("".join(c for c in f.email if c.isdigit())),
    "street": lambda f: bag(f.street.replace(" ", "")),
    "postcode": lambda f: hash(f.postcode),
    "city": lambda f: hash(f.city),
    # Each digit of a date in four bits.
    "day": lambda f: int(f.birth[:8], 16) if f.birth.isdecimal() else 0,
}
# Of an empty text.
NOTHING = hash("")


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

    def best_phone(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return what other phone numbers can be."""
        return (self.apart("digits", left, right)[0] <= MOST_ODD).astype(np.int8)

    def best_email(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return what other mail addresses can be."""
        odd, _own = self.apart("mail", left, right)
        near = (odd <= MOST_ODD) & self.equal("mail_number", left, right)
        local = LEVELS["email"].index("local")
        return np.where(self.equal("mailbox", left, right), local, near.astype(np.int8))

    def best_street(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return what other streets can be."""
        odd, own = self.apart("street", left, right)
        part, typo = (LEVELS["street"].index(level) for level in ("part", "typo"))
        is_part = (odd <= MOST_ODD_PART) | (own <= MOST_OWN_PART)
        return np.where(odd <= MOST_ODD_STREET, typo, np.where(is_part, part, 0))

    def best_place(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return what other places can be: one of postal code and town is the same."""
        part, typo = (LEVELS["place"].index(level) for level in ("part", "typo"))
        code, town = (
            self.equal(name, left, right) & (self.sketches[name][left] != NOTHING)
            for name in ("postcode", "city")
        )
        nothing = [
            (self.sketches[name][left] == NOTHING)
            | (self.sketches[name][right] == NOTHING)
            for name in ("postcode", "city")
        ]
        # The same postal code, and a town that one of the two does not tell.
        whole = code & nothing[1]
        found = np.where(code | town, part, typo)
        found = np.where(nothing[0] & nothing[1], MISSING, found)
        return np.where(whole, len(LEVELS["place"]) - 1, found)

    def best_birth(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return what other birth dates can be: two digits apart, or in one year."""
        odd = self.sketches["day"][left] ^ self.sketches["day"][right]
        wrong = np.zeros(len(left), np.int8)
        for place in range(8):
            wrong += (odd >> (4 * place)) & 15 != 0
        return ((wrong <= 2) | (odd >> 16 == 0)).astype(np.int8)

    def equal(self, name: str, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Tell which pairs have a number of theirs in common."""
        return self.sketches[name][left] == self.sketches[name][right]

    def apart(
        self, name: str, left: np.ndarray, right: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return how many letters only one of two texts has, and the poorer of them."""
        a, b = self.sketches[name][left], self.sketches[name][right]
        mine, theirs = np.bitwise_count(a & ~b), np.bitwise_count(b & ~a)
        return mine + theirs, np.minimum(mine, theirs)
