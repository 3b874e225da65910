"""Run one job: claim it, call its handler, write down how it ended."""

import logging
import uuid
from typing import Any

import psycopg
from celery.exceptions import SoftTimeLimitExceeded
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from crm.access import FieldKeptBackError
from crm.exceptions import UserVisibleError
from crm.history.context import acting
from crm.jobs import broker
from crm.jobs.handle import JobCancelled, JobHandle, LeaseLost
from crm.jobs.queue import personal_settings
from crm.jobs.registry import UnknownKindError, get_kind
from crm.jobs.reporter import Reporter, lease_end
from crm.jobs.sweeper import give_back
from crm.models import Job, JobLog, JobState, OperationKind
from crm.models.jobs import LogLevel

logger = logging.getLogger(__name__)

INTERRUPTIONS = (
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)


def claim(job_id: int, worker: str = "") -> Job | None:
    """Take the job for this worker; None where it is not to be had.

    One conditional update decides: of two workers with the same message one finds
    nothing to update. The new token voids whatever an earlier attempt still does.
    """
    free = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, lease_until__lt=Now())
    same_key_at_work = (
        Job.objects.filter(
            state=JobState.RUNNING,
            lease_until__gte=Now(),
            dedupe_key=OuterRef("dedupe_key"),
        )
        .exclude(pk=OuterRef("pk"))
        .exclude(dedupe_key="")
    )
    token = uuid.uuid4()
    claimed = (
        Job.objects.filter(free, pk=job_id, cancel_requested=False)
        .filter(~Exists(same_key_at_work), attempts__lt=F("max_attempts"))
        .update(
            state=JobState.RUNNING,
            token=token,
            worker=worker[:200],
            lease_until=lease_end(),
            attempts=F("attempts") + 1,
            started_at=Now(),
            finished_at=None,
            done=0,
            total=0,
            message="",
            error="",
        )
    )
    if not claimed:
        return None
    return Job.objects.select_related("owner").filter(pk=job_id, token=token).first()


def run(job_id: int, worker: str = "") -> str | None:
    """Run the job unless it is done, held by another, or waits for its twin.

    Returns the state in which this attempt left it, None if it was not to be had.
    """
    job = claim(job_id, worker)
    if job is None:
        return None
    with personal_settings(job.owner, job.language):
        try:
            _work(job)
        finally:
            _wake_twin(job)
    _tell_people()
    return Job.objects.values_list("state", flat=True).filter(pk=job.pk).first()


def _tell_people() -> None:
    """Make notifications of what the job did, and of its end."""
    # They are made with the rights of their readers, so much is loaded by then.
    from crm.notifications.delivery import deliver_soon

    deliver_soon()


def _work(job: Job) -> None:
    """Call the handler between the start and the stop of the reporter."""
    reporter = Reporter(job)
    handle = JobHandle(job, reporter)
    outcome: dict[str, Any] = {"state": JobState.DONE}
    reporter.start()
    try:
        kind = get_kind(job.kind)
        with acting(OperationKind.JOB, job.owner, title=job.title or kind.label):
            returned = kind.handler(handle, **job.params)
        if isinstance(returned, dict) and not handle.result:
            handle.result = returned
        outcome["result"] = handle.result
    except Exception as error:  # noqa: BLE001  (each is judged and none may pass)
        outcome = _judge(job, handle, error)
    except BaseException:
        # The process is told to end: another one shall take over at once.
        reporter.stop()
        _release(job)
        raise
    try:
        reporter.stop()
        if handle.published:
            _keep_late_result(job, handle)
        elif outcome:
            _finish(job, {**reporter.latest(), **outcome})
    except (DatabaseError, InterfaceError) as error:
        # The sweeper finds the job by its lease, unless the row itself was deleted.
        logger.warning("Job %s cannot be closed now: %s", job.pk, error)
        connection.close()


def _judge(job: Job, handle: JobHandle, error: Exception) -> dict[str, Any]:
    """Return the fields that the error means for the row; none where it is not ours."""
    if isinstance(error, LeaseLost):
        logger.warning("Job %s was taken over; this attempt stops.", job.pk)
        return {}
    if handle.published:
        logger.error(
            "Job %s is done but failed while clearing up", job.pk, exc_info=error
        )
        return {}
    if isinstance(error, JobCancelled):
        return {"state": JobState.CANCELLED}
    if isinstance(error, UserVisibleError | FieldKeptBackError):
        logger.info("Job %s failed: %s", job.pk, error)
        return {"state": JobState.FAILED, "error": str(error)}
    if is_interruption(error) or isinstance(error, UnknownKindError):
        # An unknown kind comes from a newer version of the program elsewhere.
        logger.warning("Job %s was interrupted", job.pk, exc_info=error)
        _release(job)
        return {}
    logger.error("Job %s failed", job.pk, exc_info=error)
    return {"state": JobState.FAILED, "error": general_sentence(job, error)}


def general_sentence(job: Job, error: Exception) -> str:
    """Return what people read where the error itself is not for them."""
    if isinstance(error, SoftTimeLimitExceeded):
        return _("The work took longer than is allowed and was stopped.")
    return _(
        "Something went wrong that we did not foresee. "
        "Tell an administrator the number of this job: %(number)s."
    ) % {"number": job.pk}


def is_interruption(error: BaseException | None) -> bool:
    """Tell whether the database went away, or refused for the time being.

    The cause counts too: what a library raises after a lost connection is its own.
    """
    seen = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, INTERRUPTIONS):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def _finish(job: Job, fields: dict[str, Any]) -> None:
    """Write the end of the job, if it still is ours."""
    mine = Job.objects.filter(pk=job.pk, token=job.token, state=JobState.RUNNING)
    if not mine.update(**fields, finished_at=Now()):
        logger.warning("Job %s was taken over; its end is not written.", job.pk)
    elif fields.get("error"):
        JobLog.objects.create(job=job, level=LogLevel.ERROR, text=fields["error"])


def _keep_late_result(job: Job, handle: JobHandle) -> None:
    """Save what the handler added to its result while clearing up."""
    done = Job.objects.filter(pk=job.pk, token=job.token, state=JobState.DONE)
    done.exclude(result=handle.result).update(result=handle.result)


def _release(job: Job) -> None:
    """Give the job back at once if the database answers; else the sweeper will."""
    try:
        if not connection.in_atomic_block:
            connection.close()
        with transaction.atomic():
            mine = Job.objects.select_for_update(no_key=True).filter(
                pk=job.pk, token=job.token, state=JobState.RUNNING
            )
            if (row := mine.first()) is not None:
                give_back(row)
    except INTERRUPTIONS as error:
        logger.warning("Job %s waits for the sweeper: %s", job.pk, error)
        connection.close()


def _wake_twin(job: Job) -> None:
    """Wake a worker for the job that waited because this one held their common key."""
    if not job.dedupe_key:
        return
    try:
        twins = Job.objects.filter(dedupe_key=job.dedupe_key, state=JobState.QUEUED)
        found = list(twins.values_list("pk", "queue"))
    except INTERRUPTIONS:
        connection.close()
        return
    if found:
        broker.send_jobs(found)
