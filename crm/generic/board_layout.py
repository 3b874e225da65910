"""Read a board: totals of columns and first cards, in a fixed number of queries."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from crm import formatting
from crm.access import Verb, is_hidden, scope_of
from crm.generic import counting
from crm.generic.board import CARDS, COUNT_LIMIT, RECENT_DAYS, Board, BoardColumn
from crm.generic.board_cards import Card, CardDesk
from crm.generic.keyset import BadTokenError, Keyset, Page, token_after

if TYPE_CHECKING:
    from crm.generic.listing import Listing
    from crm.models import User


@dataclass(frozen=True)
class Head:
    """What stands over a column."""

    count: int
    is_exact: bool
    totals: list[str] = field(default_factory=list)
    weighted: list[str] = field(default_factory=list)
    recent_days: int = 0


@dataclass(frozen=True)
class Lane:
    """A column with what is in it."""

    column: BoardColumn
    head: Head
    cards: list[Card]
    more_url: str = ""
    add_url: str = ""


class BoardLayout:
    """The board of one address: the listing's rows, by state."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.pages = listing.pages
        self.board: Board = listing.pages.board
        self.user: User = listing.user
        self.columns = self.board.columns(self.pages.model, self.user)
        self.group = self.columns.chosen_group(listing.query.get("board", ""))

    @cached_property
    def here_url(self) -> str:
        """Return the address of this board."""
        return f"{self.pages.url('list')}{self.listing.url(column=None, page=None)}"

    # --- which rows ---------------------------------------------------------------

    @cached_property
    def matching(self) -> models.QuerySet:
        """Return the rows of the list, each once, as plain rows of the model."""
        rows = self.listing.matching
        if not rows.query.distinct:
            return rows.order_by()
        keys = rows.order_by().values("pk")
        return self.pages.queryset().filter(pk__in=keys).order_by()

    def order_of(self, column: BoardColumn) -> tuple[str, ...]:
        """Return the order of the cards in a column."""
        if column.is_closed and self.board.closed_at:
            return (f"-{self.board.closed_at}", "-pk")
        return self.board.order

    def part(self, column: BoardColumn, key: Any = None) -> models.QuerySet:
        """Return the rows of a column in order; of a closed one the recent ones."""
        rows = self.matching.filter(**{self.board.field: key or column.key})
        if column.is_closed and self.board.closed_at:
            since = timezone.now() - datetime.timedelta(days=RECENT_DAYS)
            rows = rows.filter(**{f"{self.board.closed_at}__gte": since})
        return rows.order_by(*self.order_of(column))

    def parts(self, columns: Iterable[BoardColumn]) -> dict[str, models.QuerySet]:
        """Return the rows of each column; open ones differ in the key alone."""
        kinds: dict[bool, models.QuerySet] = {}
        found = {}
        for one in columns:
            if one.is_closed not in kinds:
                kinds[one.is_closed] = self.part(one, counting.EachKey())
            found[one.key] = kinds[one.is_closed]
        return found

    # --- what is on the page ------------------------------------------------------

    def lanes(self) -> list[Lane]:
        """Return the columns with their totals and first cards."""
        shown = self.columns.of(self.group)
        parts = self.parts(shown)
        keys = counting.first_keys(parts, CARDS + 1)
        heads = self.heads(shown, parts)
        wanted = [pk for some in keys.values() for pk in some[:CARDS]]
        cards = {card.object.pk: card for card in self.cards(wanted)}
        found = []
        for column in shown:
            own = [cards[pk] for pk in keys[column.key][:CARDS] if pk in cards]
            more = len(keys[column.key]) > CARDS and bool(own)
            found.append(
                Lane(
                    column,
                    heads[column.key],
                    own,
                    self.more_url(column, own[-1].object) if more else "",
                    self.add_url(column),
                )
            )
        return found

    def more_url(self, column: BoardColumn, last: Any) -> str:
        """Return the address of the cards after the last one."""
        token = token_after(self.matching, self.order_of(column), last)
        return self.listing.url(layout="board", column=column.key, page=token)

    def more(self, column: BoardColumn, token: str) -> Lane:
        """Return the cards of a column that follow."""
        keyset = Keyset(self.part(column), self.order_of(column), CARDS)
        try:
            page: Page = keyset.page(token)
        except BadTokenError:
            page = keyset.page()
        keys = [row.pk for row in page.objects]
        url = self.listing.url(column=column.key, page=page.next) if page.next else ""
        return Lane(column, Head(0, True), self.cards(keys), url)

    def add_url(self, column: BoardColumn) -> str:
        """Return where a row of this column is added, for those who may."""
        if not self.board.can_add_in(column):
            return ""
        url = self.pages.allowed_url(self.user, "add")
        return f"{url}?{self.board.field}={column.key}" if url else ""

    def groups(self) -> list[tuple[str, str, bool]]:
        """Return (name, address, whether it is shown) of each group, if several."""
        groups = self.columns.groups
        if len(groups) < 2:
            return []
        return [
            (
                str(group),
                self.listing.url(board=str(group.pk), column=None, page=None),
                group == self.group,
            )
            for group in groups
        ]

    # --- totals -------------------------------------------------------------------

    def heads(
        self, columns: list[BoardColumn], parts: dict[str, models.QuerySet]
    ) -> dict[str, Head]:
        """Return what stands over the columns; one query for all of them."""
        amount = self.board.amount
        if not amount or is_hidden(self.user, self.pages.model, amount):
            found = counting.counts(parts, COUNT_LIMIT)
            return {one.key: self.head(one, found[one.key], []) for one in columns}
        currency = self.board.currency
        figures = counting.totals(parts, COUNT_LIMIT, self.board.amount, currency)
        return {
            one.key: self.head(
                one, sum(each.count for each in figures[one.key]), figures[one.key]
            )
            for one in columns
        }

    def head(
        self, column: BoardColumn, count: int, figures: list[counting.Figure]
    ) -> Head:
        """Return the figures in words."""
        chance = getattr(column.target, self.board.weight, None)
        known = [one for one in figures if one.amount]
        weighted = []
        if chance is not None and not column.is_closed:
            weighted = [
                formatting.money(one.amount * Decimal(chance) / 100, one.currency, 0)
                for one in known
            ]
        return Head(
            min(count, COUNT_LIMIT),
            count <= COUNT_LIMIT,
            [formatting.money(one.amount, one.currency, 0) for one in known],
            weighted,
            RECENT_DAYS if column.is_closed and self.board.closed_at else 0,
        )

    # --- cards --------------------------------------------------------------------

    def cards(self, keys: list[int]) -> list[Card]:
        """Return the cards of rows, in the order of the keys; one query for all."""
        return CardDesk(self).cards(keys)


def board_context(listing: Listing) -> dict[str, Any]:
    """Return what the templates of a board need."""
    layout = BoardLayout(listing)
    column = layout.columns.by_key(listing.query.get("column", ""))
    token = listing.query.get("page", "")
    following = layout.more(column, token) if column is not None and token else None
    is_part = following is not None and getattr(listing.request, "htmx", None)
    lanes = [] if is_part else layout.lanes()
    if following is not None:
        # Without a script "show more" opens the board with that column turned over.
        lanes = [
            replace(lane, cards=following.cards, more_url=following.more_url)
            if lane.column == column
            else lane
            for lane in lanes
        ]
    return {
        "board": layout.board,
        "groups": layout.groups(),
        "lanes": lanes,
        "lane": following,
        "here_url": layout.here_url,
        "quick_url": layout.pages.url("boardadd") if layout.board.quick else "",
        "can_move": scope_of(layout.user, Verb.CHANGE, layout.pages.model) is not None,
    }
