"""Parts of a target's page."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from analytics.performance.presenting import rows_behind
from analytics.performance.selectors import progress
from crm.generic.panels import Panel


class ProgressPanel(Panel):
    """What is reached so far, beside the time that has passed."""

    title = _("Reached so far")
    template = "performance/_progress.html"
    order = 5

    def get_context(self, request: HttpRequest, obj: Model) -> dict[str, Any]:
        """Return the progress as far as the reader may see the rows behind it."""
        return {
            "progress": progress(user=request.user, target=obj),
            "rows_url": rows_behind(obj),
        }
