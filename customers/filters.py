"""Filters of the lists of customers, contacts and interactions."""

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.generic.filters import VisibleFilterSet
from crm.generic.teams import TeamFilter
from crm.models import Tag, User
from customers.choices import (
    Direction,
    Gender,
    InteractionKind,
    Kind,
    PairState,
    Source,
)
from customers.models import Contact, Customer, DuplicatePair, Interaction


class CustomerFilters(VisibleFilterSet):
    """Find customers by place, person, channel or age."""

    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=Kind.choices)
    # Exact, because a list of a million rows is found by an index.
    city = django_filters.CharFilter(label=_("City"))
    region = django_filters.CharFilter(label=_("Region"))
    country = django_filters.CharFilter(label=_("Country"))
    team = TeamFilter()
    owner = django_filters.ModelChoiceFilter(
        label=_("Owner"), queryset=User.objects.all()
    )
    unowned = django_filters.BooleanFilter(
        label=_("Without an owner"), field_name="owner", lookup_expr="isnull"
    )
    source = django_filters.MultipleChoiceFilter(
        label=_("Source"), choices=Source.choices
    )
    gender = django_filters.ChoiceFilter(label=_("Gender"), choices=Gender.choices)
    tags = django_filters.ModelChoiceFilter(label=_("Tag"), queryset=Tag.objects.all())
    customer_since = django_filters.DateFromToRangeFilter(label=_("Customer since"))
    created_at = django_filters.DateFromToRangeFilter(label=_("Created"))

    class Meta:
        model = Customer
        fields = []


class ContactFilters(VisibleFilterSet):
    """Find contacts by customer."""

    customer = django_filters.ModelChoiceFilter(
        label=_("Customer"), queryset=Customer.objects.all()
    )
    is_primary = django_filters.BooleanFilter(label=_("Main contact"))

    class Meta:
        model = Contact
        fields = []


class InteractionFilters(VisibleFilterSet):
    """Find interactions by kind, customer, person or time."""

    kind = django_filters.MultipleChoiceFilter(
        label=_("Kind"), choices=InteractionKind.choices
    )
    direction = django_filters.ChoiceFilter(
        label=_("Direction"), choices=Direction.choices
    )
    customer = django_filters.ModelChoiceFilter(
        label=_("Customer"), queryset=Customer.objects.all()
    )
    owner = django_filters.ModelChoiceFilter(
        label=_("Person"), queryset=User.objects.all()
    )
    occurred_at = django_filters.DateFromToRangeFilter(label=_("When"))

    class Meta:
        model = Interaction
        fields = []


class DuplicatePairFilters(VisibleFilterSet):
    """Find pairs by their state; those to be checked, unless others are asked for."""

    state = django_filters.ChoiceFilter(label=_("State"), choices=PairState.choices)
    score = django_filters.RangeFilter(label=_("Probability"))
    found_at = django_filters.DateFromToRangeFilter(label=_("Found"))

    class Meta:
        model = DuplicatePair
        fields = []

    def apply(self) -> QuerySet:
        """Return the rows that pass the filters."""
        rows = super().apply()
        is_asked = self.is_bound and self.form.cleaned_data.get("state")
        return rows if is_asked else rows.filter(state=PairState.OPEN)
