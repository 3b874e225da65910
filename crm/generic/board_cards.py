"""The cards of a board: read as values, written in words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db import models
from django.db.models import ExpressionWrapper, F, Value
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from crm import formatting
from crm.access import Scope, Verb, owner_condition, scope_of
from crm.generic import formats
from crm.generic.plain_rows import plain_rows
from crm.generic.searching import AnyOf, Ids

if TYPE_CHECKING:
    from crm.generic.board_layout import BoardLayout


@dataclass(slots=True)
class Card:
    """One row on the board; ``object`` has its values alone (plain_rows.py)."""

    object: Any
    key: str
    url: str
    move_url: str
    title: str
    facts: list[tuple[str, str]]
    age: str
    tone: str

    @property
    def can_move(self) -> bool:
        """Tell whether the reader may move it."""
        return bool(self.move_url)


@dataclass(frozen=True, slots=True)
class Age:
    """How long a card has been in its column."""

    words: str
    tone: str


class CardDesk:
    """Writes the cards of one board; what many of them have in common, once."""

    def __init__(self, layout: BoardLayout) -> None:
        self.layout, self.pages = layout, layout.pages
        self.board, self.user = layout.board, layout.user
        self.model = layout.pages.model
        self.facts = self.board.facts_of(self.model, self.user)
        self.labels = [column.heading(self.model) for column in self.facts]
        self.title = self.board.title_of(self.model)
        self.detail_url, self.move_url = self.address("detail"), self.address("move")
        self.now = timezone.now()
        self.ages: dict[int, Age] = {}
        self.ways: dict[str, str] = {}
        self.open_keys = {
            column.key for column in layout.columns.every if not column.is_closed
        }

    def cards(self, keys: list[int]) -> list[Card]:
        """Return the cards of rows, in the order of the keys; one query for all."""
        rows = self.pages.queryset().filter(AnyOf(F("pk"), Ids.of(keys))).order_by()
        for column in self.facts:
            rows = column.annotate(rows, self.layout.listing.request)
        rows = rows.annotate(
            board_since=self.board.since(self.model), board_movable=self.movable()
        )
        paths = self.board.paths(self.model, self.facts)
        paths += ["board_since", "board_movable"]
        by_key = {row.pk: self.card(row) for row in plain_rows(rows, paths)}
        return [by_key[pk] for pk in keys if pk in by_key]

    def movable(self) -> models.Expression:
        """Return the condition that the reader may change a row."""
        output = models.BooleanField()
        scope = scope_of(self.user, Verb.CHANGE, self.model)
        if scope is None:
            return Value(False, output_field=output)
        condition = owner_condition(self.model, self.user, Scope(scope))
        if not condition:
            return Value(True, output_field=output)
        return ExpressionWrapper(condition, output_field=output)

    def card(self, row: Any) -> Card:
        """Return a row as a card."""
        key = self.board.key_of(row)
        age = self.age((self.now - row.board_since).days)
        texts = [column.text(row) for column in self.facts]
        return Card(
            row,
            key,
            self.detail_url.format(row.pk),
            f"{self.move_url.format(row.pk)}?{self.way(key)}"
            if row.board_movable
            else "",
            formats.short(getattr(row, self.title)),
            [one for one in zip(self.labels, texts, strict=True) if one[1]],
            age.words,
            age.tone if key in self.open_keys else "",
        )

    def address(self, page: str) -> str:
        """Return the address of a row's page, with a place for its number."""
        return self.pages.url(page, SimpleNamespace(pk="{}"))

    def way(self, key: str) -> str:
        """Return what the page that asks where to move a card is told of its column."""
        if key not in self.ways:
            self.ways[key] = urlencode({"from": key, "back": self.layout.here_url})
        return self.ways[key]

    def age(self, days: int) -> Age:
        """Return the age in words, and how urgent it is."""
        days = max(days, 0)
        if days not in self.ages:
            words = age_in_words(days, get_language() or "")
            self.ages[days] = Age(words, self.tone(days))
        return self.ages[days]

    def tone(self, days: int) -> str:
        """Return how urgent the age of a card is."""
        if days > self.board.late:
            return "late"
        return "waiting" if days >= self.board.calm else "calm"


# Words and figures of a language are the same as long as the process runs.
@lru_cache(maxsize=2000)
def age_in_words(days: int, language: str) -> str:
    """Return how long a card has been in its column, in the active language."""
    if not days:
        return _("today")
    text = ngettext("%(count)s day", "%(count)s days", days)
    return text % {"count": formatting.number(days)}
