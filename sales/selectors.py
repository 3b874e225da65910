"""What the pages of sales show; everything is narrowed to what the reader may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from crm.models import User
from customers.models import Customer
from sales.choices import OrderKind
from sales.models import Lead, Opportunity, Order
from sales.rules import Period, average_sale, share_of_change

SALES = Q(kind=OrderKind.SALE)
RETURNS = Q(kind=OrderKind.RETURN)
ZERO = Decimal(0)


@dataclass(frozen=True)
class Totals:
    """Booked orders in one currency; ``net`` is sales less returns."""

    currency: str
    sales: int
    returns: int
    sold: Decimal
    returned: Decimal

    @property
    def net(self) -> Decimal:
        """Return what was sold less what came back."""
        return self.sold + self.returned

    @property
    def average(self) -> Decimal | None:
        """Return the net total per sale."""
        return average_sale(self.net, self.sales)


def booked(user: User) -> QuerySet:
    """Return the orders that count as revenue and that the reader may see."""
    return Order.objects.visible_to(user).booked()


def grouped(orders: QuerySet, *by: str) -> QuerySet:
    """Sum orders up by currency and more; amounts of two currencies never meet."""
    return (
        orders.order_by()
        .values("currency", *by)
        .annotate(
            sales=Count("pk", filter=SALES),
            returns=Count("pk", filter=RETURNS),
            sold=Sum("total", filter=SALES),
            returned=Sum("total", filter=RETURNS),
        )
        .order_by("currency", *by)
    )


def totals_of(row: dict[str, Any]) -> Totals:
    """Return the totals in one row of ``grouped``."""
    return Totals(
        currency=row["currency"],
        sales=row["sales"],
        returns=row["returns"],
        sold=row["sold"] or ZERO,
        returned=row["returned"] or ZERO,
    )


def totals(orders: QuerySet) -> list[Totals]:
    """Return the totals by currency, the biggest first."""
    found = [totals_of(row) for row in grouped(orders)]
    return sorted(found, key=lambda one: (-abs(one.net), one.currency))


# --- One customer ---------------------------------------------------------------------


@dataclass(frozen=True)
class CustomerSales:
    """What a customer bought."""

    totals: list[Totals]
    newest: list[Order]


def customer_sales(user: User, customer: Customer, limit: int = 5) -> CustomerSales:
    """Return totals of the booked orders and the newest orders of any state."""
    orders = Order.objects.visible_to(user).filter(customer=customer)
    newest = list(orders.order_by("-placed_at", "-pk")[:limit])
    return CustomerSales(totals(orders.booked()) if newest else [], newest)


def customer_opportunities(
    user: User, customer: Customer, limit: int = 5
) -> list[Opportunity]:
    """Return the customer's newest opportunities."""
    found = Opportunity.objects.visible_to(user).filter(customer=customer)
    return list(found.select_related("stage").order_by("-created_at", "-pk")[:limit])


# --- Start page and report ------------------------------------------------------------


def newest_day(orders: QuerySet) -> date | None:
    """Return the reader's day of the newest order; one dated ahead does not count."""
    past = orders.filter(placed_at__lte=timezone.now())
    newest = past.aggregate(newest=Max("placed_at"))["newest"]
    return timezone.localtime(newest).date() if newest else None


def within(orders: QuerySet, period: Period) -> QuerySet:
    """Keep the orders of a period of the reader's days."""
    return orders.filter(
        placed_at__gte=start_of(period.start),
        placed_at__lt=start_of(date.fromordinal(period.end.toordinal() + 1)),
    )


def start_of(day: date) -> datetime:
    """Return the first moment of a day on the reader's clock."""
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001


def by_month(orders: QuerySet) -> dict[str, dict[date, Totals]]:
    """Return {currency: {first day of the month: totals}}."""
    rows = grouped(orders.annotate(month=TruncMonth("placed_at")), "month")
    found: dict[str, dict[date, Totals]] = {}
    for row in rows:
        month = timezone.localtime(row["month"]).date()
        found.setdefault(row["currency"], {})[month] = totals_of(row)
    return found


def by_country(orders: QuerySet) -> dict[str, list[tuple[str, Totals]]]:
    """Return {currency: [(country, totals)]}, the biggest first."""
    found: dict[str, list[tuple[str, Totals]]] = {}
    for row in grouped(orders, "country"):
        pair = (row["country"], totals_of(row))
        found.setdefault(row["currency"], []).append(pair)
    for rows in found.values():
        rows.sort(key=lambda pair: (-pair[1].net, pair[0]))
    return found


@dataclass(frozen=True)
class Comparison:
    """What a period brought in one currency, beside the period before it."""

    currency: str
    now: Decimal
    before: Decimal

    @property
    def change(self) -> float | None:
        """Return the change as a share."""
        return share_of_change(self.now, self.before)


def compare(orders: QuerySet, period: Period) -> list[Comparison]:
    """Return revenue of a period and of the one before, by currency."""
    now = {one.currency: one.net for one in totals(within(orders, period))}
    before = {one.currency: one.net for one in totals(within(orders, period.before()))}
    found = [
        Comparison(currency, now.get(currency, ZERO), before.get(currency, ZERO))
        for currency in sorted(now.keys() | before.keys())
    ]
    return sorted(found, key=lambda one: -one.now)


def open_leads(user: User) -> dict[str, int]:
    """Return how many open leads there are by state."""
    rows = Lead.objects.visible_to(user).open().order_by().values("state")
    return dict(rows.annotate(count=Count("pk")).values_list("state", "count"))


@dataclass(frozen=True)
class StageTotal:
    """The open opportunities of one stage in one currency."""

    stage_id: int
    stage: str
    currency: str
    count: int
    amount: Decimal


def pipeline_by_stage(user: User) -> list[StageTotal]:
    """Return open opportunities by stage and currency, in the order of the stages."""
    rows = (
        Opportunity.objects.visible_to(user)
        .open()
        .order_by()
        .values("stage", "stage__name", "currency")
        .annotate(count=Count("pk"), amount=Sum("amount"))
        .order_by("stage__pipeline", "stage__position", "currency")
    )
    return [
        StageTotal(
            row["stage"],
            row["stage__name"],
            row["currency"],
            row["count"],
            row["amount"] or ZERO,
        )
        for row in rows
    ]


# --- Leads ----------------------------------------------------------------------------


def similar_customers(user: User, lead: Lead, limit: int = 5) -> list[Customer]:
    """Return customers with the lead's mail address, phone number or name."""
    same = Q(name__iexact=lead.company or lead.name)
    if lead.email:
        same |= Q(email__iexact=lead.email)
    if lead.phone:
        same |= Q(phone=lead.phone)
    return list(Customer.objects.visible_to(user).filter(same)[:limit])
