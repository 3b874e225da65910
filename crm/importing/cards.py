"""Read vCard files (2.1, 3.0 and 4.0) as a table: one card is one row.

The columns are named as the importers know them. What a card says twice gets a further
column ("Email 2"), what the importers do not know one with the card's own name;
pictures, sounds and keys are left out.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from django.utils.translation import gettext as _

from crm.importing.encodings import open_bytes
from crm.importing.errors import FileError

MAX_VALUE = 1_000_000
MAX_CARD = 4_000_000
PIECE = 1 << 16
SUFFIXES = {".vcf", ".vcard"}
LEFT_OUT = {
    *("VERSION", "PRODID", "REV", "PHOTO", "LOGO", "SOUND", "KEY", "N", "AGENT"),
    *("SOURCE", "CLIENTPIDMAP", "X-ABLABEL", "X-ABADR", "X-IMAGETYPE"),
}
# What columns the importers know are called; those that come first stand first.
NAMES = {
    "FN": "Name",
    "ORG": "Company",
    "TITLE": "Job title",
    "EMAIL": "Email",
    "TEL": "Phone",
    "URL": "Website",
    "BDAY": "Birth date",
    "GENDER": "Gender",
    "NOTE": "Notes",
}
ADDRESS = ("Address", "City", "Region", "Postal code", "Country")
FIRST = ("Name", "Company", "Department", "Job title", "Email", "Phone", *ADDRESS)
ESCAPED = re.compile(r"\\(.)", re.S)
SEPARATOR = re.compile(r"(?<!\\);")
PARAMETER = re.compile(r';((?:[^";]|"[^"]*")*)')
CJK = re.compile(r"[\u3400-\u9fff]+")


@dataclass(frozen=True)
class Line:
    """A property with its parameters, as it stands in the file."""

    name: str
    parameters: dict[str, str]
    value: str
    is_preferred: bool = False


def is_card_file(path: Path) -> bool:
    """Tell whether the file begins with a card, in any encoding."""
    with open_bytes(path) as stream:
        head = (
            stream.read(400).replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe\r\n\t ")
        )
    return head[:11].upper() == b"BEGIN:VCARD"


def check_name(name: str) -> None:
    """Refuse a file whose name promises cards where there are none."""
    if Path(name).suffix.lower() in SUFFIXES:
        raise FileError(_("The name says that these are cards, but there is none."))


def read_cards(text: TextIO, encoding: str) -> Iterator[dict[str, str]]:
    """Yield each card as {column: cell}; raises FileError with the card's number."""
    lines: list[Line] = []
    depth = number = size = 0
    for raw in unfolded(text):
        line = parse(raw, encoding)
        if line is None:
            continue
        mark = line.value.strip().upper() == "VCARD"
        if line.name == "BEGIN" and mark:
            depth += 1
            if depth == 1:
                lines, size = [], 0
                number += 1
        elif line.name == "END" and mark and depth:
            depth -= 1
            if not depth:
                yield as_row(lines)
        elif depth == 1 and line.name not in LEFT_OUT - {"N"}:
            size += len(line.value)
            if size > MAX_CARD:
                raise FileError(_("The card is too long to be read."), row=number)
            lines.append(line)
    if depth:
        raise FileError(_("A card is begun here and never ended."), row=number)


def unfolded(text: TextIO) -> Iterator[str]:
    """Yield each property as one line, whichever way it was broken."""
    whole, is_cut, is_printable = "", False, False
    while piece := text.readline(PIECE):
        ends = piece[-1] in "\r\n"
        body = piece.rstrip("\r\n") if ends else piece
        ends_card = body[:9].upper() == "END:VCARD"
        soft = is_printable and whole.endswith("=") and not is_cut and not ends_card
        if is_cut:
            whole += body
        elif soft:
            whole = whole[:-1] + body
        elif body[:1] in (" ", "\t"):
            whole += body[1:]
        else:
            if whole:
                yield whole
            whole = body
            start = body.split(":", 1)[0].upper()
            is_printable = "QUOTED-PRINTABLE" in start
        is_cut = not ends
        if len(whole) > MAX_VALUE:
            name = whole.split(":", 1)[0].split(";", 1)[0].rpartition(".")[2].upper()
            if name not in LEFT_OUT:
                raise FileError(_("A value has more than a million characters."))
            whole = f"{name}:"
    if whole:
        yield whole


