"""Campaigns in the admin."""

from django.contrib import admin

from crm.rights.admin import RuledAdmin
from marketing.models import Campaign


@admin.register(Campaign)
class CampaignAdmin(RuledAdmin):
    """Campaigns."""

    list_display = ("name", "channel", "state", "starts_on", "spend", "currency")
    list_filter = ("channel", "state")
    search_fields = ("name",)
    raw_id_fields = ("owner",)
