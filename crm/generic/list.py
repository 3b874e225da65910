"""The list of a model's rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.db import models
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.utils.cache import patch_vary_headers
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from crm.access import Scope, Verb, can, scope_of
from crm.generic import inline, searching
from crm.generic.addresses import BOARD, TABLE, Addresses
from crm.generic.base import GenericPage
from crm.generic.board_layout import board_context
from crm.generic.builder import builder_context
from crm.generic.conditions import Conditions
from crm.generic.filters import VisibleFilterSet, filterset_for
from crm.generic.keyset import LAST, BadTokenError, Keyset, Page
from crm.generic.patience import TooSlowError, limited
from crm.generic.saved_views import KeptOfList, may_manage_all
from crm.generic.tables import Column, Heading
from crm.models.lists import Density, SavedView, Sharing

if TYPE_CHECKING:
    from crm.generic.pages import Pages
    from crm.models import User

PAGE_SIZE = 50
COUNT_LIMIT = 10_000
MAX_CHOICES = 20
# Asks for the filters, which are not sent before somebody opens them.
PANEL = "panel"
# Parameters that neither narrow nor sort the rows.
AT_ONCE = {PANEL, "view", "page", "columns", "layout", "board", "column"}


@dataclass(frozen=True)
class Count:
    """How many rows there are: exact up to a limit, else "more than"."""

    number: int
    is_exact: bool


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
        """Return the filters with the values of the address."""
        return filterset_for(
            self.pages.model, self.pages.filters, self.request, self.visible, self.query
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
        return searching.Matches(self.pages.model, self.search_text)

    @cached_property
    def layout(self) -> str:
        """Return how the rows are laid out."""
        wanted = self.query.get("layout")
        return BOARD if wanted == BOARD and self.pages.board else TABLE

    @cached_property
    def columns(self) -> list[Column]:
        """Return the columns to show: the address's, the person's, or the usual."""
        wanted = [name for name in self.query.get("columns", "").split(",") if name]
        wanted = wanted or self.kept.layout.get("columns", [])
        return self.table.columns_for(self.user, wanted)

    @cached_property
    def sort(self) -> tuple[str, bool] | None:
        """Return (key of the sorted column, descending), or None: the usual order."""
        name = self.query.get("sort", "")
        key = name.removeprefix("-")
        for column in self.columns:
            if column.sort and column.key == key:
                return key, name.startswith("-")
        return None

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Return the fields to order by."""
        if self.sort is None:
            return self.table.order()
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

    @property
    def is_understood(self) -> bool:
        """Tell whether every part of the address could be read."""
        return (
            not self.filterset.has_errors
            and not self.conditions.errors
            and not self.kept.is_missing
        )

    def rows(self) -> models.QuerySet:
        """Return the matching rows with all that the columns need, not yet ordered."""
        return self.table.prepare(self.matching, self.columns, self.request)

    def count(self) -> Count:
        """Count the matching rows, but not beyond the limit."""
        if self.search is not None and not self.search.is_listed:
            return self._count_frequent()
        known = self.search.count_listed(self.filtered) if self.search else None
        if known is not None:
            return Count(known, is_exact=True)
        some = self.matching.order_by().values("pk")[: COUNT_LIMIT + 1].count()
        return Count(min(some, COUNT_LIMIT), some <= COUNT_LIMIT)

    def _count_frequent(self) -> Count:
        """Count without looking at every row for a text that is everywhere."""
        number, is_exact = self.search.count_some(self.filtered)
        if not is_exact and self._sees_all_rows and not self.search.search.related:
            number = self.search.count_all(COUNT_LIMIT + 1)
            return Count(min(number, COUNT_LIMIT), number <= COUNT_LIMIT)
        return Count(number, is_exact)

    @property
    def _sees_all_rows(self) -> bool:
        """Tell whether neither rights nor filters hide any row."""
        scope = scope_of(self.user, self.verb, self.pages.model)
        is_narrowed = self.conditions.texts or self.filterset.chips(self.query.copy())
        return scope == Scope.ALL and not is_narrowed

    def headings(self) -> list[Heading]:
        """Return the heads of the columns, with the address that sorts by each."""
        found = []
        for column in self.columns:
            heading = Heading(column.heading(self.pages.model), column.align)
            heading.key = column.key
            heading.width = self.kept.layout.get("widths", {}).get(column.key)
            heading.reason = "" if column.sort else column.unsorted
            if column.sort:
                is_sorted = self.order[0].removeprefix("-") == column.sort
                descending = is_sorted and self.order[0].startswith("-")
                if is_sorted:
                    heading.direction = "descending" if descending else "ascending"
                prefix = "-" if is_sorted and not descending else ""
                heading.url = self.url(sort=f"{prefix}{column.key}", page=None)
            found.append(heading)
        return found


