"""Filters of the list of security events."""

import django_filters
from django.utils.translation import gettext_lazy as _

from crm.generic.filters import VisibleFilterSet
from crm.models import EventKind, SecurityEvent, User


class SecurityEventFilters(VisibleFilterSet):
    """Find events by kind, person, account name, address or time."""

    kind = django_filters.MultipleChoiceFilter(
        label=_("Event"), choices=EventKind.choices
    )
    person = django_filters.ModelChoiceFilter(
        label=_("Person"), queryset=User.objects.all()
    )
    name = django_filters.CharFilter(label=_("Account"), lookup_expr="iexact")
    address = django_filters.CharFilter(label=_("Address"), method="filter_address")
    at = django_filters.DateFromToRangeFilter(label=_("Time"))

    class Meta:
        model = SecurityEvent
        fields = []

    def filter_address(self, queryset, name, value):
        """Keep those from an address, whole or its beginning."""
        return queryset.filter(address__startswith=value)
