"""Kinds of background work; pandas is loaded inside the handlers only."""

from __future__ import annotations

import logging
import os
from datetime import datetime
from typing import Any

from celery.signals import worker_init
from django.db import connection
from django.utils.translation import gettext_lazy as _

from analytics import services
from analytics.models import AnalysisKey
from crm.jobs import JobHandle, job
from customers.services import DUPLICATES

logger = logging.getLogger(__name__)

SCORE_TICKET, SCORE_LEAD = "score-ticket", "score-lead"


def _declare(key: AnalysisKey) -> None:
    @job(str(key), queue="analytics", label=key.label)
    def refresh(
        handle: JobHandle,
        as_of: str | None = None,
        params: dict[str, Any] | None = None,
    ) -> None:
        """Run the analysis as of a date (default: now)."""
        moment = datetime.fromisoformat(as_of) if as_of else None
        services.run_analysis(str(key), handle, as_of=moment, params=params)


for _key in AnalysisKey:
    _declare(_key)


@job(DUPLICATES, queue="analytics", label=_("Search for duplicates"))
def find_duplicates(handle: JobHandle) -> None:
    """Find the customers that may be one."""
    from analytics import duplicates

    duplicates.scan(handle)


@job(SCORE_TICKET, queue="default", label=_("Suggest a category for a ticket"))
def score_ticket(handle: JobHandle, ticket_id: int) -> dict[str, Any]:
    """Suggest a category for one ticket."""
    from analytics import scoring

    return {"scored": scoring.score_objects(str(AnalysisKey.TICKET_CLASS), [ticket_id])}


@job(SCORE_LEAD, queue="default", label=_("Estimate the chance of a lead"))
def score_lead(handle: JobHandle, lead_id: int) -> dict[str, Any]:
    """Estimate the chance of one lead."""
    from analytics import scoring

    return {"scored": scoring.score_objects(str(AnalysisKey.CONVERSION), [lead_id])}


@worker_init.connect
def warm_up(**kwargs: Any) -> None:
    """Load models before the pool forks, so that every child shares them."""
    from analytics import scoring
    from crm.jobs.workers import COMPANION_OF

    try:
        # A companion lives for one job; it loads what that needs.
        scoring.warm_up(libraries=COMPANION_OF not in os.environ)
    except Exception as error:
        logger.warning("Models are loaded when they are first needed: %s", error)
    finally:
        # A child must not share the parent's connection.
        connection.close()
