"""What people set before they start an analysis."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.days import require_near


class RunForm(forms.Form):
    """From when the data is looked at."""

    as_of = forms.DateField(
        label=_("Data as of"),
        required=False,
        validators=[require_near],
        help_text=_("Nothing later is looked at. Empty: now."),
    )

    def clean_as_of(self) -> Any:
        """Refuse a day in the future."""
        day = self.cleaned_data["as_of"]
        if day and day > timezone.localdate():
            raise forms.ValidationError(_("The day lies in the future."))
        return day

    def params(self) -> dict[str, Any]:
        """Return the parameters of the analysis."""
        return {}


class LifetimeValueForm(RunForm):
    """How the lifetime value is computed."""

    discount_rate = forms.DecimalField(
        label=_("Discount rate in % per year"),
        min_value=0,
        max_value=100,
        decimal_places=2,
        help_text=_("What a payment loses in worth with each year it is away."),
    )
    years = forms.IntegerField(label=_("Horizon in years"), min_value=1, max_value=30)
    margin = forms.DecimalField(
        label=_("Margin in %"),
        min_value=0,
        max_value=100,
        decimal_places=2,
        help_text=_("The share of the revenue that stays with you."),
    )
    acquisition_cost = forms.DecimalField(
        label=_("Cost of winning a customer"),
        min_value=0,
        max_digits=12,
        decimal_places=2,
        help_text=_("Used where a customer's own cost is not written down."),
    )

    def __init__(self, *args: Any, last: dict[str, Any] | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        last = last or {}
        rate = last.get("discount_rate", settings.LTV_DISCOUNT_RATE)
        margin = last.get("margin", settings.LTV_MARGIN)
        self.initial = {
            "discount_rate": round(100 * rate, 2),
            "years": last.get("years", settings.LTV_HORIZON_YEARS),
            "margin": round(100 * margin, 2),
            "acquisition_cost": last.get(
                "acquisition_cost", settings.LTV_ACQUISITION_COST
            ),
            **self.initial,
        }

    def params(self) -> dict[str, Any]:
        """Return the parameters as the analysis takes them."""
        data = self.cleaned_data
        return {
            "discount_rate": float(data["discount_rate"]) / 100,
            "years": data["years"],
            "margin": float(data["margin"]) / 100,
            "acquisition_cost": float(data["acquisition_cost"]),
        }
