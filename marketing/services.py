"""Writes of the marketing app."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from crm.audit import record
from crm.exceptions import UserVisibleError
from crm.models import User
from marketing.choices import CAMPAIGN_MOVES, CampaignState
from marketing.models import Campaign


@transaction.atomic
def move_campaign(*, campaign: Campaign, actor: User, state: str) -> Campaign:
    """Move a campaign on; raises UserVisibleError for a move that is not allowed."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    new = CampaignState(state)
    if new not in CAMPAIGN_MOVES[CampaignState(campaign.state)]:
        raise UserVisibleError(
            _("A campaign that is “%(old)s” cannot become “%(new)s”.")
            % {"old": campaign.get_state_display(), "new": new.label}
        )
    old, campaign.state = campaign.state, new
    campaign.full_clean()
    campaign.save(update_fields=["state", "updated_at"])
    record(actor, "state", campaign, {"state": [old, campaign.state]})
    return campaign
