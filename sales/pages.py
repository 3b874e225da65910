"""Pages of the sales app."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.access import Verb, can
from crm.generic.actions import Action
from crm.generic.pages import FieldsPanel, Nav, Pages, register, register_link
from crm.generic.registry import NavLink
from crm.generic.tables import (
    DateColumn,
    DateTimeColumn,
    MoneyColumn,
    PhoneColumn,
)
from crm.models import User
from crm.search.declaration import Search
from customers.models import Customer
from sales import boards, filters, forms, panels, services, tables
from sales.choices import LEAD_MOVES, ORDER_MOVES, LeadState, OrderKind, OrderState
from sales.imports import (
    LeadImporter,
    OpportunityImporter,
    OrderImporter,
    ProductImporter,
)
from sales.models import Category, Lead, Opportunity, Order, Product
from sales.services.orders import returnable
from sales.views import OrderAddPage, OrderEditPage

register_link(
    NavLink(
        "sales",
        _("Sales report"),
        "sales:report",
        order=5,
        icon="chart-bar",
        requires=Order,
    )
)


def order_action(label: str, move: str, state: OrderState, **look: str) -> Action:
    """Return the button that moves an order, where that move is possible."""
    return Action(
        label,
        f"sales:order_{move}",
        method="post",
        writes=("state",),
        applies=lambda user, order: state in ORDER_MOVES[OrderState(order.state)],
        **look,
    )


def may_return(user: User, order: Order) -> bool:
    """Tell whether goods of the order can come back, and this person may note it."""
    return (
        order.kind == OrderKind.SALE
        and order.state in (OrderState.SHIPPED, OrderState.COMPLETED)
        and can(user, Verb.ADD, Order)
        and bool(returnable(order))
    )


def may_become(state: LeadState):
    """Return the test whether a lead can be moved to the state."""
    return lambda user, lead: state in LEAD_MOVES[LeadState(lead.state)]


@register
class OrderPages(Pages):
    """Sales and returns."""

    model = Order
    path = "orders"
    table = tables.OrderTable
    filters = filters.OrderFilters
    form = forms.OrderForm
    importer = OrderImporter
    formset = forms.OrderLineFormSet
    add_view = OrderAddPage
    edit_view = OrderEditPage
    panels = [
        FieldsPanel(
            [
                "customer",
                "kind",
                "placed_at",
                MoneyColumn("total"),
                "country",
                "owner",
                "notes",
            ],
            hide_empty=True,
        ),
        panels.OrderLinesPanel,
        panels.OrderReturnsPanel,
    ]
    actions = [
        order_action(
            _("Confirm"), "confirm", OrderState.CONFIRMED, icon="check", style="primary"
        ),
        order_action(
            _("Ship"), "ship", OrderState.SHIPPED, icon="send", style="primary"
        ),
        order_action(
            _("Complete"),
            "complete",
            OrderState.COMPLETED,
            icon="circle-check",
            style="primary",
        ),
        order_action(_("Cancel order"), "cancel", OrderState.CANCELLED, icon="x"),
        Action(
            _("Return goods"), "sales:order_return", icon="return", applies=may_return
        ),
    ]
    board = boards.ORDERS
    nav = Nav(section="sales", order=10, icon="file-invoice")
    search = Search(
        number=("number",), related=("customer",), facts=("customer__name", "state")
    )
    state_field = "state"

    def save(self, form: Any, formset: Any, actor: User) -> Order:
        """Save the order with its lines and its exact total."""
        changes = form.changes()
        order = form.save(commit=False)
        lines = formset.save(commit=False) if formset is not None else None
        removed = formset.deleted_objects if formset is not None else ()
        return services.save_order(
            order=order, actor=actor, lines=lines, removed=removed, changes=changes
        )

    def delete(self, obj: Order, actor: User) -> None:
        """Keep what counts as revenue."""
        services.delete_order(order=obj, actor=actor)


@register
class OpportunityPages(Pages):
    """Possible sales."""

    model = Opportunity
    path = "opportunities"
    table = tables.OpportunityTable
    filters = filters.OpportunityFilters
    form = forms.OpportunityForm
    importer = OpportunityImporter
    panels = [
        panels.StagePanel,
        FieldsPanel(
            [
                "customer",
                "lead",
                MoneyColumn("amount"),
                DateColumn("expected_close"),
                "owner",
                DateTimeColumn("closed_at"),
                "lost_reason",
                "notes",
            ],
            hide_empty=True,
            column="side",
        ),
        panels.StageHistoryPanel,
    ]
    board = boards.OPPORTUNITIES
    nav = Nav(section="sales", order=20, icon="funnel")
    search = Search(
        name=("name",), related=("customer",), facts=("customer__name", "stage__name")
    )
    quick_fields = ("name", "customer", "stage", "amount", "expected_close")

    def save(self, form: Any, formset: Any, actor: User) -> Opportunity:
        """Save the opportunity; a new one gets the first row of its history."""
        changes = form.changes()
        return services.save_opportunity(
            opportunity=form.save(commit=False), actor=actor, changes=changes
        )


@register
class LeadPages(Pages):
    """Those who may become customers."""

    model = Lead
    path = "leads"
    table = tables.LeadTable
    filters = filters.LeadFilters
    form = forms.LeadForm
    importer = LeadImporter
    panels = [
        FieldsPanel(
            [
                "company",
                "email",
                PhoneColumn("phone"),
                "source",
                "landing_page",
                "first_contact_on",
                "owner",
                "notes",
            ],
            hide_empty=True,
        ),
        panels.LeadOutcomePanel,
    ]
    actions = [
        Action(
            _("Start working"),
            "sales:lead_work",
            writes=("state",),
            method="post",
            icon="play",
            style="secondary",
            applies=may_become(LeadState.WORKING),
        ),
        Action(
            _("Convert"),
            "sales:lead_convert",
            writes=("customer", "state"),
            icon="user-plus",
            style="primary",
            applies=lambda user, lead: (
                LeadState.CONVERTED in LEAD_MOVES[LeadState(lead.state)]
                and can(user, Verb.ADD, Customer)
            ),
        ),
        Action(
            _("Mark as lost"),
            "sales:lead_lose",
            writes=("state", "lost_reason"),
            icon="circle-x",
            applies=may_become(LeadState.LOST),
        ),
    ]
    board = boards.LEADS
    nav = Nav(section="sales", order=30, icon="target")
    search = Search(
        name=("name", "company"),
        email=("email",),
        phone=("phone",),
        facts=("company", "email", "state"),
    )
    quick_fields = ("name", "company", "email", "phone", "source")
    similar_fields = ("name", "phone", "email")
    state_field = "state"

    def save(self, form: Any, formset: Any, actor: User) -> Lead:
        """Save the lead and let it be scored."""
        changes = form.changes()
        return services.save_lead(
            lead=form.save(commit=False), actor=actor, changes=changes
        )


@register
class ProductPages(Pages):
    """What is sold."""

    model = Product
    path = "products"
    table = tables.ProductTable
    filters = filters.ProductFilters
    form = forms.ProductForm
    importer = ProductImporter
    panels = [
        FieldsPanel(
            [
                "sku",
                "category",
                MoneyColumn("unit_price"),
                MoneyColumn("unit_cost"),
                "is_active",
            ]
        )
    ]
    nav = Nav(section="sales", order=40, icon="package")
    search = Search(name=("name",), number=("sku",), facts=("sku",))
    quick_fields = ("sku", "name", "category", "unit_price")


@register
class CategoryPages(Pages):
    """Groups of products."""

    model = Category
    path = "product-categories"
    table = tables.CategoryTable
    form = forms.CategoryForm
    nav = Nav(section="sales", order=50, icon="tag")
    search_fields = ("name",)
