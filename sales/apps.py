"""The sales app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SalesConfig(AppConfig):
    """Name the app for the admin."""

    name = "sales"
    verbose_name = _("Sales")
