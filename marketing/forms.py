"""Forms of the marketing app."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.generic.forms import VisibleModelForm
from marketing.models import Campaign


class CampaignForm(VisibleModelForm):
    """A campaign."""

    fieldsets = [
        (_("Campaign"), ["name", "channel", "state", "text", "owner"]),
        (_("Time and money"), ["starts_on", "ends_on", "budget", "spend", "currency"]),
    ]

    class Meta:
        model = Campaign
        fields = (
            "name",
            "channel",
            "state",
            "text",
            "owner",
            "starts_on",
            "ends_on",
            "budget",
            "spend",
            "currency",
        )
        widgets = {
            "text": forms.Textarea(attrs={"rows": 6}),
            "starts_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }
