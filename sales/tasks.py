"""What the scheduler starts for sales."""

from celery import shared_task
from django.conf import settings

from sales import rollups


@shared_task(name="sales.refresh_rollups", expires=settings.ROLLUP_SECONDS)
def refresh_rollups() -> None:
    """Sum up the days whose orders changed."""
    rollups.refresh()
