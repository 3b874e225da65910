"""Addresses of the analyses."""

from django.urls import path, register_converter

from analytics import views
from analytics.models import AnalysisKey


class KeyConverter:
    """The key of an analysis."""

    regex = "|".join(AnalysisKey.values)

    def to_python(self, value: str) -> AnalysisKey:
        """Return the key."""
        return AnalysisKey(value)

    def to_url(self, value: str) -> str:
        """Return the address's part."""
        return str(AnalysisKey(value))


register_converter(KeyConverter, "analysis")

urlpatterns = [
    path("analytics/", views.overview, name="overview"),
    path("analytics/runs/", views.run_list, name="run_list"),
    path("analytics/runs/<int:pk>/", views.run_detail, name="run_detail"),
    path("analytics/models/<analysis:key>/", views.model_page, name="model"),
    path("analytics/models/<analysis:key>/run/", views.start, name="start"),
    path("analytics/segments/", views.segments, name="segments"),
    path("analytics/lifetime-value/", views.lifetime_value, name="lifetime_value"),
    path("analytics/statistics/", views.statistics, name="statistics"),
    path(
        "analytics/suggestions/ticket/<int:pk>/",
        views.ticket_suggestion,
        name="ticket_suggestion",
    ),
    path("analytics/suggestions/lead/<int:pk>/", views.lead_chance, name="lead_chance"),
]
