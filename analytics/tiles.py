"""Tiles of the start page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from analytics import charts, words
from analytics.models import AnalysisKey, Run
from analytics.presenting import overview_card
from analytics.selectors import (
    AnalysisState,
    analysis_states,
    clusters_of,
    visible_cluster_sizes,
)
from crm.access import Verb, can
from crm.generic.panels import Tile
from crm.generic.registry import register_tile
from customers.models import Customer

MOST_CLUSTERS = 6


def states_of(request: HttpRequest) -> dict[str, AnalysisState]:
    """Return the analyses that both tiles show, read once for the page."""
    if not hasattr(request, "_analysis_states"):
        states = analysis_states(request.user, with_jobs=False)
        request._analysis_states = {one.key: one for one in states}
    return request._analysis_states


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
        run = states_of(request)[AnalysisKey.SEGMENTATION].current
        if run is None:
            return {"rows": []}
        focus = request.focus
        clusters = clusters_of(run)
        sizes = visible_cluster_sizes(focus.user, run, focus.chosen)
        rows = [
            {
                "name": words.cluster_name(one.name_key),
                "size": sizes.get(one.number, 0),
                "url": charts.customers_url(cluster=one.number, **focus.people_query),
            }
            for one in clusters[:MOST_CLUSTERS]
        ]
        return {"rows": rows, "run": run}


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
        return {"cards": [overview_card(one) for one in states_of(request).values()]}
