"""What the start page shows of sales."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.formatting import money
from crm.generic.panels import Tile
from crm.generic.registry import register_tile
from sales.choices import LeadState
from sales.models import Lead, Opportunity, Order
from sales.presenting import Elsewhere, charts_of, elsewhere, order_list
from sales.selectors import (
    RevenueOverTime,
    StageTotal,
    open_leads,
    pipeline_by_stage,
    revenue_over_time,
)

if TYPE_CHECKING:
    from django.http import HttpRequest


def revenue_of(request: HttpRequest) -> RevenueOverTime | None:
    """Return the revenue that both tiles show, read once for the page."""
    if not hasattr(request, "_revenue"):
        request._revenue = revenue_over_time(request.focus)
    return request._revenue


def elsewhere_of(request: HttpRequest) -> Elsewhere | None:
    """Return where the newest order is, read once for the page."""
    if not hasattr(request, "_elsewhere"):
        request._elsewhere = elsewhere(request.focus, request.path)
    return request._elsewhere


@register_tile
class RevenueTile(Tile):
    """Revenue of the period against the one before."""

    title = _("Revenue")
    template = "sales/_tile_revenue.html"
    order = 10
    requires = Order
    follows_period = True

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return the figures by currency."""
        focus, over_time = request.focus, revenue_of(request)
        found = over_time.found if over_time else []
        if not found:
            return {"figures": [], "elsewhere": elsewhere_of(request)}
        people = focus.people_query
        return {
            "period": over_time.span,
            "before": focus.before,
            "figures": [
                {
                    "one": one,
                    "url": order_list(one.currency, focus.period, **people),
                    "before_url": order_list(one.currency, focus.before, **people),
                }
                for one in found
            ],
        }


@register_tile
class OpenLeadsTile(Tile):
    """Leads that somebody should work on."""

    title = _("Open leads")
    template = "sales/_tile_leads.html"
    order = 40
    requires = Lead

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return the numbers by state."""
        counts = open_leads(request.focus)
        url = reverse("sales:lead_list")
        people = request.focus.people_query
        return {
            "total": sum(counts.values()),
            "list_url": f"{url}?{urlencode({'open': 'true'} | people)}",
            "states": [
                {
                    "label": state.label,
                    "state": state,
                    "count": counts.get(state, 0),
                    "url": f"{url}?{urlencode({'state': state.value} | people)}",
                }
                for state in (LeadState.NEW, LeadState.WORKING)
            ],
        }


def stage_query(one: StageTotal) -> dict[str, str]:
    """Return the filters that find the opportunities of a stage in a currency."""
    return {"stage": str(one.stage_id), "currency": one.currency}


@register_tile
class PipelineTile(Tile):
    """Open opportunities by stage."""

    title = _("Open opportunities")
    template = "sales/_tile_pipeline.html"
    order = 20
    requires = Opportunity

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return number and amount by stage and currency."""
        url, people = reverse("sales:opportunity_list"), request.focus.people_query
        rows = [
            {
                "stage": gettext(one.stage),
                "count": one.count,
                "amount": money(one.amount, one.currency, 0),
                "url": f"{url}?{urlencode(stage_query(one) | people)}",
            }
            for one in pipeline_by_stage(request.focus)
        ]
        return {
            "rows": rows,
            "total": sum(row["count"] for row in rows),
            "list_url": f"{url}?{urlencode({'open': 'true'} | people)}",
        }


@register_tile
class SalesTile(Tile):
    """Sales over time."""

    title = _("Sales over time")
    template = "sales/_tile_sales.html"
    order = 30
    width = "two-thirds"
    requires = Order
    follows_period = True

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return a chart per currency, and the days that they show."""
        over_time = revenue_of(request)
        charts = charts_of(request.focus, over_time) if over_time else []
        return {
            "charts": charts,
            "elsewhere": None if charts else elsewhere_of(request),
            "period": over_time and over_time.span,
            "report_url": reverse("sales:report") + request.focus.address,
        }
