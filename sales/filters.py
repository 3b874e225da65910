"""Filters of the sales app's lists."""

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.generic.filters import VisibleFilterSet
from crm.generic.teams import TeamFilter
from crm.models import User
from customers.choices import Source
from customers.models import Customer
from sales.choices import BOOKED_STATES, LeadState, OrderKind, OrderState, StageKind
from sales.models import Category, Lead, Opportunity, Order, Product, Stage


class ProductFilters(VisibleFilterSet):
    """Find products by category."""

    category = django_filters.ModelChoiceFilter(
        label=_("Category"), queryset=Category.objects.all()
    )
    is_active = django_filters.BooleanFilter(label=_("On sale"))

    class Meta:
        model = Product
        fields = []


class LeadFilters(VisibleFilterSet):
    """Find leads by state, source, person or time."""

    open = django_filters.BooleanFilter(label=_("Still open"), method="filter_open")
    state = django_filters.MultipleChoiceFilter(
        label=_("State"), choices=LeadState.choices
    )
    source = django_filters.MultipleChoiceFilter(
        label=_("Source"), choices=Source.choices
    )
    landing_page = django_filters.CharFilter(label=_("Landing page"))
    team = TeamFilter()
    owner = django_filters.ModelChoiceFilter(
        label=_("Owner"), queryset=User.objects.all()
    )
    first_contact_on = django_filters.DateFromToRangeFilter(label=_("First contact"))
    closed_at = django_filters.DateFromToRangeFilter(label=_("Closed"))

    class Meta:
        model = Lead
        fields = []

    def filter_open(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        """Keep leads to work on, or those that are decided."""
        states = [LeadState.NEW, LeadState.WORKING]
        if value:
            return queryset.filter(state__in=states)
        return queryset.exclude(state__in=states)


class OpportunityFilters(VisibleFilterSet):
    """Find opportunities by stage, customer, person or time."""

    open = django_filters.BooleanFilter(label=_("Still open"), method="filter_open")
    outcome = django_filters.ChoiceFilter(
        label=_("Outcome"), field_name="stage__kind", choices=StageKind.choices
    )
    stage = django_filters.ModelMultipleChoiceFilter(
        label=_("Stage"), queryset=Stage.objects.all()
    )
    customer = django_filters.ModelChoiceFilter(
        label=_("Customer"), queryset=Customer.objects.all()
    )
    team = TeamFilter()
    owner = django_filters.ModelChoiceFilter(
        label=_("Owner"), queryset=User.objects.all()
    )
    currency = django_filters.CharFilter(label=_("Currency"))
    amount = django_filters.RangeFilter(label=_("Amount"))
    expected_close = django_filters.DateFromToRangeFilter(label=_("Expected close"))
    created_at = django_filters.DateFromToRangeFilter(label=_("Created"))

    class Meta:
        model = Opportunity
        fields = []

    def filter_open(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        """Keep what is neither won nor lost, or the rest."""
        if value:
            return queryset.filter(stage__kind=StageKind.OPEN)
        return queryset.exclude(stage__kind=StageKind.OPEN)


class OrderFilters(VisibleFilterSet):
    """Find orders by state, customer, country, person or time."""

    booked = django_filters.BooleanFilter(
        label=_("Counts as revenue"), method="filter_booked"
    )
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=OrderKind.choices)
    state = django_filters.MultipleChoiceFilter(
        label=_("State"), choices=OrderState.choices
    )
    customer = django_filters.ModelChoiceFilter(
        label=_("Customer"), queryset=Customer.objects.all()
    )
    without_customer = django_filters.BooleanFilter(
        label=_("Without a customer"), field_name="customer", lookup_expr="isnull"
    )
    product = django_filters.ModelChoiceFilter(
        label=_("Product"), queryset=Product.objects.all(), method="filter_product"
    )
    country = django_filters.CharFilter(label=_("Country"))
    without_country = django_filters.BooleanFilter(
        label=_("Without a country"), method="filter_without_country"
    )
    currency = django_filters.CharFilter(label=_("Currency"))
    team = TeamFilter()
    owner = django_filters.ModelChoiceFilter(
        label=_("Owner"), queryset=User.objects.all()
    )
    placed_at = django_filters.DateFromToRangeFilter(label=_("Ordered"))
    total = django_filters.RangeFilter(label=_("Total"))

    class Meta:
        model = Order
        fields = []

    def filter_booked(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        """Keep what counts as revenue, or what does not."""
        if value:
            return queryset.filter(state__in=BOOKED_STATES)
        return queryset.exclude(state__in=BOOKED_STATES)

    def filter_product(
        self, queryset: QuerySet, name: str, value: Product | None
    ) -> QuerySet:
        """Keep orders with a line of the product, each once."""
        if value is None:
            return queryset
        return queryset.filter(pk__in=value.order_lines.values("order"))

    def filter_without_country(
        self, queryset: QuerySet, name: str, value: bool
    ) -> QuerySet:
        """Keep orders whose country is unknown, or known."""
        if value:
            return queryset.filter(country="")
        return queryset.exclude(country="")
