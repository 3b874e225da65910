"""Sales in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from crm.rights.admin import KeepsBack, RuledAdmin
from sales.models import (
    Category,
    Lead,
    Opportunity,
    Order,
    OrderLine,
    Pipeline,
    Product,
    Stage,
    StageChange,
)
from sales.services.orders import update_total


class ReadOnlyMixin:
    """Rows that are looked at and never written here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the services write these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the database would too."""
        return False


@admin.register(Category)
class CategoryAdmin(RuledAdmin):
    """Groups of products."""

    list_display = ("name",)
    search_fields = ("name",)


@admin.register(Product)
class ProductAdmin(RuledAdmin):
    """Products."""

    list_display = ("sku", "name", "category", "unit_price", "currency", "is_active")
    list_filter = ("is_active", "category")
    list_select_related = ("category",)
    search_fields = ("sku", "name")
    raw_id_fields = ("category",)


@admin.register(Lead)
class LeadAdmin(RuledAdmin):
    """Leads; the state moves on the lead's own page."""

    list_display = ("name", "company", "state", "source", "first_contact_on", "owner")
    list_filter = ("state", "source")
    list_select_related = ("owner",)
    search_fields = ("name", "company", "email", "phone")
    raw_id_fields = ("owner", "customer")
    readonly_fields = ("state", "closed_at")
    date_hierarchy = "first_contact_on"
    show_full_result_count = False


class StageInline(KeepsBack, admin.TabularInline):
    """The stages of a pipeline."""

    model = Stage
    extra = 0


@admin.register(Pipeline)
class PipelineAdmin(RuledAdmin):
    """Pipelines with their stages."""

    list_display = ("name", "is_default")
    search_fields = ("name",)
    inlines = (StageInline,)


@admin.register(Stage)
class StageAdmin(RuledAdmin):
    """Stages."""

    list_display = ("name", "pipeline", "position", "kind", "probability")
    list_filter = ("pipeline", "kind")
    list_select_related = ("pipeline",)
    search_fields = ("name", "code")


class StageChangeInline(ReadOnlyMixin, KeepsBack, admin.TabularInline):
    """The history of an opportunity, to look at; it goes only with the opportunity."""

    model = StageChange
    fk_name = "opportunity"
    extra = 0
    can_delete = False
    fields = ("from_stage", "to_stage", "actor", "at")


@admin.register(Opportunity)
class OpportunityAdmin(RuledAdmin):
    """Opportunities; the stage moves on the opportunity's own page."""

    list_display = ("name", "customer", "stage", "amount", "currency", "owner")
    list_filter = ("stage",)
    list_select_related = ("customer", "stage", "owner")
    search_fields = ("name", "customer__name")
    raw_id_fields = ("customer", "lead", "owner")
    readonly_fields = ("stage", "closed_at")
    date_hierarchy = "created_at"
    show_full_result_count = False
    inlines = (StageChangeInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a new opportunity needs the first row of its history."""
        return False


@admin.register(StageChange)
class StageChangeAdmin(ReadOnlyMixin, RuledAdmin):
    """The history of all opportunities, to look at."""

    list_display = ("opportunity", "from_stage", "to_stage", "actor", "at")
    list_select_related = ("opportunity", "from_stage", "to_stage", "actor")
    search_fields = ("opportunity__name",)
    raw_id_fields = ("opportunity", "actor")
    date_hierarchy = "at"
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow it only where a deleted opportunity takes its history along."""
        match = request.resolver_match
        return bool(match and "opportunity" in (match.url_name or ""))


class OrderLineInline(KeepsBack, admin.TabularInline):
    """The lines of an order."""

    model = OrderLine
    fk_name = "order"
    extra = 0
    raw_id_fields = ("product",)
    fields = ("line_no", "product", "description", "quantity", "unit_price", "amount")
    readonly_fields = ("amount",)


@admin.register(Order)
class OrderAdmin(RuledAdmin):
    """Orders with their lines."""

    list_display = (
        "number",
        "customer",
        "kind",
        "state",
        "placed_at",
        "total",
        "currency",
    )
    list_filter = ("kind", "state", "currency")
    list_select_related = ("customer",)
    search_fields = ("number", "customer__name")
    raw_id_fields = ("customer", "owner")
    readonly_fields = ("total", "return_of")
    date_hierarchy = "placed_at"
    show_full_result_count = False
    inlines = (OrderLineInline,)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        """Keep the total the exact sum of the lines."""
        super().save_related(request, form, formsets, change)
        update_total(form.instance)


@admin.register(OrderLine)
class OrderLineAdmin(RuledAdmin):
    """Lines of all orders; they are changed on their order."""

    list_display = ("order", "line_no", "product", "quantity", "unit_price", "amount")
    list_select_related = ("order", "product")
    search_fields = ("order__number", "description")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: lines are added with their order."""
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Refuse: the order's total has to follow."""
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Allow it only where a deleted order takes its lines along."""
        match = request.resolver_match
        return bool(match and match.url_name and "orderline" not in match.url_name)
