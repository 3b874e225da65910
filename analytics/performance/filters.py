"""Filters of the target list."""

import django_filters
from django.utils.translation import gettext_lazy as _

from analytics.performance.models import Kpi, Target
from crm.generic.filters import VisibleFilterSet
from crm.models import User


class TargetFilters(VisibleFilterSet):
    """Find targets by figure, person or time."""

    kpi = django_filters.MultipleChoiceFilter(label=_("Figure"), choices=Kpi.choices)
    owner = django_filters.ModelChoiceFilter(
        label=_("Owner"), queryset=User.objects.all()
    )
    starts_on = django_filters.DateFromToRangeFilter(label=_("From"))

    class Meta:
        model = Target
        fields = []
