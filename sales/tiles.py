"""What the start page shows of sales."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.formatting import money
from crm.generic.panels import Tile
from crm.generic.registry import register_tile
from sales.choices import LeadState
from sales.models import Lead, Opportunity, Order
from sales.presenting import order_list, sales_window
from sales.rules import days_until
from sales.selectors import (
    booked,
    compare,
    newest_day,
    open_leads,
    pipeline_by_stage,
)

if TYPE_CHECKING:
    from django.http import HttpRequest

PERIOD_DAYS = 30


@register_tile
class RevenueTile(Tile):
    """Revenue of the last days against the days before."""

    title = _("Revenue")
    template = "sales/_tile_revenue.html"
    order = 10
    requires = Order

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return the figures by currency, up to the newest order."""
        orders = booked(request.user)
        end = newest_day(orders)
        if end is None:
            return {"figures": []}
        period = days_until(end, PERIOD_DAYS)
        return {
            "days": PERIOD_DAYS,
            "period": period,
            "before": period.before(),
            "figures": [
                {
                    "one": one,
                    "url": order_list(one.currency, period),
                    "before_url": order_list(one.currency, period.before()),
                }
                for one in compare(orders, period)
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
        counts = open_leads(request.user)
        url = reverse("sales:lead_list")
        return {
            "total": sum(counts.values()),
            "list_url": f"{url}?open=true",
            "states": [
                {
                    "label": state.label,
                    "state": state,
                    "count": counts.get(state, 0),
                    "url": f"{url}?state={state}",
                }
                for state in (LeadState.NEW, LeadState.WORKING)
            ],
        }


@register_tile
class PipelineTile(Tile):
    """Open opportunities by stage."""

    title = _("Open opportunities")
    template = "sales/_tile_pipeline.html"
    order = 20
    requires = Opportunity

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return number and amount by stage and currency."""
        url = reverse("sales:opportunity_list")
        rows = [
            {
                "stage": gettext(one.stage),
                "count": one.count,
                "amount": money(one.amount, one.currency, 0),
                "url": f"{url}?stage={one.stage_id}&currency={one.currency}",
            }
            for one in pipeline_by_stage(request.user)
        ]
        return {
            "rows": rows,
            "total": sum(row["count"] for row in rows),
            "list_url": f"{url}?open=true",
        }


@register_tile
class SalesTile(Tile):
    """Sales over time."""

    title = _("Sales over time")
    template = "sales/_tile_sales.html"
    order = 30
    width = "two-thirds"
    requires = Order

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return a chart per currency, and the window that it shows."""
        return {
            "window": sales_window(request.user),
            "report_url": reverse("sales:report"),
        }
