"""Rows as vCards (3.0, which every address book takes): one, or those of a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.http import HttpRequest, StreamingHttpResponse

from crm.access import Verb, hidden_fields
from crm.generic.base import GenericPage
from crm.generic.formats import field_of

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable

    from crm.models import User

CONTENT_TYPE = "text/vcard; charset=utf-8"
CHUNK = 2000
LINE_BYTES = 75
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Card:
    """What a card says of a person or a company."""

    name: str
    is_company: bool = False
    company: str = ""
    job_title: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    # Street, city, region, postal code, country.
    address: tuple[str, str, str, str, str] = ("", "", "", "", "")
    birth_date: datetime.date | None = None
    note: str = ""


@dataclass(frozen=True)
class Cards:
    """How rows of a model become cards; ``related`` is read with them."""

    make: Callable[[Any], Card]
    related: tuple[str, ...] = ()


def written(card: Card, uid: str) -> bytes:
    """Return a card as text with folded lines."""
    family = "" if card.is_company else escaped(card.name)
    company = card.name if card.is_company else card.company
    street, city, region, code, country = map(escaped, card.address)
    address = f";;{street};{city};{region};{code};{country}"
    lines = [
        ("VERSION", "3.0"),
        ("FN", escaped(card.name)),
        ("N", f"{family};;;;"),
        ("ORG", escaped(company)),
        ("X-ABSHOWAS", "COMPANY" if card.is_company else ""),
        ("TITLE", escaped(card.job_title)),
        ("EMAIL;TYPE=INTERNET", escaped(card.email)),
        ("TEL;TYPE=WORK", escaped(card.phone)),
        ("ADR;TYPE=WORK", address if any(card.address) else ""),
        ("URL", escaped(card.website)),
        ("BDAY", card.birth_date.isoformat() if card.birth_date else ""),
        ("NOTE", escaped(card.note)),
        ("UID", escaped(uid)),
    ]
    body = b"".join(folded(f"{name}:{value}") for name, value in lines if value)
    return b"BEGIN:VCARD\r\n" + body + b"END:VCARD\r\n"


def escaped(text: str) -> str:
    """Return a value in which no sign means anything."""
    text = CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    for sign in "\\;,":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", "\\n")


def folded(line: str) -> bytes:
    """Break a line after 75 bytes at most, never inside a character."""
    parts, size, start = [], 0, 0
    for place, char in enumerate(line):
        width = len(char.encode("utf-8", "replace"))
        if size + width > LINE_BYTES:
            parts.append(line[start:place])
            # The blank that begins the next line counts.
            start, size = place, 1
        size += width
    parts.append(line[start:])
    return "\r\n ".join(parts).encode("utf-8", "replace") + b"\r\n"


def without_hidden(row: models.Model, related: Iterable[str], user: User) -> None:
    """Empty the fields of a row, and of those read with it, that are kept back."""
    for one in (row, *(getattr(row, name) for name in related)):
        for name in hidden_fields(user, type(one)) if one is not None else ():
            found = field_of(type(one), name)
            if found is not None and found.concrete and not found.many_to_many:
                setattr(one, found.attname, None if found.null else "")


def cards_of(cards: Cards, rows: Iterable[models.Model], user: User) -> Iterator[bytes]:
    """Yield the rows as cards, without what is kept back from the person."""
    for row in rows:
        without_hidden(row, cards.related, user)
        yield written(cards.make(row), f"{row._meta.label_lower}-{row.pk}")


def chunks(cards: Cards, rows: models.QuerySet, user: User) -> Iterator[bytes]:
    """Yield the rows of a list as cards, with what they are made of."""
    if cards.related:
        # A list leaves columns out that a card has.
        rows = rows.defer(None).select_related(*cards.related)
    yield from cards_of(cards, rows.iterator(chunk_size=CHUNK), user)


class CardPage(GenericPage):
    """One row as a card."""

    verb = Verb.EXPORT

    def get(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """Answer with the file."""
        from crm.generic.export import kept

        rows = self.pages.queryset().select_related(*self.pages.cards.related)
        row = self.find(pk, rows)
        content = cards_of(self.pages.cards, [row], request.user)
        return kept(self.pages, content, CONTENT_TYPE, "vcf")