def parse(raw: str, encoding: str) -> Line | None:
    """Return a property; None for a line that is none."""
    head, value = split_value(raw)
    name = re.split("[;]", head, maxsplit=1)[0].rpartition(".")[2].strip().upper()
    if not name or not re.fullmatch(r"[A-Z0-9-]+", name):
        return None
    parameters: dict[str, str] = {}
    for part in PARAMETER.findall(head):
        key, sign, told = part.partition("=")
        # 2.1 leaves the name of the parameter out.
        key, told = (key.strip().upper(), told.strip('" ')) if sign else ("TYPE", key)
        parameters[key] = f"{parameters[key]},{told}" if key in parameters else told
    kinds = parameters.get("TYPE", "").upper().split(",")
    if "QUOTED-PRINTABLE" in (parameters.get("ENCODING", "").upper(), *kinds):
        value = decoded(value, parameters.get("CHARSET", ""), encoding)
    preferred = "PREF" in kinds or parameters.get("PREF") == "1"
    return Line(name, parameters, value, preferred)


def split_value(raw: str) -> tuple[str, str]:
    """Cut a line at its colon; one in a quoted parameter does not count."""
    quoted = False
    for place, char in enumerate(raw):
        if char == '"':
            quoted = not quoted
        elif char == ":" and not quoted:
            return raw[:place], raw[place + 1 :]
    return "", ""


def decoded(value: str, charset: str, encoding: str) -> str:
    """Return a quoted-printable value as text; the program knows no odd charset."""
    content = quopri.decodestring(value.encode("utf-8", "replace"))
    for name in (charset, "utf-8", encoding):
        try:
            return content.decode(name)
        except (LookupError, ValueError):
            continue
    return content.decode("latin-1")


def plain(value: str) -> str:
    """Take escapes away; a line end stays one."""
    return ESCAPED.sub(
        lambda found: "\n" if found[1] in "nN" else found[1], value
    ).strip()


def parts_of(value: str) -> list[str]:
    """Return the parts of a structured value."""
    return [plain(part) for part in SEPARATOR.split(value)]


def as_row(lines: Iterable[Line]) -> dict[str, str]:
    """Return what a card says by columns; what is preferred comes first."""
    row: dict[str, str] = {}
    lines = sorted(lines, key=lambda line: not line.is_preferred)
    for line in lines:
        if line.name == "ADR":
            add_address(row, line)
        elif line.name == "ORG":
            company, *below = [part for part in parts_of(line.value) if part] or [""]
            add(row, "Company", company)
            add(row, "Department", ", ".join(below))
        elif line.name != "N":
            add(row, NAMES.get(line.name, line.name), simple(line))
    if "Name" not in row:
        names = (name_of(parts_of(line.value)) for line in lines if line.name == "N")
        add(row, "Name", next(names, ""))
    return row


def simple(line: Line) -> str:
    """Return a value as people write it."""
    value = plain(line.value)
    if line.name in ("TEL", "EMAIL"):
        return re.sub(r"^(?:tel|mailto):", "", value, flags=re.I)
    if line.name == "BDAY":
        return value.split("T")[0]
    return parts_of(line.value)[0] if line.name == "GENDER" else value


def name_of(parts: list[str]) -> str:
    """Return family and given name in their sequence."""
    family, given, middle, before, after = (*parts, "", "", "", "", "")[:5]
    if CJK.fullmatch(family + given) and family and given:
        return f"{family}{given}"
    return " ".join(filter(None, (before, given, middle, family, after)))


def add(row: dict[str, str], name: str, value: str) -> None:
    """Put a value into the next free column of its name, unless it is there."""
    column, number = name, 1
    while row.get(column, value) != value:
        number += 1
        column = f"{name} {number}"
    if value:
        row[column] = value


def add_address(row: dict[str, str], line: Line) -> None:
    """Put the first address into its columns, a further one into one column."""
    parts = [" ".join(part.split()) for part in parts_of(line.value)]
    box, more, street, city, region, code, country = (*parts, *[""] * 7)[:7]
    lines = ", ".join(filter(None, (box, more, street)))
    values = (lines, city, region, code, country)
    if any(name in row for name in ADDRESS):
        add(row, "Address", ", ".join(filter(None, values)))
        return
    for name, value in zip(ADDRESS, values, strict=True):
        add(row, name, value)


def columns_of(cards: Iterable[dict[str, str]]) -> list[str]:
    """Return the columns of all cards, the usual ones first."""
    found: dict[str, None] = {}
    for card in cards:
        found |= dict.fromkeys(card)
    return [
        *(name for name in FIRST if name in found),
        *(name for name in found if name not in FIRST),
    ]