class ListPage(GenericPage):
    """A page of 50 rows: rights, filters, search, order; parts of it for htmx."""

    template_name = "generic/list.html"
    part_name = "generic/_table.html"
    size: ClassVar[int] = PAGE_SIZE

    def get(self, request: HttpRequest) -> HttpResponse:
        """Answer with the whole page, or with the list alone to htmx."""
        listing = Listing(self.pages, request)
        if self.wants_part() and listing.query.get(PANEL):
            return self.render(self.filters_context(listing), "generic/_filters.html")
        context = self.get_context(listing)
        template = self.part_name_of(listing) if self.wants_part() else ""
        response = self.render(context, template)
        patch_vary_headers(response, ["HX-Request"])
        return response

    def filters_context(self, listing: Listing) -> dict[str, Any]:
        """Return what the filters need once somebody opens them.

        Most visits never do, and their choices cost more than the rows do.
        """
        filterset = listing.filterset
        return {
            "listing": listing,
            "filterset": filterset,
            **builder_context(listing.conditions),
        }

    def filters_place(self, listing: Listing) -> dict[str, Any]:
        """Return the filters if they have to be seen, else the way to them."""
        has_errors = listing.filterset.has_errors or listing.conditions.errors
        if has_errors or listing.query.get(PANEL):
            return {"filters_open": True, **self.filters_context(listing)}
        query = listing.query.copy()
        query[PANEL] = "filters"
        return {
            "filters_url": f"{self.pages.url('list')}?{query.urlencode()}",
            "filters_carried": listing.filterset.carried(listing.query),
        }

    def part_name_of(self, listing: Listing) -> str:
        """Return the template of what htmx swaps."""
        if listing.layout == TABLE:
            return self.part_name
        more = listing.query.get("column")
        return "generic/_board_more.html" if more else "generic/_board.html"

    def wants_part(self) -> bool:
        """Tell whether htmx asks for the table, not for history or a whole page."""
        htmx = getattr(self.request, "htmx", None)
        return bool(htmx) and not htmx.boosted and not htmx.history_restore_request

    def get_context(self, listing: Listing) -> dict[str, Any]:
        """Return what the templates need; an app may add to it."""
        pages, user = self.pages, self.request.user
        if listing.kept.is_missing:
            messages.warning(
                self.request, _("That view is not there any more; this is everything.")
            )
        rows = self.rows_context(listing)
        return {
            "listing": listing,
            "filterset": listing.filterset,
            "chips": listing.chips(),
            "condition_groups": listing.condition_groups(),
            "bare_url": pages.url("list"),
            "add_url": pages.allowed_url(user, "add"),
            "has_quick_form": bool(pages.quick_fields),
            "can_edit": pages.form is not None and can(user, Verb.CHANGE, self.model),
            "import_url": pages.allowed_url(user, "import"),
            "export_url": self.export_url(listing),
            **self.kept_context(listing),
            **self.filters_place(listing),
            **rows,
        }

    def rows_context(self, listing: Listing) -> dict[str, Any]:
        """Return what table or board need; not for longer than a person waits."""
        read = board_context if listing.layout == BOARD else self.table_context
        if set(listing.query) <= AT_ONCE:
            # The usual order of all rows is read from an index.
            return read(listing)
        try:
            with limited():
                return read(listing)
        except TooSlowError:
            listing.layout = TABLE
            return {"is_too_slow": True, "count": Count(0, is_exact=True)}

    def table_context(self, listing: Listing) -> dict[str, Any]:
        """Return what the table needs."""
        count = listing.count()
        page = self.get_page(listing, count)
        pages, user = self.pages, self.request.user
        rows = listing.table.rows(
            page.objects, listing.columns, user, lambda obj: pages.url("detail", obj)
        )
        inline.mark_editable(rows, listing.columns, pages, user)
        return {
            "count": count,
            "page": page,
            "headings": listing.headings(),
            "column_choices": listing.column_choices(),
            "rows": rows,
            "first_url": listing.url(page=None) if page.previous else "",
            "previous_url": listing.url(page=page.previous) if page.previous else "",
            "next_url": listing.url(page=page.next) if page.next else "",
            "last_url": listing.url(page=LAST) if page.next else "",
            "bulk_actions": pages.bulk_actions_for(user),
            "selection_query": listing.everything.urlencode(),
        }

    def kept_context(self, listing: Listing) -> dict[str, Any]:
        """Return views, layout and the rows of the filter builder."""
        kept, user = listing.kept, self.request.user
        view = kept.view
        tabs = [one for one in kept.views if one.is_pinned or one == view]
        manages = view is not None and (
            view.owner_id == user.pk or may_manage_all(user)
        )
        return {
            "plain_url": listing.plain_url,
            "view_tabs": tabs,
            "view_menu": [one for one in kept.views if one not in tabs],
            "can_save_view": can(user, Verb.ADD, SavedView),
            "can_update_view": manages,
            "sharing_choices": Sharing.choices,
            "density": kept.layout.get("density", Density.COMFORTABLE),
            "density_choices": Density.choices,
        }

    def export_url(self, listing: Listing) -> str:
        """Return the address of the file with the same rows and columns."""
        url = self.pages.allowed_url(self.request.user, "export")
        return f"{url}{listing.url(page=None)}" if url else ""

    def get_page(self, listing: Listing, count: Count) -> Page:
        """Return the rows; a page that cannot be read is the first one."""
        keyset = Keyset(listing.rows(), listing.order, self.size)
        exact = count.number if count.is_exact else None
        try:
            return keyset.page(listing.query.get("page", ""), exact)
        except BadTokenError:
            messages.warning(
                self.request,
                _("That page of the list cannot be opened; this is the first one."),
            )
            return keyset.page("", exact)


class ChoicesPage(GenericPage):
    """The rows that a picker offers while one types."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Answer with up to 20 visible rows whose text fits."""
        rows = self.pages.queryset().visible_to(request.user)
        text = searching.clean_text(request.GET.get("q", ""))
        if text and self.pages.is_searchable:
            rows = searching.narrow(rows, text)
        results = [{"id": row.pk, "text": str(row)} for row in rows[:MAX_CHOICES]]
        return JsonResponse({"results": results})
