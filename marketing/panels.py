"""Parts of a campaign's page."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm.generic.panels import Panel
from marketing.rules import share_spent


class CampaignTextPanel(Panel):
    """What the campaign says."""

    title = _("Text")
    template = "marketing/_campaign_text.html"
    order = 10


class CampaignMoneyPanel(Panel):
    """What it was to cost and what it cost."""

    title = _("Budget")
    template = "marketing/_campaign_money.html"
    column = "side"
    order = 10

    def get_context(self, request: HttpRequest, obj: Model) -> dict[str, Any]:
        """Return the share of the budget that is spent."""
        return {"share": share_spent(budget=obj.budget, spend=obj.spend)}
