"""What the start page shows of targets."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from analytics.performance.models import Target
from analytics.performance.presenting import rows_behind
from analytics.performance.selectors import progress
from crm.generic.panels import Tile
from crm.generic.registry import register_tile

MOST = 5


@register_tile
class TargetsTile(Tile):
    """The running targets of the chosen people, the reader's own first."""

    title = _("Targets")
    template = "performance/_tile_targets.html"
    order = 45
    requires = Target

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return a few targets with what is reached; each costs one query."""
        today = timezone.localdate()
        is_own = ExpressionWrapper(Q(owner=request.user), BooleanField())
        found = (
            request.focus.rows(Target)
            .filter(starts_on__lte=today, ends_on__gte=today)
            .select_related("owner")
            .order_by(is_own.desc(nulls_last=True), "ends_on", "pk")
        )
        return {
            "rows": [
                {
                    "target": one,
                    "progress": progress(user=request.user, target=one),
                    "rows_url": rows_behind(one),
                }
                for one in found[:MOST]
            ]
        }
