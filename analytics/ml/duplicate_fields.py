"""Normalise what is compared of two customers: one short text per field.

``prepare`` makes a row of fields comparable. Names lose titles and legal forms;
Traditional characters become simplified ones, and every name is spelled in Latin
letters, too: 張三, 张三, "Zhang San" and "san zhang" have a spelling in common.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from itertools import permutations, product
from pathlib import Path
from typing import NamedTuple

CJK = "\u3400-\u9fff"
CJK_RUN = re.compile(f"([{CJK}]+)")
CJK_GAP = re.compile(f"(?<=[{CJK}])\\s+(?=[{CJK}])")
WORD = re.compile(r"[^\W\d_]+|\d+")
NOT_DIGIT = re.compile(r"\D+")
EXTENSION = re.compile(r"(?<=\d)\s*(?:ext|x|#|;|/|,|转|分机).*", re.IGNORECASE)
MOST_TOKENS, MOST_SPELLINGS, MOST_TEXT = 8, 4, 200
# Letters that no decomposition turns into plain ones.
LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "’": "", "'": "", "·": " "}
)
TITLES = frozenset(
    "mr mrs ms miss dr prof sir herr frau mme mlle monsieur madame sr sra jr".split()
)
LEGAL = frozenset(
    "ltd limited inc incorporated corp corporation co company llc llp plc gmbh ag kg "
    "ug sa sarl sas srl spa bv nv ab oy as aps pty pte kk the".split()
)
LEGAL_CJK = re.compile(
    "(?:股份有限公司|有限责任公司|有限公司|股份公司|集团|公司)$"
    "|(?<=.)(?:先生|女士|小姐)$"
)
STREET_WORDS = {
    "street": "st",
    "str": "st",
    "strasse": "st",
    "road": "rd",
    "avenue": "ave",
    "av": "ave",
    "lane": "ln",
    "drive": "dr",
    "place": "pl",
    "court": "ct",
    "crescent": "cres",
    "circuit": "cct",
    "square": "sq",
    "boulevard": "blvd",
    "highway": "hwy",
    "terrace": "tce",
    "close": "cl",
}
STREET_END = re.compile(r"(?<=\w)(?:strasse|str)\b")


class Fields(NamedTuple):
    """A customer made comparable; "" where nothing is known.

    ``spellings``  the name in Latin letters without spaces, "/" between several
    ``number``     of the tax office or a register: given to one person or company
    """

    name: str
    spellings: str
    phone: str
    email: str
    street: str
    postcode: str
    city: str
    birth: str
    number: str

    def pack(self) -> str:
        """Return one text for a million rows to be kept in."""
        return "\t".join(self)


def unpack(text: str) -> Fields:
    """Return what ``pack`` put together."""
    return Fields(*text.split("\t"))


@cache
def simplified() -> dict[int, str]:
    """Return the table that turns Traditional characters into simplified ones."""
    path = Path(__file__).parent / "data" / "traditional.txt"
    lines = path.read_text("utf-8").splitlines()
    groups = " ".join(line for line in lines if not line.startswith("#")).split()
    return {ord(letter): group[0] for group in groups for letter in group[1:]}


def plain(text: str) -> str:
    """Return small letters without accents, full width or Traditional characters."""
    text = text[:MOST_TEXT].lower()
    if text.isascii():
        return text.replace("'", "")
    text = unicodedata.normalize("NFKC", text).lower().replace("ß", "ss")
    text = unicodedata.normalize("NFD", text.translate(LETTERS))
    text = "".join(one for one in text if not unicodedata.combining(one))
    return unicodedata.normalize("NFC", text).translate(simplified())


class Normaliser:
    """Make rows comparable.

    ``readings``  {character: its pinyin readings}
    ``surnames``  the same where a character begins a name, if that differs
    """

    def __init__(
        self,
        readings: Mapping[str, list[str]] | None = None,
        surnames: Mapping[str, list[str]] | None = None,
    ) -> None:
        self.readings = readings or {}
        self.surnames = surnames or {}

    def prepare(
        self,
        name: str = "",
        phone: str = "",
        email: str = "",
        address: str = "",
        postal_code: str = "",
        city: str = "",
        birth_date: object = None,
        number: str = "",
    ) -> Fields:
        """Return the fields of one row, comparable."""
        tokens = name_tokens(name)
        return Fields(
            " ".join(tokens),
            "/".join(self.spellings(tokens)),
            phone_digits(phone),
            mail(email),
            " ".join(street_tokens(address)),
            "".join(WORD.findall(plain(postal_code))),
            "".join(WORD.findall(plain(city))),
            str(birth_date or "").replace("-", ""),
            "".join(WORD.findall(plain(number))),
        )

    def spellings(self, tokens: list[str]) -> list[str]:
        """Return up to four ways to write a name in Latin letters, without spaces."""
        if not any(CJK_RUN.match(one) for one in tokens):
            return ["".join(tokens)] if tokens else []
        choices: list[list[str]] = []
        for token in tokens:
            if not CJK_RUN.match(token):
                choices.append([token])
                continue
            for place, letter in enumerate(token[:12]):
                usual = self.readings.get(letter, [letter])
                first = self.surnames.get(letter, usual) if place == 0 else usual
                choices.append(first)
        found = [""]
        for some in choices:
            found = [a + b for a, b in product(found, some)][:MOST_SPELLINGS]
        return list(dict.fromkeys(found))


def name_tokens(name: str) -> list[str]:
    """Return the words of a name, without title and legal form if more remains."""
    text = plain(name)
    if not text.isascii():
        text = CJK_RUN.sub(r" \1 ", CJK_GAP.sub("", text))
    tokens = WORD.findall(text)[:MOST_TOKENS]
    if not text.isascii():
        tokens = [LEGAL_CJK.sub("", one) or one for one in tokens]
    kept = [one for one in tokens if one not in LEGAL and one not in TITLES]
    return kept or tokens


def street_tokens(address: str) -> list[str]:
    """Return the words of an address, the usual abbreviations made alike."""
    text = STREET_END.sub(" st", plain(address))
    return [STREET_WORDS.get(one, one) for one in WORD.findall(text)]


def phone_digits(phone: str) -> str:
    """Return the digits of a number without extension and leading zeros."""
    text = unicodedata.normalize("NFKC", phone[:MOST_TEXT]).replace("(0)", "")
    digits = NOT_DIGIT.sub("", EXTENSION.sub("", text)).lstrip("0")
    # Fewer digits are an extension or noise; 0000 and 1111 are nobody's.
    if len(digits) < 6 or len(set(digits)) < 2:
        return ""
    digits = "".join(str(int(one)) for one in digits)
    return digits[:20]


def mail(email: str) -> str:
    """Return an address in small letters, without what comes after a plus."""
    text = unicodedata.normalize("NFKC", email[:MOST_TEXT]).strip().lower()
    local, _at, domain = text.rpartition("@")
    local = local.split("+")[0]
    if domain in ("gmail.com", "googlemail.com"):
        local, domain = local.replace(".", ""), "gmail.com"
    return "".join(f"{local}@{domain}".split()) if local and domain else ""


def turned(tokens: list[str]) -> set[str]:
    """Return a Latin name of up to three words in every order, without spaces."""
    if len(tokens) > 3:
        return {"".join(tokens)}
    return {"".join(order) for order in permutations(tokens)}
