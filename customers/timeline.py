"""One timeline of everything that happened with a customer.

Upper apps add what they know by ``register_timeline(Source())``. A source is asked for
the newest ``limit`` events that the reader may see; the timeline merges them.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from crm.access import Verb, can
from crm.models.users import name_parts
from crm.statements import KeptQuery

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import Model

    from crm.models import User
    from customers.models import Customer


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event; ``state`` is a code that colours the badge ``badge``."""

    at: datetime
    title: str
    icon: str
    url: str = ""
    text: str = ""
    badge: str = ""
    state: str = ""
    person: str = ""


def newest(
    model: type[Model],
    at: str,
    *values: str,
    of: str = "customer",
    person: str = "owner",
) -> KeptQuery:
    """Return the query for a customer's newest rows that the reader may see.

    A row is its moment, the values, and what ``full_name`` asks of the person.
    """
    return KeptQuery(
        lambda user, customer, limit: (
            model.objects.visible_to(user)
            .filter(**{of: customer})
            .order_by(f"-{at}", "-pk")
            .values_list(at, *values, *name_parts(person))[:limit]
        ),
        model,
    )


class TimelineSource:
    """A kind of event; subclasses set the attributes and implement ``entries``."""

    key: str = ""
    label: Any = ""
    requires: type[Model] | None = None
    # A template would call a source, because it can be called, instead of reading it.
    do_not_call_in_templates = True

    def __call__(
        self, user: User, customer: Customer, limit: int
    ) -> list[TimelineEntry]:
        """Return the newest events that the reader may see, newest first."""
        return list(self.entries(user, customer, limit)) if self.visible(user) else []

    def visible(self, user: User) -> bool:
        """Tell whether the reader may see such events at all."""
        return self.requires is None or can(user, Verb.VIEW, self.requires)

    def entries(
        self, user: User, customer: Customer, limit: int
    ) -> Iterable[TimelineEntry]:
        """Return the newest events, narrowed by ``visible_to(user)``."""
        raise NotImplementedError


@dataclass(frozen=True)
class TimelinePage:
    """Some of the events, and whether there are newer and older ones."""

    entries: list[TimelineEntry]
    number: int
    has_older: bool


_sources: dict[str, TimelineSource] = {}
SIZE = 15
LAST_PAGE = 200


def register_timeline(source: TimelineSource) -> None:
    """Add a kind of event to every customer's timeline."""
    _sources[source.key] = source


def sources_for(user: User) -> list[TimelineSource]:
    """Return the kinds of events that the reader may see."""
    return [source for source in _sources.values() if source.visible(user)]


def timeline(
    *, user: User, customer: Customer, kind: str = "", page: int = 1
) -> TimelinePage:
    """Return one page of events, newest first; of one kind if named."""
    page = min(max(page, 1), LAST_PAGE)
    sources = sources_for(user)
    if kind in _sources:
        sources = [source for source in sources if source.key == kind]
    end = page * SIZE
    # Each source answers its newest rows by an index; older pages are rarely opened.
    parts = [source(user, customer, end + 1) for source in sources]
    merged = heapq.merge(*parts, key=lambda entry: entry.at, reverse=True)
    found = list(islice(merged, end - SIZE, end + 1))
    return TimelinePage(found[:SIZE], page, has_older=len(found) > SIZE)
