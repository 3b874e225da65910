"""Rows that a person chose on a list: some of them, or all that its address means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from crm.access import Verb
from crm.exceptions import UserVisibleError
from crm.generic.counting import Count
from crm.generic.listing import Listing

if TYPE_CHECKING:
    from crm.generic.pages import Pages
    from crm.models import User

# More single rows than anyone ticks; beyond, "all results" says it better.
MAX_IDS = 10_000
# Longer than any address that a browser sends.
MAX_QUERY = 20_000


@dataclass(frozen=True)
class Selection:
    """Chosen rows: ``ids``, or without them all that match the list's ``query``.

    The rows are looked up anew each time, with the rights of who asks, so a selection
    can be kept and sent on without giving anything away.
    """

    query: str = ""
    ids: tuple[int, ...] | None = None

    @classmethod
    def of(cls, data: QueryDict) -> Selection:
        """Read what a list has sent; raises UserVisibleError if it is unreadable."""
        query = data.get("query", "").removeprefix("?")
        if len(query) > MAX_QUERY or "\x00" in query:
            raise UserVisibleError(unreadable())
        if data.get("all"):
            return cls(query)
        texts = [*data.getlist("pk"), *data.get("ids", "").split(",")]
        texts = [text for text in texts if text]
        ids = {int(text) for text in texts if _is_number(text)}
        # One that cannot be read might stand for another row: then none is taken.
        if not texts or not all(map(_is_number, texts)):
            raise UserVisibleError(_("Choose the rows first."))
        if len(ids) > MAX_IDS:
            raise UserVisibleError(
                _("These are too many single rows. Narrow the list and choose all.")
            )
        return cls(query, tuple(sorted(ids)))

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Selection:
        """Read what ``params`` gave."""
        ids = params["ids"]
        return cls(params["query"], None if ids is None else tuple(ids))

    def params(self) -> dict[str, Any]:
        """Return the selection as JSON can hold it."""
        ids = None if self.ids is None else list(self.ids)
        return {"query": self.query, "ids": ids}

    def listing(self, pages: Pages, user: User, verb: str = Verb.VIEW) -> Listing:
        """Return the list narrowed to the chosen rows that the person may treat so."""
        request = HttpRequest()
        request.user = user
        request.GET = QueryDict(self.query)
        listing = Listing(pages, request, verb, request.GET)
        if self.ids is not None:
            # What was searched for when they were chosen does not matter any more.
            listing.search = None
            listing.matching = listing.visible.filter(pk__in=self.ids)
        elif not listing.is_understood:
            # The list shows what it can read; a change must not guess.
            raise UserVisibleError(unreadable())
        return listing

    def count(self, pages: Pages, user: User) -> Count:
        """Return how many rows were chosen, reachable or not."""
        if self.ids is not None:
            return Count(len(self.ids), is_exact=True)
        return self.listing(pages, user).count()

    def list_url(self, pages: Pages) -> str:
        """Return the address of the list where the rows were chosen."""
        query = QueryDict(self.query).urlencode()
        return f"{pages.url('list')}?{query}" if query else pages.url("list")

    def fields(self) -> dict[str, str]:
        """Return the hidden fields that carry the selection to the next step."""
        if self.ids is None:
            return {"query": self.query, "all": "1"}
        return {"query": self.query, "ids": ",".join(map(str, self.ids))}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def unreadable() -> str:
    """Return why nothing is done with the list."""
    return _(
        "The list has a filter that cannot be read, so it is not certain which rows "
        "are meant. Correct the filter, then choose again."
    )
