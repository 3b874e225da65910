"""Targets and reviews: what people set, measured by the analytics app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PerformanceConfig(AppConfig):
    """Name the nested app; the label stays if the folder ever moves."""

    name = "analytics.performance"
    label = "performance"
    verbose_name = _("Performance")
