"""Named filters over sales."""

from __future__ import annotations

from crm.access import VisibleQuerySet
from sales.choices import BOOKED_STATES, OPEN_LEAD_STATES, StageKind


class OrderQuerySet(VisibleQuerySet):
    """Orders."""

    def booked(self) -> OrderQuerySet:
        """Keep what counts as revenue: neither drafts nor cancelled orders."""
        return self.filter(state__in=BOOKED_STATES)


class LeadQuerySet(VisibleQuerySet):
    """Leads."""

    def open(self) -> LeadQuerySet:
        """Keep the leads somebody should still work on."""
        return self.filter(state__in=OPEN_LEAD_STATES)


class OpportunityQuerySet(VisibleQuerySet):
    """Opportunities."""

    def open(self) -> OpportunityQuerySet:
        """Keep what is neither won nor lost."""
        return self.filter(stage__kind=StageKind.OPEN)
