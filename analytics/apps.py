"""The analytics app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalyticsConfig(AppConfig):
    """Name the app for the admin."""

    name = "analytics"
    verbose_name = _("Analytics")
