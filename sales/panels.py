"""Parts of pages that show sales."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import django_filters
from django.db.models import Count, Exists, IntegerField, OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.access import Verb, can, read_only_fields
from crm.addresses import address_of
from crm.formatting import money
from crm.generic.formats import words_of
from crm.generic.panels import Panel
from crm.generic.registry import (
    register_column,
    register_filter,
    register_panel,
    register_related,
)
from crm.generic.tables import DateColumn, NumberColumn
from crm.models.users import full_name
from customers.models import Customer
from customers.timeline import (
    TimelineEntry,
    TimelineSource,
    newest,
    register_timeline,
)
from sales.choices import STAGE_MOVES, OrderKind, StageKind
from sales.models import (
    Category,
    Lead,
    Opportunity,
    Order,
    OrderLine,
    Product,
    Stage,
    StageChange,
)
from sales.rules import stays
from sales.selectors import customer_opportunities, customer_sales

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from crm.models import User

register_related(Customer, Order, "customer")
register_related(Customer, Opportunity, "customer")
register_related(Category, Product, "category")

# --- On the customer's page -----------------------------------------------------------


class CustomerOrders(Panel):
    """What the customer bought: totals, and the newest orders."""

    title = _("Orders")
    template = "sales/_customer_orders.html"
    column = "side"
    order = 10
    requires = Order

    def get_context(self, request: HttpRequest, obj: Customer) -> dict[str, Any]:
        """Return totals by currency and the newest orders."""
        list_url = f"{reverse('sales:order_list')}?customer={obj.pk}"
        add_url = ""
        if can(request.user, Verb.ADD, Order):
            add_url = f"{reverse('sales:order_add')}?customer={obj.pk}"
        return {
            "facts": customer_sales(request.user, obj),
            "list_url": list_url,
            "add_url": add_url,
        }


class CustomerOpportunities(Panel):
    """What the customer may buy."""

    title = _("Opportunities")
    template = "sales/_customer_opportunities.html"
    column = "side"
    order = 20
    lazy = True
    requires = Opportunity

    def get_context(self, request: HttpRequest, obj: Customer) -> dict[str, Any]:
        """Return the newest opportunities."""
        add_url = ""
        if can(request.user, Verb.ADD, Opportunity):
            add_url = f"{reverse('sales:opportunity_add')}?customer={obj.pk}"
        return {
            "opportunities": customer_opportunities(request.user, obj),
            "list_url": f"{reverse('sales:opportunity_list')}?customer={obj.pk}",
            "add_url": add_url,
        }


NEWEST_ORDERS = newest(
    Order, "placed_at", "pk", "number", "kind", "state", "total", "currency"
)


class OrdersOnTimeline(TimelineSource):
    """Sales and returns."""

    key = "order"
    label = _("Orders")
    requires = Order

    def entries(
        self, user: User, customer: Customer, limit: int
    ) -> Iterable[TimelineEntry]:
        """Return the newest orders."""
        kinds, states = words_of(Order, "kind"), words_of(Order, "state")
        orders = NEWEST_ORDERS.rows(user, customer.pk, limit=limit)
        for at, pk, number, kind, state, total, currency, *owner in orders:
            yield TimelineEntry(
                at=at,
                title=f"{kinds[kind]} {number}",
                icon="return" if kind == OrderKind.RETURN else "cart",
                url=address_of("sales:order_detail", pk),
                text=money(total, currency),
                badge=states[state],
                state=state,
                person=full_name(*owner),
            )


NEWEST_CHANGES = newest(
    StageChange,
    "at",
    *("opportunity_id", "opportunity__name", "to_stage__name", "to_stage__kind"),
    of="opportunity__customer",
    person="actor",
)


class StagesOnTimeline(TimelineSource):
    """Opportunities on their way."""

    key = "opportunity"
    label = _("Opportunities")
    requires = StageChange

    def entries(
        self, user: User, customer: Customer, limit: int
    ) -> Iterable[TimelineEntry]:
        """Return the newest moves."""
        changes = NEWEST_CHANGES.rows(user, customer.pk, limit=limit)
        for at, pk, name, stage, kind, *actor in changes:
            yield TimelineEntry(
                at=at,
                title=name,
                icon="funnel",
                url=address_of("sales:opportunity_detail", pk),
                badge=gettext(stage),
                state=kind,
                person=full_name(*actor),
            )


def with_orders(customers: QuerySet, request: HttpRequest) -> QuerySet:
    """Add how many sales the reader may see, and the time of the newest one."""
    orders = Order.objects.visible_to(request.user).booked()
    own = orders.filter(customer=OuterRef("pk"), kind=OrderKind.SALE).order_by()
    count = own.values("customer").annotate(count=Count("pk")).values("count")
    newest = own.order_by("-placed_at").values("placed_at")[:1]
    return customers.annotate(
        sales_count=Subquery(count, output_field=IntegerField()),
        last_sale_at=Subquery(newest),
    )


class HasOrdersFilter(django_filters.BooleanFilter):
    """Keep customers with an order that the reader may see, or those without."""

    def filter(self, qs: QuerySet, value: bool | None) -> QuerySet:
        """Ask for each customer whether there is such an order."""
        if value is None:
            return qs
        orders = Order.objects.visible_to(self.parent.request.user)
        found = Exists(orders.filter(customer=OuterRef("pk")))
        return qs.filter(found if value else ~found)


register_panel(Customer, CustomerOrders)
register_panel(Customer, CustomerOpportunities)
register_timeline(OrdersOnTimeline())
register_timeline(StagesOnTimeline())
register_filter(
    Customer, "has_orders", HasOrdersFilter(label=_("Has orders")), requires=Order
)
register_column(
    Customer,
    NumberColumn(
        "sales_count",
        _("Number of sales"),
        decimals=0,
        annotate=with_orders,
        requires=Order,
        default=False,
    ),
)
register_column(
    Customer,
    DateColumn(
        "last_sale_at",
        _("Last sale"),
        annotate=with_orders,
        requires=Order,
        default=False,
    ),
)


# --- On the pages of sales ------------------------------------------------------------


class OrderLinesPanel(Panel):
    """The lines with their exact amounts."""

    title = _("Lines")
    template = "sales/_order_lines.html"
    order = 20
    requires = OrderLine
    edge_to_edge = True

    def get_context(self, request: HttpRequest, obj: Order) -> dict[str, Any]:
        """Return the lines."""
        lines = OrderLine.objects.visible_to(request.user).filter(order=obj)
        return {"lines": lines.select_related("product").order_by("line_no")}


class OrderReturnsPanel(Panel):
    """The returns of a sale, or the sale of a return."""

    title = _("Returns")
    template = "sales/_order_returns.html"
    column = "side"
    order = 30

    def visible(self, user: User, obj: Order) -> bool:
        """Show it where goods came back."""
        return (
            obj.return_of_id is not None
            or Order.objects.visible_to(user).filter(return_of=obj).exists()
        )

    def get_context(self, request: HttpRequest, obj: Order) -> dict[str, Any]:
        """Return what belongs together, as far as the reader may see it."""
        visible = Order.objects.visible_to(request.user)
        return {
            "sale": visible.filter(pk=obj.return_of_id).first(),
            "returns": visible.filter(return_of=obj).order_by("placed_at", "pk"),
        }


class StagePanel(Panel):
    """The way through the stages, with the moves that are possible now."""

    title = _("Stage")
    template = "sales/_stages.html"
    order = 5
    reads = ("stage",)

    def get_context(self, request: HttpRequest, obj: Opportunity) -> dict[str, Any]:
        """Return the stages and which of them can be moved to."""
        visible = Stage.objects.visible_to(request.user)
        stages = list(visible.filter(pipeline=obj.stage.pipeline_id))
        allowed = STAGE_MOVES[StageKind(obj.stage.kind)]
        moves = []
        kept = read_only_fields(request.user, Opportunity)
        if can(request.user, Verb.CHANGE, obj) and "stage" not in kept:
            moves = [
                stage
                for stage in stages
                if stage.pk != obj.stage_id and StageKind(stage.kind) in allowed
            ]
        return {
            "way": [stage for stage in stages if stage.kind == StageKind.OPEN],
            "open_moves": [one for one in moves if one.kind == StageKind.OPEN],
            "won_moves": [one for one in moves if one.kind == StageKind.WON],
            "lost_moves": [one for one in moves if one.kind == StageKind.LOST],
        }


class StageHistoryPanel(Panel):
    """Every move, with the time spent in each stage."""

    title = _("Stage history")
    template = "sales/_stage_history.html"
    order = 30
    reads = ("stage",)
    requires = StageChange
    edge_to_edge = True

    def get_context(self, request: HttpRequest, obj: Opportunity) -> dict[str, Any]:
        """Return the stays, newest first."""
        changes = StageChange.objects.visible_to(request.user).filter(opportunity=obj)
        found = stays(
            list(changes.select_related("to_stage", "actor").order_by("at", "pk"))
        )
        now = timezone.now()
        return {
            "stays": [
                {
                    "change": stay.change,
                    "length": stay.length(now),
                    "is_now": stay.end is None,
                }
                for stay in reversed(found)
            ]
        }


class LeadOutcomePanel(Panel):
    """What became of a lead."""

    title = _("Outcome")
    template = "sales/_lead_outcome.html"
    order = 20
    reads = ("state",)

    def visible(self, user: User, obj: Lead) -> bool:
        """Show it once the lead is decided."""
        return obj.closed_at is not None and super().visible(user, obj)

    def get_context(self, request: HttpRequest, obj: Lead) -> dict[str, Any]:
        """Return customer and opportunities, as far as the reader may see them."""
        user = request.user
        opportunities = Opportunity.objects.visible_to(user).filter(lead=obj)
        return {
            "lead_customer": Customer.objects.visible_to(user)
            .filter(pk=obj.customer_id)
            .first(),
            "opportunities": opportunities.select_related("stage"),
        }
