"""States of campaigns."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CampaignState(models.TextChoices):
    """Where a campaign stands."""

    PLANNED = "planned", _("Planned")
    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    CANCELLED = "cancelled", _("Cancelled")


CAMPAIGN_MOVES = {
    CampaignState.PLANNED: {CampaignState.RUNNING, CampaignState.CANCELLED},
    CampaignState.RUNNING: {CampaignState.FINISHED, CampaignState.CANCELLED},
    CampaignState.FINISHED: {CampaignState.RUNNING},
    CampaignState.CANCELLED: {CampaignState.PLANNED},
}


class Channel(models.TextChoices):
    """How a campaign reaches people."""

    EMAIL = "email", pgettext_lazy("channel", "Email")
    SOCIAL = "social", _("Social media")
    SEARCH = "search", _("Search advertising")
    PHONE = "phone", _("Phone")
    EVENT = "event", _("Event")
    PRINT = "print", _("Print")
    OTHER = "other", _("Other")
