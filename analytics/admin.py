"""Runs and models in the admin, to look at: nothing in them was typed by a person."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from analytics.models import ModelVersion, Run
from crm.rights.admin import RuledAdmin


class ReadOnlyAdmin(RuledAdmin):
    """Rows that the program writes; they can be deleted and computed again."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Runs."""

    list_display = ("key", "state", "is_current", "as_of", "rows", "started_at")
    list_filter = ("key", "state")


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Models."""

    list_display = ("key", "number", "algorithm", "rows", "trained_at")
    list_filter = ("key",)
    exclude = ("artefact",)
