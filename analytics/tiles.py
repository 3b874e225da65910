"""Tiles of the start page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from analytics import charts, words
from analytics.models import Run
from analytics.presenting import overview_card
from analytics.selectors import analysis_states, segments_page, visible_cluster_sizes
from crm.access import Verb, can
from crm.generic.panels import Tile
from crm.generic.registry import register_tile
from customers.models import Customer

MOST_CLUSTERS = 6


@register_tile
class TopSegmentsTile(Tile):
    """The groups of customers that bring most, among those the person may see."""

    title = _("Customer groups")
    template = "analytics/_segments_tile.html"
    order = 35
    requires = Run

    def visible(self, user: Any) -> bool:
        """Show it to those who may see customers, too."""
        return super().visible(user) and can(user, Verb.VIEW, Customer)

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return the groups with the number of visible customers."""
        page = segments_page(request.user, in_short=True)
        if page is None:
            return {"rows": []}
        focus = request.focus
        sizes = visible_cluster_sizes(focus.user, page.run, focus.chosen)
        rows = [
            {
                "name": words.cluster_name(one.name_key),
                "size": sizes.get(one.number, 0),
                "url": charts.customers_url(cluster=one.number, **focus.people_query),
            }
            for one in page.clusters
        ]
        return {"rows": rows[:MOST_CLUSTERS], "run": page.run}


@register_tile
class ModelHealthTile(Tile):
    """Whether the analyses are there, how old they are, and how good."""

    title = _("Analyses")
    template = "analytics/_health_tile.html"
    order = 60
    requires = Run
    follows_people = False

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return each analysis with its main figure."""
        return {"cards": [overview_card(one) for one in analysis_states(request.user)]}
