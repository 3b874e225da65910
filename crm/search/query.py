"""Read what somebody typed, and say it as PostgreSQL's search asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from crm.statements import read_all

if TYPE_CHECKING:
    from crm.search.declaration import Search

MAX_LENGTH = 200
MAX_WORDS = 8
# Words of other beginnings or with a typing error that stand for one word.
MAX_ALIKE = 60
MIN_DIGITS = 4
MIN_PART = 3
MIN_MISTAKEN = 4
PHONE_SIGNS = frozenset("0123456789+-()./ ")
READ = """
    SELECT place, part, CASE WHEN length(part) >= %s THEN ARRAY(
        SELECT word FROM crm_searchword
        WHERE word LIKE '%%' || part || '%%' AND word NOT LIKE part || '%%'
        LIMIT %s) ELSE '{}' END
    FROM unnest(%s::text[]) WITH ORDINALITY typed (word, place),
        regexp_split_to_table(trim(crm_search_plain(word)), ' +') part
    WHERE part <> ''
    ORDER BY place
"""
MISTAKEN = """
    SELECT part, word FROM unnest(%s::text[]) part, LATERAL (
        SELECT word FROM crm_searchword
        WHERE word %% part AND abs(length(word) - length(part)) <= 1
        ORDER BY word <-> part LIMIT 200
    ) alike
"""


@dataclass(frozen=True)
class Word:
    """One word as it was typed, its plain parts, and words that stand for a part."""

    typed: str
    parts: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Query:
    """What is searched for; every word has to be found."""

    text: str
    words: tuple[Word, ...] = field(default=())

    def __bool__(self) -> bool:
        return any(word.parts for word in self.words)

    def conditions(self, search: Search, *, names_only: bool = False) -> str:
        """Return the tsquery that a row has to match; empty if none can."""
        found = _all([_word(search, word, names_only) for word in self.words])
        digits = digits_of(self.text)
        if not names_only and search.phone and len(self.words) > 1 and digits:
            found = _any([found, _phone(search.code, digits)])
        return found

    def exact(self, search: Search) -> str:
        """Return the tsquery of the row that is meant by its number, mail or phone."""
        text, code = self.text.lower(), search.code
        found = []
        if search.number and " " not in text:
            found.append(_token(f"{code}={text}"))
        if search.email and "@" in text:
            found.append(_token(f"{code}@{text}"))
        digits = digits_of(text)
        if search.phone and len(digits) >= 7:
            found.append(_phone(code, digits))
        return _any(found)

    def with_mistakes(self) -> Query:
        """Return the query that also takes words with one typing error for right."""
        parts = {
            part
            for word in self.words
            for part, _alike in word.parts
            if len(part) >= MIN_MISTAKEN and not is_chinese(part) and not part.isdigit()
        }
        if not parts:
            return self
        near: dict[str, list[str]] = {}
        for part, word in read_all(MISTAKEN, [sorted(parts)]):
            if is_one_edit_away(part, word):
                near.setdefault(part, []).append(word)
        return replace(
            self,
            words=tuple(
                replace(
                    word,
                    parts=tuple(
                        (part, (*alike, *near.get(part, [])[:MAX_ALIKE]))
                        for part, alike in word.parts
                    ),
                )
                for word in self.words
            ),
        )


def clean_text(text: str) -> str:
    """Cut a text to a sane size; the database refuses NUL and half characters."""
    text = text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")
    return " ".join(text.split())[:MAX_LENGTH].strip()


def too_long() -> str:
    """Say that the end of a text was cut off."""
    text = _("The text is too long; only its first %(number)s characters count.")
    return text % {"number": MAX_LENGTH}


def read(text: str) -> Query:
    """Read a search text; one query."""
    text = clean_text(text)
    typed = text.split()[:MAX_WORDS]
    if not typed:
        return Query(text)
    parts: dict[int, list[tuple[str, tuple[str, ...]]]] = {}
    for place, part, alike in read_all(READ, [MIN_PART, MAX_ALIKE, typed]):
        parts.setdefault(place, []).append((part, tuple(alike)))
    words = [
        Word(word, tuple(parts.get(place, ())[:MAX_WORDS]))
        for place, word in enumerate(typed, start=1)
    ]
    return Query(text, tuple(word for word in words if word.parts))


def is_chinese(text: str) -> bool:
    """Tell whether a plain part is a run of Chinese characters."""
    return "\u3400" <= text[:1] <= "\u9fff"


def digits_of(text: str) -> str:
    """Return the digits of what may be a phone number, else nothing."""
    if not PHONE_SIGNS.issuperset(text):
        return ""
    digits = "".join(one for one in text if one.isdigit())
    return digits if len(digits) >= MIN_DIGITS else ""


def is_one_edit_away(one: str, other: str) -> bool:
    """Tell whether one letter too many, too few, wrong or swapped lies between."""
    if len(one) > len(other):
        one, other = other, one
    start = 0
    while start < len(one) and one[start] == other[start]:
        start += 1
    if len(one) < len(other):
        return one[start:] == other[start + 1 :]
    if one[start + 1 :] == other[start + 1 :]:
        return True
    swapped = one[start + 1 : start + 2] + one[start : start + 1] + one[start + 2 :]
    return swapped == other[start:]


def _word(search: Search, word: Word, names_only: bool) -> str:
    code = search.code
    found = []
    if search.name or search.text:
        # A word of many signs falls into single letters; each begins too many words.
        begins = len(word.parts) == 1
        found.append(_all([_part(search, *part, begins) for part in word.parts]))
    typed = word.typed.lower()
    if not names_only:
        if search.email:
            found.append(_token(f"{code}@{typed}", begins=True))
        if search.number:
            found.append(_token(f"{code}={typed}", begins=True))
        if search.phone and digits_of(typed):
            found.append(_phone(code, digits_of(typed)))
    return _any(found)


def _part(search: Search, part: str, alike: tuple[str, ...], begins: bool) -> str:
    code = search.code
    if is_chinese(part):
        if len(part) == 1:
            return _token(f"{code}:{part}", begins=True)
        pairs = [part[place : place + 2] for place in range(len(part) - 1)]
        return _all([_token(f"{code}:{pair}") for pair in pairs])
    begins = begins or len(part) > 1
    found = [_token(f"{code}:{part[:60]}", begins=begins)]
    if begins and search.name and part.isascii() and part.isalpha():
        found.append(_token(f"{code}~{part}", begins=True))
    return _any(found + [_token(f"{code}:{word}") for word in alike])


def _phone(code: str, digits: str) -> str:
    found = [
        _token(f"{code}#{digits[::-1]}", begins=True),
        _token(f"{code}+{digits}", begins=True),
    ]
    # "0171 …" is written "+49 171 …" by others.
    if digits.startswith("0") and len(digits.lstrip("0")) >= MIN_DIGITS:
        found.append(_token(f"{code}#{digits.lstrip('0')[::-1]}", begins=True))
    return _any(found)


def _token(token: str, *, begins: bool = False) -> str:
    quoted = token.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}'{':*' if begins else ''}"


def _any(conditions: list[str]) -> str:
    some = [one for one in conditions if one]
    return f"({' | '.join(some)})" if some else ""


def _all(conditions: list[str]) -> str:
    """Join conditions; one that nothing can meet makes the whole such."""
    return reduce(_both, conditions) if conditions and all(conditions) else ""


def _both(one: str, other: str) -> str:
    return f"{one} & {other}"
