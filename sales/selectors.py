"""What the pages of sales show; everything is narrowed to what the reader may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from crm.access import hidden_fields
from crm.generic.focus import Focus
from crm.models import User
from crm.periods import Period, months_of
from crm.statements import KeptQuery, columns_of, read_all, row_of
from customers.models import Customer
from sales.choices import BOOKED_STATES, OPEN_LEAD_STATES, OrderKind, StageKind
from sales.models import Lead, Opportunity, Order
from sales.rules import share_of_change
from sales.sums import Sums, Totals, first_and_last_day, stretches

ZERO = Decimal(0)


def booked(user: User) -> QuerySet:
    """Return the orders that count as revenue and that the reader may see."""
    return Order.objects.visible_to(user).booked()


TOTALLED = ("currency", "sales", "returns", "sold", "returned")


def lines_by_currency(orders: QuerySet) -> QuerySet:
    """Return a line with what ``TOTALLED`` names for each currency of the orders."""
    sale, back = Q(kind=OrderKind.SALE), Q(kind=OrderKind.RETURN)
    return (
        orders.order_by()
        .values("currency")
        .annotate(
            sales=Count("pk", filter=sale),
            returns=Count("pk", filter=back),
            sold=Coalesce(Sum("total", filter=sale), ZERO),
            returned=Coalesce(Sum("total", filter=back), ZERO),
        )
    )


def totals(orders: QuerySet) -> list[Totals]:
    """Return the totals of a few orders by currency, the biggest first."""
    return biggest_first(Totals(**row) for row in lines_by_currency(orders))


def biggest_first(found: Iterable[Totals]) -> list[Totals]:
    """Sort totals of several currencies."""
    return sorted(found, key=lambda one: (-abs(one.net), one.currency))


# --- One customer ---------------------------------------------------------------------


@dataclass(frozen=True)
class CustomerSales:
    """What a customer bought."""

    totals: list[Totals]
    newest: list[Order]


def _of_customer(user: User, customer: int) -> QuerySet:
    return Order.objects.visible_to(user).filter(customer=customer)


NEWEST_OF_CUSTOMER = KeptQuery(
    lambda user, customer, limit: (
        _of_customer(user, customer)
        .order_by("-placed_at", "-pk")
        .values_list(*columns_of(Order))[:limit]
    ),
    Order,
)
TOTALS_OF_CUSTOMER = KeptQuery(
    lambda user, customer: lines_by_currency(
        _of_customer(user, customer).booked()
    ).values_list(*TOTALLED),
    Order,
)


def customer_sales(user: User, customer: Customer, limit: int = 5) -> CustomerSales:
    """Return totals of the booked orders and the newest orders of any state."""
    rows = NEWEST_OF_CUSTOMER.rows(user, customer.pk, limit=limit)
    sums = TOTALS_OF_CUSTOMER.rows(user, customer.pk) if rows else []
    return CustomerSales(
        biggest_first(Totals(*row) for row in sums),
        [row_of(Order, row) for row in rows],
    )


def customer_opportunities(
    user: User, customer: Customer, limit: int = 5
) -> list[Opportunity]:
    """Return the customer's newest opportunities."""
    found = Opportunity.objects.visible_to(user).filter(customer=customer)
    return list(found.select_related("stage").order_by("-created_at", "-pk")[:limit])


# --- Start page and report ------------------------------------------------------------


NEWEST = """
    SELECT max(x.placed_at) FROM unnest(%s::bigint[]) person (id), LATERAL (
        SELECT placed_at FROM sales_order
        WHERE owner_id = person.id AND state = ANY(%s) AND placed_at <= %s
        ORDER BY placed_at DESC LIMIT 1
    ) x
"""


def newest_day(owners: list[int] | None) -> date | None:
    """Return the reader's day of the newest order; one dated ahead does not count.

    One look into the index per person; None are all people.
    """
    now = timezone.now()
    if owners is None:
        past = Order.objects.booked().filter(placed_at__lte=now)
        newest = past.order_by("-placed_at").values_list("placed_at", flat=True).first()
    else:
        with connection.cursor() as cursor:
            cursor.execute(NEWEST, [owners, list(BOOKED_STATES), now])
            (newest,) = cursor.fetchone()
    return timezone.localtime(newest).date() if newest else None


def start_of(day: date) -> datetime:
    """Return the first moment of a day on the reader's clock."""
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001


def day_after(day: date) -> date:
    """Return the next day."""
    return day + timedelta(days=1)


def between(
    days: Sequence[date], owners: list[int] | None, *, by_country: bool = False
) -> list[Sums]:
    """Return the sums between each of the reader's days and the next."""
    moments = [start_of(day) for day in days]
    return stretches(moments, owners, by_country=by_country)


# Up to so many days a chart has a bar for each day, above for each month: every bar
# costs a look at the orders around the reader's midnight.
MOST_DAYS = 35
# Longer periods are cut down to the days on which there are orders.
LONG = 3660


@dataclass(frozen=True)
class Revenue:
    """What a period brought in one currency: altogether, step by step, and before."""

    now: Totals
    before: Totals
    steps: dict[date, Totals]

    @property
    def currency(self) -> str:
        """Return the currency of all."""
        return self.now.currency

    @property
    def change(self) -> float | None:
        """Return the change of the net total as a share."""
        return share_of_change(self.now.net, self.before.net)


