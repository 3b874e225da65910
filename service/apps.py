"""The service app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ServiceConfig(AppConfig):
    """Name the app for the admin."""

    name = "service"
    verbose_name = _("Service")
