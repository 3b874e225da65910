"""Forms of the marketing app."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.generic.forms import VisibleModelForm
from marketing.models import Campaign


class CampaignForm(VisibleModelForm):
    """A campaign; once it exists, its state moves by the button on its page."""

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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_new:
            del self.fields["state"]
