"""Put jobs into the queue, and take them out again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.access import Verb, can
from crm.audit import record
from crm.exceptions import UserVisibleError
from crm.jobs import broker
from crm.jobs.registry import get_kind
from crm.models import Job, JobState, User


@contextmanager
def personal_settings(user: User | None, language: str = "") -> Iterator[None]:
    """Speak the person's language and use their clock while the block runs.

    Who has chosen none is spoken to in ``language``.
    """
    language = (user and user.language) or language or settings.LANGUAGE_CODE
    try:
        zone = ZoneInfo((user and user.time_zone) or settings.TIME_ZONE)
    except (KeyError, ValueError, OSError):
        zone = ZoneInfo(settings.TIME_ZONE)
    with translation.override(language), timezone.override(zone):
        yield


def enqueue(
    kind: str,
    *,
    owner: User | None = None,
    params: dict[str, Any] | None = None,
    dedupe_key: str = "",
    queue: str | None = None,
    title: object = "",
) -> Job:
    """Write down a job and wake a worker when the transaction commits.

    With a dedupe key, a job that still waits under the same key is returned instead of
    a second one; and two jobs with one key never run at the same time.
    """
    declared = get_kind(kind)
    job = Job(
        kind=kind,
        title=str(title)[:200],
        queue=queue or declared.queue,
        params=params or {},
        owner=owner,
        max_attempts=declared.max_attempts,
        dedupe_key=dedupe_key,
        language=translation.get_language() or "",
    )
    if not dedupe_key:
        job.save(force_insert=True)
        wake(job)
        return job
    with transaction.atomic():
        return _enqueue_once(job)


def _enqueue_once(job: Job) -> Job:
    """Insert the job unless its twin waits; the twin is held until our commit.

    The lock makes a worker that would claim the twin just now wait for our changes:
    without it the twin could run on what the data were before them.
    """
    waiting = Job.objects.select_for_update(no_key=True).filter(
        dedupe_key=job.dedupe_key, state=JobState.QUEUED
    )
    for left in reversed(range(5)):
        twin = waiting.first()
        if twin is not None:
            return twin
        try:
            with transaction.atomic():
                job.save(force_insert=True)
            break
        except IntegrityError:
            # Another transaction was first; its job may be running by now.
            if not left:
                raise
    wake(job)
    return job


def wake(job: Job) -> None:
    """Send the job's message when the transaction commits."""
    message = (job.pk, job.queue)
    transaction.on_commit(lambda: broker.send_jobs([message]), robust=True)


@transaction.atomic
def cancel_job(*, job: Job, actor: User) -> Job:
    """Cancel a waiting job at once; ask a running one to stop at its next step."""
    if not can(actor, Verb.RUN, job):
        raise PermissionDenied
    with connection.cursor() as cursor:
        # A job that makes its result current holds its row until that is done.
        cursor.execute("SET LOCAL lock_timeout = '2s'")
    try:
        with transaction.atomic():
            job = Job.objects.select_for_update(no_key=True, of=("self",)).get(
                pk=job.pk
            )
    except OperationalError as error:
        raise UserVisibleError(
            _("The job is just finishing and can no longer be cancelled.")
        ) from error
    if job.is_finished or job.cancel_requested:
        return job
    job.cancel_requested = True
    if job.state == JobState.QUEUED:
        job.state = JobState.CANCELLED
        job.finished_at = timezone.now()
    job.save(update_fields=["cancel_requested", "state", "finished_at"])
    record(actor, "cancelled", job)
    return job
