"""Machines."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MachinesConfig(AppConfig):
    """Machines that stand at customers."""

    name = "tests.machines"
    label = "machines"
    verbose_name = _("Machines")
