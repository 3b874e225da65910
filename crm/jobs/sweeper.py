"""Find jobs that were lost, and forget those that ended long ago."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.jobs import broker
from crm.jobs.queue import personal_settings
from crm.models import Job, JobLog, JobState
from crm.models.jobs import LogLevel

# A sweep that finds more than this leaves the rest to the next one.
SWEEP_LIMIT = 1000


def give_back(job: Job) -> bool:
    """Let go of a job whose work was interrupted; True if it is to run again.

    The caller holds the row's lock. Nothing that the old attempt still does counts: its
    token is void.
    """
    with personal_settings(job.owner, job.language):
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
    now = timezone.now()
    stale = Job.objects.filter(state=JobState.QUEUED, enqueued_at__lt=now - rest)
    by_queue: dict[str, list[Job]] = defaultdict(list)
    for job in stale.order_by("pk")[:SWEEP_LIMIT]:
        by_queue[job.queue].append(job)
    forgotten = []
    for queue, waiting in by_queue.items():
        messages = broker.messages_waiting(queue)
        if messages is None:
            return []
        some_lost = messages < len(waiting)
        forgotten += [
            (job.pk, queue)
            for job in waiting
            if some_lost or _has_doubled(job, now, rest)
        ]
    return forgotten


def _has_doubled(job: Job, now: datetime, rest: timedelta) -> bool:
    return now - job.enqueued_at > max(job.enqueued_at - job.created_at, 6 * rest)


def forget_old_jobs() -> int:
    """Delete jobs that ended long ago, with their logs; return how many."""
    limit = timezone.now() - timedelta(days=settings.JOB_KEEP_DAYS)
    old = Job.objects.filter(finished_at__lt=limit).exclude(
        state__in=[JobState.QUEUED, JobState.RUNNING]
    )
    forgotten = 0
    while ids := list(old.order_by("pk").values_list("pk", flat=True)[:SWEEP_LIMIT]):
        Job.objects.filter(pk__in=ids).delete()
        forgotten += len(ids)
    return forgotten
