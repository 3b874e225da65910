"""What jobs do is told as well: by a real worker, killed half-way, once."""

from __future__ import annotations

import uuid

import pytest
from django.db import transaction
from django.utils import timezone

from crm.generic.bulk.run import BATCH, KIND, BulkRun
from crm.generic.registry import registry
from crm.generic.selection import Selection
from crm.grants import seed_grants
from crm.jobs import enqueue
from crm.models import Job, Notice, Notification
from crm.testing.imports import import_by_pages
from crm.testing.workers import (
    LEASE_SECONDS,
    SWEEP_SECONDS,
    has_ended,
    run_jobs,
    wait_for,
    worker,
)
from crm.testing.world import make_world
from customers.models import Customer

__all__ = ["worker"]

pytestmark = pytest.mark.process
ROWS = 3000


@pytest.fixture
def cast(transactional_db, settings):
    settings.JOB_LEASE_SECONDS = LEASE_SECONDS
    settings.JOB_SWEEP_SECONDS = SWEEP_SECONDS
    seed_grants()
    return make_world()


def test_a_handover_of_thousands_by_a_killed_worker_is_one_notification(worker, cast):
    rows = Customer.objects.bulk_create(
        Customer(name=f"Row {number:05d}", owner=cast.ana) for number in range(ROWS)
    )
    pages = registry.pages_of(Customer)
    run = BulkRun(
        pages,
        pages.bulk_action("assign"),
        cast.dev,
        Selection(""),
        f"owner={cast.cleo.pk}",
        uuid.uuid4(),
        timezone.now(),
        None,
    )
    job = enqueue(KIND, owner=cast.dev, params=run.params(), dedupe_key=run.key)
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=rows[-1].pk)
        first = worker()
        done = ROWS - BATCH
        wait_for(lambda: Job.objects.get(pk=job.pk).result.get("changed") == done)
        first.kill()
    # What it had done waits in the outbox.
    assert Notice.objects.exists()
    worker()
    wait_for(lambda: has_ended(job), sweeping=True)
    wait_for(lambda: not Notice.objects.exists())
    one = Notification.objects.get(recipient=cast.cleo)
    assert (one.kind, one.count, one.object_id) == ("handover", ROWS, None)
    assert one.actor == cast.dev
    page = cast.client("cleo").get("/notifications/").text
    assert "3,000 customers were handed to you" in page
    # Ana gave nothing and got nothing.
    assert not Notification.objects.filter(recipient=cast.ana).exists()


def test_an_import_hands_over_as_one_notification(cast):
    name = cast.cleo.username
    lines = [f"Row {number},r{number}@x.example,{name}" for number in range(250)]
    content = "\n".join(["name,email,owner", *lines]).encode()
    import_by_pages(cast.client("dev"), "customers.customer", content)
    run_jobs()
    assert Customer.objects.filter(owner=cast.cleo).count() == 250
    one = Notification.objects.get(recipient=cast.cleo)
    assert (one.kind, one.count, one.actor) == ("handover", 250, cast.dev)
    page = cast.client("cleo").get(f"/notifications/{one.pk}/").text
    assert "250 customers were handed to you" in page
