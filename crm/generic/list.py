"""The list of a model's rows."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from crm.access import Verb, can
from crm.generic import inline
from crm.generic.addresses import BOARD, TABLE
from crm.generic.base import GenericPage
from crm.generic.board_layout import board_context
from crm.generic.builder import builder_context
from crm.generic.counting import Count
from crm.generic.keyset import LAST, BadTokenError, Page
from crm.generic.listing import PAGE_SIZE, Listing
from crm.generic.patience import TooSlowError, limited
from crm.generic.saved_views import copied, may_manage_all
from crm.models.lists import Density, SavedView

MAX_CHOICES = 20
# Asks for what is not sent before somebody opens it: the filters, or the columns.
PANEL = "panel"
FILTERS, COLUMNS = "filters", "columns"
# Parameters that neither narrow nor sort the rows.
AT_ONCE = {PANEL, "view", "page", "columns", "layout", "board", "column"}


class ListPage(GenericPage):
    """A page of 50 rows: rights, filters, search, order; parts of it for htmx."""

    template_name = "generic/list.html"
    part_name = "generic/_table.html"
    size: ClassVar[int] = PAGE_SIZE

    def get(self, request: HttpRequest) -> HttpResponse:
        """Answer with the whole page, or with the list alone to htmx."""
        listing = Listing(self.pages, request)
        panel = listing.query.get(PANEL)
        if self.wants_part() and panel == COLUMNS:
            columns = self.columns_context(listing)
            return self.render(columns, "generic/_layout_form.html")
        if self.wants_part() and panel:
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
        return {
            "listing": listing,
            "filterset": listing.all_filters,
            **builder_context(listing.conditions),
        }

    def filters_place(self, listing: Listing) -> dict[str, Any]:
        """Return the filters if they have to be seen, else the way to them."""
        has_errors = listing.filterset.has_errors or listing.conditions.errors
        if has_errors or listing.query.get(PANEL, COLUMNS) != COLUMNS:
            return {"filters_open": True, **self.filters_context(listing)}
        return {
            "filters_url": self.panel_url(listing, FILTERS),
            "filters_carried": listing.filterset.carried(listing.query),
        }

    def columns_place(self, listing: Listing) -> dict[str, Any]:
        """Return the menu of columns if it was asked for, else the way to it."""
        if listing.query.get(PANEL) == COLUMNS:
            return {"columns_open": True, **self.columns_context(listing)}
        return {"columns_url": self.panel_url(listing, COLUMNS)}

    def columns_context(self, listing: Listing) -> dict[str, Any]:
        """Return what the menu of columns needs; few visits open it, too."""
        address = copied(listing.query)
        address.pop(PANEL, None)
        return {
            "columns_address": address.urlencode(),
            "column_choices": listing.column_choices(),
            "density": density_of(listing),
            "density_choices": Density.choices,
        }

    def panel_url(self, listing: Listing, panel: str) -> str:
        """Return the address of a part of this list that is opened."""
        query = copied(listing.query)
        query[PANEL] = panel
        return f"{self.pages.url('list')}?{query.urlencode()}"

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
            **self.columns_place(listing),
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
        rows = listing.table.rows(page.objects, listing.columns, user, pages.row_urls())
        inline.mark_editable(rows, listing.columns, pages, user)
        return {
            "count": count,
            "page": page,
            "headings": listing.headings(),
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
            "density": density_of(listing),
        }

    def export_url(self, listing: Listing) -> str:
        """Return the address of the file with the same rows and columns."""
        url = self.pages.allowed_url(self.request.user, "export")
        return f"{url}{listing.url(page=None)}" if url else ""

    def get_page(self, listing: Listing, count: Count) -> Page:
        """Return the rows; a page that cannot be read is the first one."""
        keyset = listing.keyset(self.size)
        exact = count.number if count.is_exact else None
        try:
            return keyset.page(listing.query.get("page", ""), exact)
        except BadTokenError:
            messages.warning(
                self.request,
                _("That page of the list cannot be opened; this is the first one."),
            )
            return keyset.page("", exact)


def density_of(listing: Listing) -> str:
    """Return how high the person wants the rows."""
    return listing.kept.layout.get("density", Density.COMFORTABLE)


class ChoicesPage(GenericPage):
    """The rows that a picker offers while one types."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Answer with up to 20 visible rows whose text fits."""
        query = QueryDict(mutable=True)
        query["q"] = request.GET.get("q", "")
        listing = Listing(self.pages, request)
        # Neither saved views nor columns: only names are shown.
        listing.query, listing.columns = query, []
        page = listing.keyset(MAX_CHOICES).page()
        results = [{"id": row.pk, "text": str(row)} for row in page.objects]
        return JsonResponse({"results": results})
