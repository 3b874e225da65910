"""Pages of the matches of a search, whose ids are known in the order of the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import models
from django.db.models import F

from crm.generic.keyset import Keyset
from crm.generic.searching import AnyOf, Ids


class MatchedPages(Keyset):
    """Nothing is sorted, and of thousands only the rows that are shown are read.

    ``rows`` are those of which the ids match. A page that begins at a row which is no
    match any more, or not among those in order, is read as that of any other list
    (``otherwise``).
    """

    def __init__(
        self,
        rows: models.QuerySet,
        order: tuple[str, ...],
        size: int,
        ids: Ids,
        otherwise: Callable[[], Keyset],
    ) -> None:
        super().__init__(rows, order, size)
        self.ids = ids.first
        self.is_complete = len(self.ids) >= ids.count
        self.otherwise = otherwise

    def _fetch(
        self, values: list[Any] | None, *, backward: bool, limit: int | None = None
    ) -> list[Any]:
        limit = self.size + 1 if limit is None else limit
        is_missing = values is not None and values[-1] not in self.ids
        if is_missing or not (self.is_complete or (values is None and not backward)):
            return self.otherwise()._fetch(values, backward=backward, limit=limit)
        if backward:
            end = len(self.ids) if values is None else self.ids.index(values[-1])
            chosen = self.ids[max(0, end - limit) : end][::-1]
        else:
            start = 0 if values is None else self.ids.index(values[-1]) + 1
            chosen = self.ids[start : start + limit]
        read = self.queryset.filter(AnyOf(F("pk"), Ids.of(chosen)))
        found = {row.pk: row for row in read}
        return [found[pk] for pk in chosen if pk in found]
