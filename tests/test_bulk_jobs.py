"""Bulk work with real workers and real concurrency: killed half-way, overlapping."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import connections, transaction
from django.utils import timezone

from crm.generic.bulk import Outcome
from crm.generic.bulk.run import BATCH, KIND, BulkRun
from crm.generic.registry import registry
from crm.generic.selection import Selection
from crm.jobs import enqueue
from crm.models import AuditEntry, Job, JobState
from crm.testing.workers import (
    LEASE_SECONDS,
    SWEEP_SECONDS,
    has_ended,
    wait_for,
    worker,
)
from crm.testing.world import World, make_world
from customers.models import Customer

__all__ = ["worker"]

pytestmark = pytest.mark.process


@pytest.fixture
def cast(transactional_db: None, settings) -> World:
    """Return the cast, outside of any transaction, with short leases."""
    from crm.grants import seed_grants

    settings.JOB_LEASE_SECONDS = LEASE_SECONDS
    settings.JOB_SWEEP_SECONDS = SWEEP_SECONDS
    seed_grants()
    return make_world()


def add(owner, count: int) -> list[Customer]:
    """Add customers of one owner."""
    return Customer.objects.bulk_create(
        Customer(name=f"Row {number:05d}", owner=owner) for number in range(count)
    )


def run_of(actor, selection: Selection, data: str, action: str = "edit") -> BulkRun:
    """Return a run as its preview would make it."""
    pages = registry.pages_of(Customer)
    return BulkRun(
        pages,
        pages.bulk_action(action),
        actor,
        selection,
        data,
        uuid.uuid4(),
        timezone.now(),
        None,
    )


def test_a_killed_worker_is_continued_and_nothing_is_done_twice(worker, cast):
    rows = add(cast.ana, 3 * BATCH)
    data = f"owner={cast.cleo.pk}"
    run = run_of(cast.dev, Selection(""), data, "assign")
    job = enqueue(KIND, owner=cast.dev, params=run.params(), dedupe_key=run.key)
    with transaction.atomic():
        # Whoever holds a row of the last batch stops the worker in front of it.
        Customer.objects.select_for_update().get(pk=rows[-1].pk)
        first = worker()
        wait_for(lambda: Job.objects.get(pk=job.pk).result.get("changed") == 2 * BATCH)
        assert Customer.objects.filter(owner=cast.cleo).count() == 2 * BATCH
        job.refresh_from_db()
        assert (job.done, job.total) == (2 * BATCH, len(rows))
        first.kill()
    worker()
    wait_for(lambda: has_ended(job), sweeping=True)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.DONE, 2)
    assert (job.done, job.total) == (len(rows), len(rows))
    assert job.result["changed"] == len(rows)
    assert Customer.objects.filter(owner=cast.cleo).count() == len(rows)
    entries = AuditEntry.objects.filter(operation=run.number)
    assert entries.count() == len(rows)
    assert entries.values("object_id").distinct().count() == len(rows)


def test_of_two_overlapping_runs_the_last_one_wins_and_both_are_noted(cast):
    rows = add(cast.ana, 200)
    keys = [row.pk for row in rows]
    runs = [
        run_of(cast.dev, Selection("", tuple(keys[:150])), "mode_city=set&city=York"),
        run_of(cast.dev, Selection("", tuple(keys[50:])), "mode_city=set&city=Hull"),
    ]
    outcomes = [Outcome(), Outcome()]
    together = threading.Barrier(2)

    def change(place: int) -> None:
        together.wait()
        with transaction.atomic():
            runs[place].step(0, outcomes[place])
        connections.close_all()

    threads = [threading.Thread(target=change, args=[place]) for place in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.changed for outcome in outcomes] == [150, 150]
    both = Customer.objects.filter(pk__in=keys[50:150])
    assert both.values("city").distinct().count() == 1
    for run in runs:
        assert AuditEntry.objects.filter(operation=run.number).count() == 150
