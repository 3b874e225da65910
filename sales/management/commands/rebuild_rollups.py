"""Sum up the orders of every day anew."""

from typing import Any

from django.core.management.base import BaseCommand

from sales.rollups import rebuild


class Command(BaseCommand):
    """Rebuild the sums that reports and the start page read."""

    help = "Sum up the orders of every day anew; the pages stay right meanwhile."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild, and say how many days there are."""
        self.stdout.write(f"Days summed up: {rebuild()}")
