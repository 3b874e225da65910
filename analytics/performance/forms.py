"""Forms of targets."""

from __future__ import annotations

from django import forms

from analytics.performance.models import Target
from crm.generic.forms import VisibleModelForm


class TargetForm(VisibleModelForm):
    """A target of one person."""

    class Meta:
        model = Target
        fields = ("owner", "kpi", "starts_on", "ends_on", "value")
        widgets = {
            "starts_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }
