"""What one address of a list means: the rows, and how they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.http import HttpRequest, QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from crm.access import Scope, Verb, has_shared, is_hidden, owners_in_reach, scope_of
from crm.custom.definitions import field_named
from crm.generic import searching
from crm.generic.addresses import BOARD, TABLE, Addresses
from crm.generic.conditions import Conditions
from crm.generic.counting import Count, count_up_to
from crm.generic.filters import VisibleFilterSet, belongs_to, filterset_for
from crm.generic.keyset import Keyset
from crm.generic.matched import MatchedPages
from crm.generic.saved_views import KeptOfList
from crm.generic.tables import Column, Heading
from crm.models.custom import PREFIX
from crm.search.declaration import search_of
from crm.search.query import MAX_LENGTH, too_long

if TYPE_CHECKING:
    from crm.generic.pages import Pages
    from crm.models import User

COUNT_LIMIT = 10_000
# What an address says besides its filters.
OWN_NAMES = frozenset(
    ("q", "group", "sort", "columns", "layout", "board", "column", "page", "view")
    + ("panel", "format")
)
PAGE_SIZE = 50


class Listing(Addresses):
    """What one address of a list means: rights, filters, search, order, columns.

    The page, the export and later the bulk actions all start from here, so that they
    always mean the same rows.
    """

    def __init__(
        self,
        pages: Pages,
        request: HttpRequest,
        verb: str = Verb.VIEW,
        query: QueryDict | None = None,
    ) -> None:
        self.pages, self.request, self.verb = pages, request, verb
        self.user: User = request.user
        self.table = pages.make_table()
        key = pages.model._meta.label_lower
        address = request.GET if query is None else query
        self.kept = KeptOfList(self.user, key, address)

    @cached_property
    def query(self) -> QueryDict:
        """Return the address, with what a saved view stands for."""
        return self.kept.query()

    @cached_property
    def visible(self) -> models.QuerySet:
        """Return all rows that the person may see (and export, and so on)."""
        rows = self.pages.queryset().visible_to(self.user)
        return rows if self.verb == Verb.VIEW else rows.visible_to(self.user, self.verb)

    @cached_property
    def filterset(self) -> VisibleFilterSet:
        """Return the filters that the address names, with their values."""
        return self._filters(only_asked=True)

    @cached_property
    def all_filters(self) -> VisibleFilterSet:
        """Return all filters with the values of the address, to be shown."""
        return self._filters(only_asked=False)

    def _filters(self, *, only_asked: bool) -> VisibleFilterSet:
        pages = self.pages
        return filterset_for(
            pages.model,
            pages.filters,
            self.request,
            self.visible,
            self.query,
            only_asked=only_asked,
        )

    @cached_property
    def search_text(self) -> str:
        """Return what is searched for."""
        return searching.clean_text(self.query.get("q", ""))

    @cached_property
    def conditions(self) -> Conditions:
        """Return the groups of conditions of the address."""
        return Conditions(self.pages, self.user, self.query)

    @cached_property
    def matching(self) -> models.QuerySet:
        """Return the visible rows that pass filters, conditions and the search."""
        rows = self.filtered
        return rows if self.search is None else self.search.narrow(rows)

    @cached_property
    def filtered(self) -> models.QuerySet:
        """Return the visible rows that pass filters and conditions."""
        return self.conditions.apply(self.filterset.apply())

    @cached_property
    def search(self) -> searching.Matches | None:
        """Return what the search text matches, if there is one."""
        if not self.search_text or not self.pages.is_searchable:
            return None
        # Where a page begins is only known once all are in order.
        size = searching.MAX_IDS if self.query.get("page") else PAGE_SIZE + 1
        return searching.Matches(
            self.pages.model, self.search_text, self._owners, self.user, size
        )

    @cached_property
    def _owners(self) -> list[int] | None:
        """Return whose rows are all that is visible; None without such a limit."""
        search = search_of(self.pages.model)
        if search is None or not search.owner:
            return None
        if has_shared(self.user, Verb.VIEW, self.pages.model):
            return None
        return owners_in_reach(self.user, self.pages.model)

    @cached_property
    def listed(self) -> searching.Ids | None:
        """Return the matching rows as ids in the usual order, where those are all."""
        if self.search is None or self.verb != Verb.VIEW:
            return None
        base, visible, filtered = (
            len(rows.query.where.children)
            for rows in (self.pages.queryset(), self.visible, self.filtered)
        )
        knows_rights = visible == 0 or (base == 0 and self._owners is not None)
        return self.search.ids if knows_rights and filtered == visible else None

    @cached_property
    def layout(self) -> str:
        """Return how the rows are laid out."""
        wanted = self.query.get("layout")
        return BOARD if wanted == BOARD and self.pages.board else TABLE

    @cached_property
    def columns(self) -> list[Column]:
        """Return the columns to show: the address's, the person's, or the usual."""
        wanted = self.named_columns or self.kept.layout.get("columns", [])
        return self.table.columns_for(self.user, wanted)

    @property
    def named_columns(self) -> list[str]:
        """Return the keys of the columns that the address or the view names."""
        return [name for name in self.query.get("columns", "").split(",") if name]

    @property
    def notes(self) -> list[str]:
        """Return sentences if the address names custom fields that are not in use."""
        shown, by = self._gone(self.named_columns), self._gone([self.wanted_sort])
        found = []
        if len(" ".join(self.query.get("q", "").split())) > MAX_LENGTH:
            found.append(too_long())
        if self.left_out:
            text = _(
                "Not filtered by this, because there is no such filter, or not for "
                "you: %(names)s."
            )
            found.append(text % {"names": ", ".join(self.left_out)})
        if shown:
            text = _("No longer shown, because it is not in use: %(names)s.")
            found.append(text % {"names": ", ".join(shown)})
        if by:
            text = _("No longer sorted by this, because it is not in use: %(name)s.")
            found.append(text % {"name": by[0]})
        elif self.wanted_sort.startswith(PREFIX) and self.sort is None:
            found += self._why_unsorted()
        return found

    def _gone(self, names: list[str]) -> list[str]:
        """Return what the custom fields among the names are called that are gone."""
        known = set(self.table.keys)
        gone = [
            field_named(self.pages.model, name)
            for name in names
            if name.startswith(PREFIX) and name not in known
        ]
        words = [one.title for one in gone if one]
        return words or ([_("A custom field")] if gone else [])

    def _why_unsorted(self) -> list[str]:
        """Return why the list is not sorted by the custom field of the address."""
        for column in self.columns:
            if column.key == self.wanted_sort:
                label = column.heading(self.pages.model)
                return [f"{label}: {column.unsorted}"]
        return []

    @property
    def wanted_sort(self) -> str:
        """Return the key of the column that the address or the view sorts by."""
        return self.query.get("sort", "").removeprefix("-")

    @cached_property
    def sort(self) -> tuple[str, bool] | None:
        """Return (key of the sorted column, descending), or None: the usual order."""
        name, key = self.query.get("sort", ""), self.wanted_sort
        for column in self.columns:
            if column.sort and column.key == key:
                return key, name.startswith("-")
        return None

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Return the fields to order by."""
        if self.sort is None:
            order = self.table.order()
            model = self.pages.model
            is_told = any(is_hidden(self.user, model, path) for path in order)
            # The order alone would tell something of what is hidden.
            return ("-pk",) if is_told else order
        key, descending = self.sort
        column = next(one for one in self.columns if one.key == key)
        path = str(column.sort)
        if descending:
            path = path.removeprefix("-") if path.startswith("-") else f"-{path}"
        return (path,)

    @cached_property
    def is_narrowed(self) -> bool:
        """Tell whether a filter, a condition or a search hides rows."""
        return bool(
            self.search_text
            or self.conditions.texts
            or self.filterset.chips(self.query)
        )

    @cached_property
    def left_out(self) -> list[str]:
        """Return the names in the address that stand for no filter of the reader's."""
        known = self.filterset.filters
        return [
            name
            for name, value in self.query.items()
            if value and name not in OWN_NAMES and not belongs_to(name, known)
        ]

    @property
    def is_understood(self) -> bool:
        """Tell whether every part of the address could be read."""
        return (
            not self.filterset.has_errors
            and not self.left_out
            and not self.conditions.errors
            and not self.kept.is_missing
        )

    def rows(self) -> models.QuerySet:
        """Return the matching rows with all that the columns need, not yet ordered."""
        return self.table.prepare(self.matching, self.columns, self.request)

    def keyset(self, size: int) -> Keyset:
        """Return the way to read the rows page by page."""
        place = self.listed and self.search.search.place
        if not place or self.order not in ((place,), (place, "pk")):
            return Keyset(self.rows(), self.order, size)
        return MatchedPages(
            self.table.prepare(self.filtered, self.columns, self.request),
            self.order,
            size,
            self.listed,
            otherwise=lambda: Keyset(self.rows(), self.order, size),
        )

    def count(self) -> Count:
        """Count the matching rows, but not beyond the limit."""
        if self.search is not None and not self.search.is_listed:
            return self._count_frequent()
        if self.listed is not None:
            return Count(self.listed.count, is_exact=True)
        return count_up_to(self.matching, COUNT_LIMIT)

    def _count_frequent(self) -> Count:
        """Count without looking at every row for a text that is everywhere."""
        number, is_exact = self.search.count_some(self.filtered)
        searched = self.search.search
        is_plain = not searched.related and not searched.is_checked
        if not is_exact and self._sees_all_rows and is_plain:
            number = self.search.count_all(COUNT_LIMIT + 1)
            return Count(min(number, COUNT_LIMIT), number <= COUNT_LIMIT)
        return Count(number, is_exact)

    @property
    def _sees_all_rows(self) -> bool:
        """Tell whether neither rights nor filters hide any row."""
        scope = scope_of(self.user, self.verb, self.pages.model)
        is_narrowed = self.conditions.texts or self.filterset.chips(self.query)
        return scope == Scope.ALL and not is_narrowed

    def headings(self) -> list[Heading]:
        """Return the heads of the columns, with the address that sorts by each."""
        found = []
        for column in self.columns:
            heading = Heading(column.heading(self.pages.model), column.align)
            heading.key = column.key
            heading.width = self.kept.layout.get("widths", {}).get(column.key)
            heading.reason = column.reason()
            if column.sort:
                is_sorted = self.order[0].removeprefix("-") == column.sort
                descending = is_sorted and self.order[0].startswith("-")
                if is_sorted:
                    heading.direction = "descending" if descending else "ascending"
                prefix = "-" if is_sorted and not descending else ""
                heading.url = self.url(sort=f"{prefix}{column.key}", page=None)
            found.append(heading)
        return found
