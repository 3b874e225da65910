"""The rows before and after one, in the list from which one came to it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from crm.generic.base import GenericPage
from crm.generic.keyset import Keyset
from crm.generic.listing import Listing


class NeighboursPage(GenericPage):
    """Two links and the way back; the address is the list's own query."""

    template_name = "generic/_neighbours.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Find the neighbours by the row's own sort values: two bounded queries."""
        listing = Listing(self.pages, request)
        everything = listing.table.prepare(listing.visible, listing.columns, request)
        row = self.find(pk, Keyset(everything, listing.order).queryset)
        before, after = Keyset(listing.rows(), listing.order).neighbours(row)
        return self.render(
            {
                "object": row,
                "before": before,
                "after": after,
                # The row itself may have left the list, perhaps by what was just saved.
                "has_left": not listing.matching.filter(pk=row.pk).exists(),
                "before_url": self.pages.url("detail", before) if before else "",
                "after_url": self.pages.url("detail", after) if after else "",
                "back_url": f"{self.pages.url('list')}{listing.url()}",
            }
        )