@dataclass(frozen=True)
class RevenueOverTime:
    """The days that a page looks at, cut into steps, and the revenue by currency."""

    span: Period
    unit: str
    steps: list[date]
    found: list[Revenue]


def revenue_over_time(focus: Focus) -> RevenueOverTime | None:
    """Return the revenue of the focus and of the period before; one or two queries.

    None where there cannot be any order.
    """
    span = focus.period
    if span.days > LONG:
        every = all_time()
        span = span.clip(every) if every else None
    if span is None:
        return None
    unit = "day" if span.days <= MOST_DAYS else "month"
    steps = [span.start, *starts_of(unit, span)[1:]]
    cuts = [*steps, day_after(span.end)]
    before = focus.before
    if before is not None:
        cuts = [before.start, *{day_after(before.end)} - {span.start}, *cuts]
    sums = between(cuts, focus.owners(Order))
    earlier = sums[0] if before is not None else {}
    return RevenueOverTime(
        span, unit, steps, by_currency(steps, sums[-len(steps) :], earlier)
    )


def starts_of(unit: str, span: Period) -> list[date]:
    """Return the days, or the first days of the months, of a span."""
    if unit == "month":
        return months_of(span)
    return [span.start + timedelta(days=number) for number in range(span.days)]


def by_currency(steps: list[date], sums: list[Sums], earlier: Sums) -> list[Revenue]:
    """Put the sums of the steps together by currency, the biggest first."""
    found: dict[str, dict[date, Totals]] = {key[0]: {} for key in earlier}
    for step, parts in zip(steps, sums, strict=True):
        for (currency, _country), one in parts.items():
            found.setdefault(currency, {})[step] = one
    rows = [
        Revenue(
            now=reduce(Totals.plus, parts.values(), Totals(currency)),
            before=earlier.get((currency, ""), Totals(currency)),
            steps=parts,
        )
        for currency, parts in found.items()
    ]
    return sorted(rows, key=lambda one: (-abs(one.now.net), one.currency))


def by_country(
    period: Period, owners: list[int] | None
) -> dict[str, list[tuple[str, Totals]]]:
    """Return {currency: [(country, totals)]}, the biggest first; one query."""
    cuts = [period.start, day_after(period.end)]
    (sums,) = between(cuts, owners, by_country=True)
    found: dict[str, list[tuple[str, Totals]]] = {}
    for (currency, country), one in sums.items():
        found.setdefault(currency, []).append((country, one))
    for rows in found.values():
        rows.sort(key=lambda pair: (-pair[1].net, pair[0]))
    return found


def all_time() -> Period | None:
    """Return the reader's days in which all orders lie; None without any order."""
    found = first_and_last_day()
    if found is None:
        return None
    # A day of UTC reaches into the day before or after on a reader's clock.
    first, last = found
    return Period(first - timedelta(days=1), last + timedelta(days=1))


OPEN_LEADS = """
    SELECT state, count(*) FROM sales_lead
    WHERE state = ANY(%s) {whose} GROUP BY state
"""


def open_leads(focus: Focus) -> dict[str, int]:
    """Return how many open leads of the chosen people there are by state."""
    return dict(focus.read(OPEN_LEADS, Lead, list(OPEN_LEAD_STATES)))


@dataclass(frozen=True)
class StageTotal:
    """The open opportunities of one stage in one currency."""

    stage_id: int
    stage: str
    currency: str
    count: int
    amount: Decimal


OPEN_STAGES = """
    SELECT s.id, s.name FROM sales_stage s JOIN sales_pipeline p ON p.id = s.pipeline_id
    WHERE s.kind = %s ORDER BY p.name, s.position
"""
OPEN_OPPORTUNITIES = """
    SELECT stage_id, currency, count(*), sum(amount) FROM sales_opportunity
    WHERE stage_id = ANY(%s) {whose}
    GROUP BY stage_id, currency
"""


def pipeline_by_stage(focus: Focus) -> list[StageTotal]:
    """Return open opportunities by stage and currency, in the order of the stages.

    Grouped by numbers alone: with the names of the stages it took three times as long.
    """
    stages = dict(read_all(OPEN_STAGES, [StageKind.OPEN.value]))
    place = {pk: number for number, pk in enumerate(stages)}
    rows = focus.read(OPEN_OPPORTUNITIES, Opportunity, list(stages))
    return [
        StageTotal(stage, stages[stage], currency, count, amount or ZERO)
        for stage, currency, count, amount in sorted(
            rows, key=lambda row: (place[row[0]], row[1])
        )
    ]


# --- Leads ----------------------------------------------------------------------------


def similar_customers(user: User, lead: Lead, limit: int = 5) -> list[Customer]:
    """Return customers with the lead's mail address, phone number or name."""
    same = Q(name__iexact=lead.company or lead.name)
    hidden = hidden_fields(user, Customer)
    if lead.email and "email" not in hidden:
        same |= Q(email__iexact=lead.email)
    if lead.phone and "phone" not in hidden:
        same |= Q(phone=lead.phone)
    return list(Customer.objects.visible_to(user).filter(same)[:limit])
