"""Put jobs into the queue, take them out again, and find those that were lost."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.access import Verb, can
from crm.audit import record
from crm.exceptions import UserVisibleError
from crm.jobs import broker
from crm.jobs.registry import get_kind
from crm.models import Job, JobLog, JobState, User
from crm.models.jobs import LogLevel

logger = logging.getLogger(__name__)

# A sweep that finds more than this leaves the rest to the next one.
SWEEP_LIMIT = 1000


@contextmanager
def personal_settings(user: User | None) -> Iterator[None]:
    """Speak the person's language and use their clock while the block runs."""
    language = (user and user.language) or settings.LANGUAGE_CODE
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
    title: str = "",
) -> Job:
    """Write down a job and wake a worker when the transaction commits.

    With a dedupe key, a job that still waits under the same key is returned instead of
    a second one; and two jobs with one key never run at the same time.
    """
    declared = get_kind(kind)
    job = Job(
        kind=kind,
        title=title[:200],
        queue=queue or declared.queue,
        params=params or {},
        owner=owner,
        max_attempts=declared.max_attempts,
        dedupe_key=dedupe_key,
        enqueued_at=timezone.now(),
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


def give_back(job: Job) -> bool:
    """Let go of a job whose work was interrupted; True if it is to run again.

    The caller holds the row's lock. Nothing that the old attempt still does counts: its
    token is void.
    """
    with personal_settings(job.owner):
        if job.cancel_requested:
            _end(job, JobState.CANCELLED, "")
            return False
        if job.attempts >= job.max_attempts:
            text = _(
                "The work was interrupted %(count)s times and was given up. "
                "Ask an administrator to look at the server log, then start it again."
            ) % {"count": job.attempts}
            _end(job, JobState.FAILED, text)
            return False
        note = _("The work was interrupted; it will be started again.")
        JobLog.objects.create(job=job, level=LogLevel.WARNING, text=note)
    _requeue(job)
    return True


def _end(job: Job, state: JobState, error: str) -> None:
    Job.objects.filter(pk=job.pk).update(
        state=state, error=error, token=None, finished_at=Now()
    )
    if error:
        JobLog.objects.create(job=job, level=LogLevel.ERROR, text=error)


def _requeue(job: Job) -> None:
    rows = Job.objects.filter(pk=job.pk)
    try:
        with transaction.atomic():
            rows.update(state=JobState.QUEUED, token=None, enqueued_at=Now())
    except IntegrityError:
        # A twin with the same dedupe key waits already. This one stays as it is, with
        # its lease run out: like that it can be claimed, and the sweeper sees it.
        rows.update(token=None, lease_until=Now())


@dataclass
class Sweep:
    """What one sweep found."""

    interrupted: list[int] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)


def sweep() -> Sweep:
    """Give back jobs whose worker is gone, and wake workers for forgotten ones."""
    found = Sweep()
    messages = []
    with transaction.atomic():
        # A locked row is in the hands of someone alive.
        lost = Job.objects.select_for_update(
            skip_locked=True, no_key=True, of=("self",)
        ).select_related("owner")
        for job in lost.filter(state=JobState.RUNNING, lease_until__lt=Now()):
            found.interrupted.append(job.pk)
            if give_back(job):
                messages.append((job.pk, job.queue))
    messages += _forgotten_jobs()
    if messages:
        found.sent = broker.send_jobs(messages)
        Job.objects.filter(pk__in=found.sent, state=JobState.QUEUED).update(
            enqueued_at=Now()
        )
    return found


def _forgotten_jobs() -> list[tuple[int, str]]:
    """Return (id, queue) of waiting jobs whose message seems to be lost.

    In a queue that holds a message for each of them nothing is lost: the workers are
    busy. There a job is sent again only each time its waiting time has doubled, so that
    a lost message among many cannot starve and repeats do not pile up.
    """
    rest = timedelta(seconds=settings.JOB_SWEEP_SECONDS)
    unsent = Q(enqueued_at=None) | Q(enqueued_at__lt=Now() - rest)
    stale: QuerySet[Job] = Job.objects.filter(unsent, state=JobState.QUEUED)
    doubled = Q(enqueued_at=None) | Q(
        enqueued_at__lt=Now() - (F("enqueued_at") - F("created_at")) - 6 * rest
    )
    overdue = set(stale.filter(doubled).values_list("pk", flat=True)[:SWEEP_LIMIT])
    by_queue: dict[str, list[int]] = defaultdict(list)
    for pk, queue in stale.order_by("pk").values_list("pk", "queue")[:SWEEP_LIMIT]:
        by_queue[queue].append(pk)
    forgotten = []
    for queue, ids in by_queue.items():
        waiting = broker.messages_waiting(queue)
        if waiting is None:
            return []
        some_lost = waiting < len(ids)
        forgotten += [(pk, queue) for pk in ids if some_lost or pk in overdue]
    return forgotten
