"""Kinds of jobs for tests; a worker loads them by ``--include crm.testing.jobs``.

A gate is a file: the handler waits until the test makes it. A mark is a tag whose name
begins with the given word, so that work done twice leaves two.
"""

import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from crm.exceptions import UserVisibleError
from crm.jobs import JobHandle, job
from crm.jobs.reporter import Reporter
from crm.models import Job, Tag

STEP_SECONDS = 0.05


def leave_mark(word: str) -> None:
    """Write a row that shows that the work was done."""
    Tag.objects.create(name=f"{word} {uuid.uuid4().hex[:12]}")


def marks(word: str) -> int:
    """Count how often the work was done."""
    return Tag.objects.filter(name__startswith=f"{word} ").count()


def wait_for_gate(handle: JobHandle, gate: str) -> None:
    """Report progress until the test opens the gate."""
    turn = 0
    while gate and not Path(gate).exists():
        turn += 1
        handle.progress(turn, 1_000_000, f"Turn {turn}")
        time.sleep(STEP_SECONDS)


@job("test.mark", label="Leave a mark")
def mark(handle: JobHandle, word: str, gate: str = "") -> dict[str, Any]:
    """Wait for the gate, then publish one mark."""
    handle.log("Begun")
    wait_for_gate(handle, gate)
    with handle.publish():
        leave_mark(word)
        handle.result = {"marks": 1, "url": "/jobs/"}
    return {}


@job("test.mark_analytics", queue="analytics", label="Leave a mark elsewhere")
def mark_analytics(handle: JobHandle, word: str) -> None:
    """Publish one mark from the queue for analyses."""
    with handle.publish():
        leave_mark(word)


@job("test.chain", label="Leave a mark by another job")
def chain(handle: JobHandle, word: str) -> None:
    """Put another job into the queue from inside this one."""
    from crm.jobs import enqueue

    enqueue("test.mark", owner=handle.owner, params={"word": word})


@job("test.publish_slowly", label="Publish slowly")
def publish_slowly(handle: JobHandle, word: str, started: str, gate: str) -> None:
    """Leave a mark and keep the publishing transaction open until the gate opens."""
    with handle.publish():
        leave_mark(word)
        Path(started).touch()
        wait_for_gate(handle, gate)


@job("test.late_result", label="Say more after publishing")
def late_result(handle: JobHandle) -> None:
    """Set the result when it is published already."""
    with handle.publish():
        handle.result = {"rows": 1}
    handle.result = {"rows": 1, "url": "/jobs/"}


@job("test.in_transaction", label="Work inside a transaction")
def in_transaction(handle: JobHandle, gate: str) -> None:
    """Report progress and log from inside a transaction that is rolled back."""
    from django.db import transaction

    with transaction.atomic():
        handle.log("From inside")
        leave_mark("rolled back")
        wait_for_gate(handle, gate)
        transaction.set_rollback(True)


@job("test.refuse", label="Refuse")
def refuse(handle: JobHandle) -> None:
    """Fail with a sentence for people, in the language that is active."""
    from django.utils.translation import gettext as _

    leave_mark("before the refusal")
    raise UserVisibleError(_("Monday"))


@job("test.crash", label="Crash")
def crash(handle: JobHandle, secret: str) -> None:
    """Fail with an error that nobody foresaw."""
    raise ZeroDivisionError(secret)


@job("test.database_error", label="Lose the database", max_attempts=3)
def database_error(handle: JobHandle) -> None:
    """Fail as if the database had gone away."""
    from django.db import OperationalError

    try:
        raise OperationalError("server closed the connection")
    except OperationalError as error:
        raise RuntimeError("a library gave up") from error


@job("test.environment", label="Show the surroundings")
def environment(handle: JobHandle) -> dict[str, Any]:
    """Return what the handler finds around it."""
    import os

    from django.utils import timezone, translation

    return {
        "language": translation.get_language(),
        "zone": timezone.get_current_timezone_name(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "owner": handle.owner.username if handle.owner else None,
    }


def refreshed(job: Job) -> Job:
    """Return the job as it stands in the database now."""
    return Job.objects.get(pk=job.pk)


def lose_lease(job: Job) -> None:
    """Let the lease run out, as when the worker is gone."""
    Job.objects.filter(pk=job.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def handle_of(job: Job) -> JobHandle:
    """Return what the handler of a claimed job would hold."""
    return JobHandle(job, Reporter(job))
