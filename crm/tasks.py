"""Celery's entry points, and what a worker does when it starts."""

import logging
import os
from typing import Any

from celery import Task, shared_task
from celery.signals import worker_process_init, worker_ready
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from crm import jobs
from crm.jobs.broker import RUN_JOB, SWEEP_JOBS, send_sweep
from crm.jobs.workers import end_with_companion
from crm.security import events, sessions

logger = logging.getLogger(__name__)

# The handler gets this much warning before the hard limit kills its process.
WARNING_SECONDS = 30


@shared_task(
    name=RUN_JOB,
    bind=True,
    soft_time_limit=max(1, settings.CELERY_TASK_TIME_LIMIT - WARNING_SECONDS),
)
def run_job(self: Task, job_id: int) -> None:
    """Run the job with this id, if it still waits."""
    try:
        jobs.run(job_id, worker=f"{self.request.hostname}/{os.getpid()}")
    except (DatabaseError, InterfaceError) as error:
        logger.warning("Job %s could not be claimed: %s", job_id, error)


@shared_task(name=SWEEP_JOBS, expires=settings.JOB_SWEEP_SECONDS)
def sweep_jobs() -> None:
    """Find lost jobs."""
    found = jobs.sweep()
    if found.interrupted or found.sent:
        logger.info("Jobs interrupted %s, sent again %s", found.interrupted, found.sent)


@shared_task(name="crm.forget_jobs")
def forget_jobs() -> None:
    """Delete jobs that ended long ago."""
    logger.info("Old jobs forgotten: %s", jobs.forget_old_jobs())


@shared_task(name="crm.forget_files")
def forget_files() -> None:
    """Delete exported and uploaded files that were kept long enough."""
    from crm.generic.export_job import forget_files
    from crm.importing.services import sweep_files

    count = forget_files() + sweep_files()
    logger.info("Old files forgotten: %s", count)


@shared_task(name="crm.keep_field_indexes")
def keep_field_indexes() -> None:
    """Make the indexes of custom fields that are missing, drop those of none."""
    from crm.custom.jobs import keep_all_indexes

    logger.info("Indexes of custom fields set to work: %s", keep_all_indexes())


@shared_task(name="crm.empty_trash")
def empty_trash() -> None:
    """Destroy what was deleted long ago."""
    from crm.history import jobs as history

    logger.info("Rows taken out of the trash: %s", history.empty_trash())


@shared_task(name="crm.deliver_notifications", expires=15)
def deliver_notifications() -> None:
    """Tell people of what a killed process left in the outbox."""
    from crm.notifications.delivery import deliver
    from crm.notifications.mailing import wake_waiting

    deliver()
    wake_waiting()


@shared_task(name="crm.forget_notifications")
def forget_notifications() -> None:
    """Delete notifications that were kept long enough."""
    from crm.notifications.keeping import forget

    logger.info("Old notifications forgotten: %s", forget())


@shared_task(name="crm.forget_security_events")
def forget_security_events() -> None:
    """Delete security events that are older than the site keeps them."""
    count = events.forget(settings.SECURITY_EVENT_KEEP_DAYS)
    logger.info("Old security events forgotten: %s", count)


@shared_task(name="crm.forget_sessions")
def forget_sessions() -> None:
    """Delete sessions that ended, with the addresses that they came from."""
    logger.info("Ended sessions forgotten: %s", sessions.forget_ended())


@shared_task(name="crm.enqueue_job")
def enqueue_job(kind: str) -> None:
    """Queue a job of a kind by the clock; one that still waits is not doubled."""
    jobs.enqueue(kind, dedupe_key=f"scheduled/{kind}")


@worker_process_init.connect
def limit_threads(**kwargs: Any) -> None:
    """Let each process of the worker use one core: there is one process per core.

    Set before the numeric libraries load, for they read it then.
    """
    for name in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{name}_NUM_THREADS"] = "1"


@worker_ready.connect
def start_well(sender: Any, **kwargs: Any) -> None:
    """Look for jobs that were lost while no worker ran."""
    end_with_companion()
    for queue in list(sender.app.amqp.queues.consume_from)[:1]:
        send_sweep(queue)
