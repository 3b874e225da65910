"""Work in the background: broker, workers, scheduler, jobs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import redis
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_celery_beat.models import PeriodicTask

from crm.doctor.findings import Finding, check, fail, ok, warn
from crm.jobs.broker import SWEEP_JOBS, broker_errors
from crm.jobs.registry import QUEUES
from crm.jobs.workers import queues_served
from crm.management.plain import first_line
from crm.models import Job, JobState

BEAT_SILENT = timedelta(minutes=2)
LOST = timedelta(minutes=5)
WAITS_LONG = timedelta(hours=1)
FEW = 5


@check("broker", gettext_lazy("Broker"), needs_database=False)
def broker() -> Iterator[Finding]:
    """Ping the Redis server; ask what it does when it is full."""
    client = redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2
    )
    with client:
        try:
            client.ping()
        except broker_errors() as error:
            yield fail(
                _("The broker does not answer: %s") % first_line(error),
                _("Start Redis or Valkey, or correct REDIS_URL."),
            )
            return
        try:
            policy = client.config_get("maxmemory-policy").get("maxmemory-policy")
        except redis.ResponseError:
            # Hired servers do not tell.
            policy = "noeviction"
    if policy != "noeviction":
        yield warn(
            _("The broker may throw messages away when it is full (%s).") % policy,
            _("Set maxmemory-policy noeviction."),
        )
    else:
        yield ok(_("It answers."))


@check("workers", gettext_lazy("Workers"), needs_database=False)
def workers() -> Iterator[Finding]:
    """Ask who serves each queue."""
    served = queues_served(timeout=1.5)
    for queue in QUEUES:
        if queue not in served:
            yield fail(
                _("No worker serves the queue %s.") % queue,
                f"celery -A crm worker -Q {queue}",
            )
    if served.issuperset(QUEUES):
        yield ok(_("Every queue is served."))


@check("scheduler", gettext_lazy("Scheduler"))
def scheduler() -> Iterator[Finding]:
    """Look when the scheduler last sent the sweeper."""
    tasks = PeriodicTask.objects.filter(task=SWEEP_JOBS, enabled=True)
    last = tasks.order_by("-last_run_at").values_list("last_run_at", flat=True).first()
    start = "celery -A crm beat"
    if last is None:
        yield fail(_("It has never looked for lost jobs."), start)
    elif timezone.now() - last > BEAT_SILENT:
        minutes = int((timezone.now() - last).total_seconds() // 60)
        yield fail(
            _("It last looked for lost jobs %s minutes ago.") % minutes,
            start,
        )
    else:
        yield ok(_("It works."))
    for name in PeriodicTask.objects.filter(enabled=False).values_list(
        "name", flat=True
    ):
        yield warn(
            _("The task %s is switched off.") % name,
            _("Switch it on in the admin, under periodic tasks, if that is not meant."),
        )


@check("jobs", gettext_lazy("Jobs"))
def jobs() -> Iterator[Finding]:
    """Find jobs that nobody works at, and those that failed lately."""
    now = timezone.now()
    lost = Job.objects.filter(state=JobState.RUNNING, lease_until__lt=now - LOST)
    waiting = Job.objects.filter(
        state=JobState.QUEUED, created_at__lt=now - WAITS_LONG, cancel_requested=False
    )
    failed = Job.objects.filter(
        state=JobState.FAILED, finished_at__gt=now - timedelta(days=1)
    )
    is_well = True
    for found, text in (
        (lost, _("Interrupted and not taken up again: %s")),
        (waiting, _("Waiting for more than an hour: %s")),
    ):
        if names := [str(job) for job in found[:FEW]]:
            is_well = False
            mend = _("See whether scheduler and workers run; the page /jobs/ has all.")
            yield fail(text % ", ".join(names), mend)
    if count := failed.count():
        is_well = False
        text = ngettext(
            "%(count)s job failed since yesterday: %(names)s",
            "%(count)s jobs failed since yesterday: %(names)s",
            count,
        )
        names = ", ".join(str(job) for job in failed[:FEW])
        yield warn(
            text % {"count": count, "names": names},
            _("Each says on its page under /jobs/ what was wrong."),
        )
    if is_well:
        yield ok(_("None is stuck, none failed since yesterday."))
