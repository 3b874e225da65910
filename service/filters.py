"""Filters of the service app's lists."""

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.generic.filters import VisibleFilterSet
from crm.generic.teams import TeamFilter
from crm.models import User
from customers.models import Customer
from service.choices import (
    OPEN_STATES,
    TicketChannel,
    TicketKind,
    TicketState,
    Urgency,
)
from service.models import Ticket, TicketCategory


class TicketFilters(VisibleFilterSet):
    """Find tickets by state, urgency, category, person or time."""

    open = django_filters.BooleanFilter(label=_("Still open"), method="filter_open")
    state = django_filters.MultipleChoiceFilter(
        label=_("State"), choices=TicketState.choices
    )
    kind = django_filters.MultipleChoiceFilter(
        label=_("Kind"), choices=TicketKind.choices
    )
    urgency = django_filters.MultipleChoiceFilter(
        label=_("Urgency"), choices=Urgency.choices
    )
    channel = django_filters.ChoiceFilter(
        label=_("Channel"), choices=TicketChannel.choices
    )
    category = django_filters.ModelChoiceFilter(
        label=_("Category"), queryset=TicketCategory.objects.all()
    )
    uncategorised = django_filters.BooleanFilter(
        label=_("Without a category"), field_name="category", lookup_expr="isnull"
    )
    customer = django_filters.ModelChoiceFilter(
        label=_("Customer"), queryset=Customer.objects.all()
    )
    team = TeamFilter()
    owner = django_filters.ModelChoiceFilter(
        label=_("Agent"), queryset=User.objects.all()
    )
    unassigned = django_filters.BooleanFilter(
        label=_("Without an agent"), field_name="owner", lookup_expr="isnull"
    )
    opened_at = django_filters.DateFromToRangeFilter(label=_("Opened"))
    solved_at = django_filters.DateFromToRangeFilter(label=_("Solved"))

    class Meta:
        model = Ticket
        fields = []

    def filter_open(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        """Keep open tickets, or those that are done."""
        if value:
            return queryset.filter(state__in=OPEN_STATES)
        return queryset.exclude(state__in=OPEN_STATES)


class TicketCategoryFilters(VisibleFilterSet):
    """Find categories in use."""

    is_active = django_filters.BooleanFilter(label=_("In use"))

    class Meta:
        model = TicketCategory
        fields = []
