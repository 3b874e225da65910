"""Addresses of a list that differ from the present one, and its parts in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import QueryDict

from crm.generic.conditions import PARAMETER, Conditions
from crm.generic.filters import Chip, VisibleFilterSet
from crm.generic.saved_views import ALL, KeptOfList, copied

if TYPE_CHECKING:
    from crm.generic.pages import Pages
    from crm.generic.tables import Column, Table
    from crm.models import User

TABLE, BOARD = "table", "board"


@dataclass(frozen=True)
class ColumnChoice:
    """A column that can be shown or hidden."""

    key: str
    label: str
    is_shown: bool


class Addresses:
    """What a list's links say; the list itself reads the address."""

    pages: Pages
    user: User
    table: Table
    kept: KeptOfList
    query: QueryDict
    search_text: str
    filterset: VisibleFilterSet
    conditions: Conditions
    columns: list[Column]

    def url(self, **changes: str | None) -> str:
        """Return the address of this list with some parameters changed or removed."""
        view = self.kept.view
        if set(changes) <= {"page"} and view is not None and self.kept.is_alone:
            query = QueryDict(f"view={view.pk}", mutable=True)
        else:
            query = copied(self.query)
        for name, value in changes.items():
            query.pop(name, None)
            if value:
                query[name] = value
        if set(changes) <= {"page"}:
            return f"?{query.urlencode()}"
        return self.kept.url(query)

    @property
    def everything(self) -> QueryDict:
        """Return the whole address with what a view stands for, from its beginning."""
        query = copied(self.query)
        query.pop("page", None)
        return query

    @property
    def plain_url(self) -> str:
        """Return the address of all rows, in the same layout."""
        query = QueryDict(mutable=True)
        for name in ("layout", "board"):
            if self.query.get(name):
                query[name] = self.query[name]
        return self.kept.url(query)

    @property
    def table_url(self) -> str:
        """Return the address of the same rows as a table."""
        return self.url(layout=None, board=None, column=None, page=None)

    @property
    def board_url(self) -> str:
        """Return the address of the same rows as a board."""
        return self.url(layout=BOARD, column=None, page=None)

    @property
    def view_mark(self) -> str:
        """Return what keeps the view marked, or a view from opening, in a form."""
        if self.kept.view is not None:
            return str(self.kept.view.pk)
        return ALL if self.kept.default is not None else ""

    def chips(self) -> list[Chip]:
        """Return search and plain filters in words, each with the way back."""
        found = []
        if self.search_text:
            words = f"“{self.search_text}”"
            found.append(Chip("", words, self.url(q=None, page=None)))
        return found + self.filterset.chips(self.everything, self.kept.url)

    def condition_groups(self) -> list[list[Any]]:
        """Return the groups of conditions, each condition with the way back."""
        for place, group in enumerate(self.conditions.groups):
            for number, one in enumerate(group):
                query = self.everything
                query.setlist(PARAMETER, self.conditions.without(place, number))
                if not query.getlist(PARAMETER):
                    del query[PARAMETER]
                one.url = self.kept.url(query)
        return [group for group in self.conditions.groups if group]

    def column_choices(self) -> list[ColumnChoice]:
        """Return the shown columns in order, then every other one."""
        shown = {column.key: column for column in self.columns}
        every = self.table.columns_for(self.user, every=True)
        rest = [column for column in every if column.key not in shown]
        return [
            ColumnChoice(one.key, one.heading(self.pages.model), one.key in shown)
            for one in [*shown.values(), *rest]
        ]
