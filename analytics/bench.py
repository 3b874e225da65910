"""What the bench computes and measures of the analyses."""

from __future__ import annotations

import sys
import time

from analytics.models import AnalysisKey, Run
from crm.bench.fill import Fill, Step
from crm.bench.measures import LIST, REPORT, Program, Visit
from crm.bench.work import work_off
from customers.services import DUPLICATES
from service.models import Ticket

CLASSIFIED = 200
# With fewer there is nothing to learn from.
ENOUGH = 1000


def run(key: str) -> int:
    """Run one analysis; return the rows it looked at."""
    work_off(key, queue="analytics")
    return Run.objects.filter(key=key).latest("pk").rows


def segmentation(size: int) -> int:
    """Run the segmentation."""
    return run(str(AnalysisKey.SEGMENTATION))


def ltv(size: int) -> int:
    """Run the lifetime value."""
    return run(str(AnalysisKey.LTV))


def statistics(size: int) -> int:
    """Run the statistics."""
    return run(str(AnalysisKey.STATISTICS))


def duplicates(size: int) -> int:
    """Compare all customers."""
    return work_off(DUPLICATES, queue="analytics").result["customers"]


def classify(size: int) -> tuple[int, float]:
    """Classify tickets one by one, as they are when they come in.

    Returns how many, and the seconds without those in which the model is loaded.
    """
    from analytics import scoring

    key = str(AnalysisKey.TICKET_CLASS)
    if scoring.current_model(key) is None:
        last = Run.objects.filter(key=key).order_by("pk").last()
        state = last.get_state_display() if last else "there were too few tickets"
        sys.exit(f"No model of {key} is current: {state}.")
    ids = list(Ticket.objects.order_by("-pk").values_list("pk", flat=True)[:CLASSIFIED])
    # Loading the model is the start of a worker, not the work on a ticket.
    scoring.score_objects(key, ids[:1])
    started = time.monotonic()
    done = sum(scoring.score_objects(key, [pk]) for pk in ids)
    return done, time.monotonic() - started


def analyse(*keys: AnalysisKey) -> Step:
    """Return the step that gives pages results to show."""

    def write(fill: Fill) -> int:
        rows = 0
        if fill.size < ENOUGH:
            return rows
        for key in keys:
            started = time.monotonic()
            rows += run(str(key))
            fill.say(f"  {key}: {time.monotonic() - started:.1f} s")
        return rows

    return Step("analyses", write)


STEPS = (analyse(*AnalysisKey),)
MEASURES = (
    Visit(
        "customer list, sorted by lifetime value",
        "/customers/?sort=-lifetime_value",
        LIST,
    ),
    Visit("customer list, by behaviour", "/customers/?rfm=champions", LIST),
    Visit("segments", "/analytics/segments/", REPORT),
    Visit("lifetime values", "/analytics/lifetime-value/", REPORT),
    Visit("statistics", "/analytics/statistics/", REPORT),
    Visit("analyses", "/analytics/", REPORT),
    Program(
        "job segmentation",
        "analytics.bench:segmentation",
        most_seconds=60,
        most_memory=3000,
    ),
    Program("job ltv", "analytics.bench:ltv", most_seconds=60),
    Program("job statistics", "analytics.bench:statistics", most_seconds=60),
    Program(
        "job duplicates",
        "analytics.bench:duplicates",
        most_seconds=600,
        most_memory=1500,
    ),
    Program("ticket classification", "analytics.bench:classify", most_per_row=10),
)
