"""Addresses of the lists behind a target's figure."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from analytics.performance.models import Kpi, Target
from crm.periods import Period
from sales.choices import OrderKind
from sales.presenting import order_list

DAY_OF = {
    Kpi.NEW_CUSTOMERS: ("customers:customer_list", "customer_since"),
    Kpi.TICKETS_SOLVED: ("service:ticket_list", "solved_at"),
}


def rows_behind(target: Target) -> str:
    """Return the address of the list of exactly the rows that the figure counts."""
    owner = str(target.owner_id)
    if target.kpi in (Kpi.REVENUE, Kpi.ORDERS):
        more = {"kind": OrderKind.SALE.value} if target.kpi == Kpi.ORDERS else {}
        period = Period(target.starts_on, target.ends_on)
        return order_list(target.currency, period, owner=owner, **more)
    name, day = DAY_OF[Kpi(target.kpi)]
    query = {
        "owner": owner,
        f"{day}_after": target.starts_on.isoformat(),
        f"{day}_before": target.ends_on.isoformat(),
    }
    return f"{reverse(name)}?{urlencode(query)}"
