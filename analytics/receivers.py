"""Listen to what the lower apps tell."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from analytics.jobs import SCORE_LEAD, SCORE_TICKET
from analytics.models import AnalysisKey, Run
from crm.jobs import enqueue
from sales.signals import lead_saved
from service.signals import ticket_saved


def _has_model(key: str) -> bool:
    return Run.objects.filter(key=key, is_current=True).exists()


@receiver(ticket_saved)
def suggest_category(sender: Any, ticket_id: int, **kwargs: Any) -> None:
    """Have the ticket's text looked at, if there is a model."""
    if _has_model(AnalysisKey.TICKET_CLASS):
        enqueue(
            SCORE_TICKET,
            params={"ticket_id": ticket_id},
            dedupe_key=f"{SCORE_TICKET}:{ticket_id}",
        )


@receiver(lead_saved)
def estimate_chance(sender: Any, lead_id: int, **kwargs: Any) -> None:
    """Have the lead's chance estimated, if there is a model."""
    if _has_model(AnalysisKey.CONVERSION):
        enqueue(
            SCORE_LEAD,
            params={"lead_id": lead_id},
            dedupe_key=f"{SCORE_LEAD}:{lead_id}",
        )
