"""What was reached of a target."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils import timezone

from analytics.performance.models import Kpi, Target
from crm.access import owners_in_reach
from crm.models import User
from customers.models import Customer
from sales.models import Order
from sales.selectors import between, day_after
from service.models import Ticket


@dataclass(frozen=True)
class Progress:
    """How far a target is reached, and how much of its time has passed."""

    reached: Decimal
    share: float
    time_share: float

    @property
    def on_track(self) -> bool:
        """Tell whether the target is reached at least as far as its time has passed."""
        return self.share >= self.time_share


def reached(*, user: User, target: Target) -> Decimal:
    """Return the figure of the target's owner in its period, as far as user may see."""
    period = (target.starts_on, target.ends_on)
    if target.kpi in (Kpi.REVENUE, Kpi.ORDERS):
        reach = owners_in_reach(user, Order)
        owners = [target.owner_id] if reach is None else {target.owner_id} & set(reach)
        days = [target.starts_on, day_after(target.ends_on)]
        (sums,) = between(days, list(owners))
        if target.kpi == Kpi.ORDERS:
            return Decimal(sum(one.sales for one in sums.values()))
        one = sums.get((target.currency, ""))
        return one.net if one else Decimal(0)
    if target.kpi == Kpi.NEW_CUSTOMERS:
        customers = Customer.objects.visible_to(user)
        return Decimal(
            customers.filter(owner=target.owner, customer_since__range=period).count()
        )
    tickets = Ticket.objects.visible_to(user)
    return Decimal(
        tickets.filter(owner=target.owner, solved_at__date__range=period).count()
    )


def progress(*, user: User, target: Target, today: date | None = None) -> Progress:
    """Return how far the target is reached."""
    today = today or timezone.localdate()
    done = reached(user=user, target=target)
    days = (target.ends_on - target.starts_on).days + 1
    passed = min(max((today - target.starts_on).days + 1, 0), days)
    share = float(done / target.value) if target.value else 0.0
    return Progress(reached=done, share=share, time_share=passed / days)
