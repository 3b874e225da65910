"""The marketing app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MarketingConfig(AppConfig):
    """Name the app for the admin."""

    name = "marketing"
    verbose_name = _("Marketing")
