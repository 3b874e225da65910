"""Named filters over tickets."""

from __future__ import annotations

from crm.access import VisibleQuerySet
from service.choices import OPEN_STATES


class TicketQuerySet(VisibleQuerySet):
    """Tickets."""

    def open(self) -> TicketQuerySet:
        """Keep what is not solved yet."""
        return self.filter(state__in=OPEN_STATES)

    def labelled(self) -> TicketQuerySet:
        """Keep tickets whose category a person or an import vouches for."""
        return self.filter(category__isnull=False).exclude(category_origin="")
