"""Analyses in real worker processes: killed, flushed, told twice, and quick."""

import json
import os
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.urls import reverse

from analytics.models import AnalysisKey, CustomerSegment, Run, RunState, Score
from analytics.services import start_analysis
from analytics.tests.history import NOW, add_customers, add_orders
from analytics.tests.test_tickets import new_ticket
from analytics.tests.texts import add_tickets
from crm.celery import app
from crm.jobs import broker
from crm.models import Job, JobState
from crm.testing.workers import child_environment, has_ended, run_jobs, wait_for
from crm.testing.world import make_world
from service.models import Ticket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def history(transactional_db):
    """Return 120 customers with orders, in committed rows."""
    customers = add_customers(120)
    add_orders(customers)
    return customers


@pytest.fixture
def table_lock(transactional_db):
    """Return a connection that lets nobody write segments until it is closed."""
    params = connection.get_connection_params()
    known = ("dbname", "host", "port", "user", "password")
    link = psycopg.connect(**{name: params[name] for name in known if params.get(name)})
    link.execute("LOCK TABLE analytics_customersegment IN SHARE MODE")
    yield link
    link.close()


def segmentation():
    return start_analysis(key=AnalysisKey.SEGMENTATION, as_of=NOW)


def is_stuck(job):
    """Tell whether the worker waits to write segments."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks"
            " WHERE NOT granted AND relation = 'analytics_customersegment'::regclass"
        )
        return cursor.fetchone()[0] > 0


def test_a_killed_run_is_done_once_and_the_old_result_stays_whole(
    worker, history, table_lock
):
    old_job = segmentation()
    table_lock.rollback()
    run_jobs()
    old = Run.objects.get(job=old_job)
    before = set(old.segments.values_list("customer_id", "cluster"))
    table_lock.execute("LOCK TABLE analytics_customersegment IN SHARE MODE")
    doomed = worker("analytics")
    job = segmentation()
    wait_for(lambda: is_stuck(job))
    doomed.kill()
    old.refresh_from_db()
    assert old.is_current
    assert set(old.segments.values_list("customer_id", "cluster")) == before
    table_lock.rollback()
    worker("analytics")
    wait_for(lambda: has_ended(job), sweeping=True)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.DONE, 2)
    run = Run.objects.get(job=job)
    assert run.state == RunState.PUBLISHED
    assert list(Run.objects.filter(is_current=True)) == [run]
    assert run.segments.count() == len(history)
    assert CustomerSegment.objects.count() == 2 * len(history)
    assert not Run.objects.filter(state=RunState.RUNNING).exists()


def test_a_flushed_broker_and_a_second_message_change_nothing(worker, history):
    job = segmentation()
    app.control.purge()
    cache.clear()
    assert not broker.messages_waiting("analytics")
    worker("analytics")
    wait_for(lambda: has_ended(job), sweeping=True)
    broker.send_jobs([(job.pk, "analytics"), (job.pk, "analytics")])
    other = segmentation()
    wait_for(lambda: has_ended(other))
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.DONE, 1)
    assert Run.objects.filter(job=job).count() == 1
    assert Run.objects.count() == 2


def test_a_cancelled_run_leaves_nothing_behind(worker, history, table_lock):
    from crm.jobs import cancel_job

    world = make_world()
    worker("analytics")
    job = segmentation()
    wait_for(lambda: is_stuck(job))
    cancel_job(job=job, actor=world.dev)
    table_lock.rollback()
    wait_for(lambda: has_ended(job))
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert Run.objects.get().state == RunState.CANCELLED
    assert not CustomerSegment.objects.exists()


def test_a_ticket_saved_in_the_browser_gets_its_suggestion_from_a_worker(worker):
    world = make_world(ana="agent", ben="service_manager")
    add_tickets()
    with pytest.MonkeyPatch.context() as patch:
        from analytics.ml.base import Card

        patch.setattr(Card, "beats_rule", True)
        start_analysis(key=AnalysisKey.TICKET_CLASS, as_of=NOW)
        run_jobs()
    assert Run.objects.get().state == RunState.PUBLISHED
    client = world.client("ben")
    ticket = new_ticket(world, client, "where is my parcel, thank you")
    address = reverse("analytics:ticket_suggestion", args=[ticket.pk])
    # The worker comes later: it would be quick enough to leave nothing to wait for.
    assert address in client.get(ticket.get_absolute_url()).content.decode()
    worker("default")
    wait_for(lambda: "hx-get" not in client.get(address).content.decode())
    text = client.get(address).content.decode()
    assert "Delivery" in text
    assert Score.objects.get(object_id=ticket.pk).label == "delivery"
    assert Job.objects.get(dedupe_key=f"score-ticket:{ticket.pk}").attempts == 1
    assert Ticket.objects.get(pk=ticket.pk).category is None


def test_the_command_brings_a_worker_along(history, tmp_path):
    found = subprocess.run(
        [
            sys.executable,
            *("manage.py", "analyze", "segmentation"),
            *("--as-of", "2026-06-30", "--wait"),
        ],
        cwd=settings.BASE_DIR,
        env={**child_environment(), "CRM_WORKER_COMPANION_OF": str(os.getpid())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    last = json.loads(found.stdout.strip().splitlines()[-1])
    assert last["state"] == "published"
    assert last["rows"] == len(history)
    assert last["published"] is True
    assert Run.objects.get().pk == last["run"]
