"""Targets in the admin."""

from django.contrib import admin

from analytics.performance.models import Target
from crm.rights.admin import RuledAdmin


@admin.register(Target)
class TargetAdmin(RuledAdmin):
    """Targets."""

    list_display = ("kpi", "owner", "starts_on", "ends_on", "value")
    list_filter = ("kpi",)
    list_select_related = ("owner",)
    raw_id_fields = ("owner",)
