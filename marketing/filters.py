"""Filters of the campaign list."""

import django_filters
from django.utils.translation import gettext_lazy as _

from crm.generic.filters import VisibleFilterSet
from crm.models import User
from marketing.choices import CampaignState, Channel
from marketing.models import Campaign


class CampaignFilters(VisibleFilterSet):
    """Find campaigns by channel, state, person or time."""

    channel = django_filters.MultipleChoiceFilter(
        label=_("Channel"), choices=Channel.choices
    )
    state = django_filters.MultipleChoiceFilter(
        label=_("State"), choices=CampaignState.choices
    )
    owner = django_filters.ModelChoiceFilter(
        label=_("Owner"), queryset=User.objects.all()
    )
    starts_on = django_filters.DateFromToRangeFilter(label=_("Starts"))

    class Meta:
        model = Campaign
        fields = []
