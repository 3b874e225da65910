"""Queue one analysis, and follow it to its end if asked."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from analytics.models import AnalysisKey
from analytics.services import start_analysis
from crm.jobs.workers import run_worker_until
from crm.models import Job, JobState

NUMBERS = {
    "discount_rate": "ltv: yearly discount rate, for example 0.1",
    "years": "ltv: horizon in years",
    "margin": "ltv: share of the revenue that stays",
    "acquisition_cost": "ltv: cost of winning a customer where none is written down",
}


class Command(BaseCommand):
    """Run an analysis in a worker."""

    help = "Queue one analysis; with --wait follow it. The last line is JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("key", choices=AnalysisKey.values)
        parser.add_argument("--as-of", help="YYYY-MM-DD; nothing later is looked at")
        parser.add_argument("--wait", action="store_true", help="follow it to its end")
        for name, text in NUMBERS.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=float, help=text)

    def handle(self, *args: Any, **options: Any) -> None:
        """Queue the analysis; with --wait the exit code tells how it ended."""
        params = {name: options[name] for name in NUMBERS if options[name] is not None}
        job = start_analysis(
            key=options["key"], as_of=moment(options["as_of"]), params=params
        )
        if options["wait"]:
            job = run_worker_until(job, on_progress=self.show)
        self.stdout.write(json.dumps(outcome(job, options["key"])))
        if options["wait"] and job.state != JobState.DONE:
            raise CommandError(job.error or str(JobState(job.state).label))

    def show(self, job: Job) -> None:
        """Print one line of progress."""
        self.stdout.write(f"{job.percent:3d} %  {job.message}")
        self.stdout.flush()


def moment(text: str | None) -> datetime | None:
    """Return the end of a day, or the moment given; raises CommandError for others."""
    if not text:
        return None
    try:
        day = parse_date(text)
        found = datetime.combine(day, time.max) if day else parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{text} is no date; write it like 2025-12-31.")
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def outcome(job: Job, key: str) -> dict[str, Any]:
    """Return what the last line says."""
    found = {
        "key": key,
        "state": str(job.state),
        "run": None,
        "rows": 0,
        "seconds": 0.0,
        "published": False,
        "figures": {},
        "simple_rule": {},
    }
    if job.started_at and job.finished_at:
        found["seconds"] = round((job.finished_at - job.started_at).total_seconds(), 2)
    return found | {"job": job.pk, "error": job.error} | job.result
