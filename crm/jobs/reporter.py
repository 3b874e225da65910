"""Carry progress, log lines and the lease between a running job and its row."""

import logging
import threading
import time
from collections import deque
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now
from django.utils import timezone

from crm.history.context import is_usable
from crm.models import Job, JobLog, JobState

logger = logging.getLogger(__name__)

# How long progress may be behind, and how long a wish to cancel may go unheard.
TICK_SECONDS = 1.0


def lease_end() -> CombinedExpression:
    """Return when a lease that begins now ends, by the database's clock."""
    return Now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)


class Reporter:
    """Keep one job's row up to date from a thread with a connection of its own.

    The handler's own connection will not do: inside a transaction nobody would see the
    progress, its update would lock the row against everyone, and a rollback would take
    the log away. A job shorter than one tick never opens the second connection.

    Where the caller is in a transaction already (tests), no other connection can see
    the row, so the handler's own calls do the work of the thread.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.cancelled = threading.Event()
        self.lost = threading.Event()
        self._progress: dict[str, Any] = {}
        self._written: dict[str, Any] = {}
        self._lines: deque[JobLog] = deque()
        self._renewed = self._ticked = time.monotonic()
        self._stop = threading.Event()
        self._alone = connection.in_atomic_block
        self._thread = threading.Thread(
            target=self._run, name=f"job-{job.pk}", daemon=True
        )

    def start(self) -> None:
        """Begin to report."""
        if not self._alone:
            self._thread.start()

    def stop(self) -> None:
        """Stop reporting and write what was not yet written."""
        self._stop.set()
        if not self._alone:
            self._thread.join()
        self._write_log()

    def report(self, done: int, total: int, message: object) -> None:
        """Remember the latest progress for the next tick."""
        # A new dictionary each time: the thread may be reading the old one.
        self._progress = {
            "done": max(0, int(done)),
            "total": max(0, int(total)),
            "message": str(message)[:500] or self._progress.get("message", ""),
        }

    def log(self, text: object, level: str) -> None:
        """Remember a log line for the next tick."""
        line = JobLog(job=self.job, at=timezone.now(), level=level, text=str(text))
        self._lines.append(line)

    def latest(self) -> dict[str, Any]:
        """Return the progress as fields of the row."""
        return self._progress

    def tick_if_alone(self) -> None:
        """Do the thread's work where there is no thread, as often as it would.

        While a COPY runs the connection takes nothing else: the next tick does it.
        """
        is_due = time.monotonic() - self._ticked >= TICK_SECONDS
        if self._alone and is_due and is_usable(connection):
            self._ticked = time.monotonic()
            self._tick()

    def _run(self) -> None:
        interval = min(TICK_SECONDS, settings.JOB_LEASE_SECONDS / 3)
        try:
            while not self._stop.wait(interval):
                self._tick_safely()
        finally:
            connection.close()

    def _tick_safely(self) -> None:
        try:
            self._tick()
        except (DatabaseError, InterfaceError) as error:
            # The database may be back at the next tick; whether the lease held until
            # then is decided by the row, not here.
            logger.warning("Job %s cannot report: %s", self.job.pk, error)
            connection.close()

    def _tick(self) -> None:
        row = Job.objects.filter(pk=self.job.pk, token=self.job.token).values(
            "state", "cancel_requested"
        )
        found = row.first()
        if found is None:
            self.lost.set()
            self._stop.set()
            return
        if found["cancel_requested"]:
            self.cancelled.set()
        if found["state"] == JobState.RUNNING:
            self._update_row()
        self._write_log()

    def _update_row(self) -> None:
        """Write progress and renew the lease.

        A locked row is left for the next tick: waiting for it would delay the log.
        """
        renew = time.monotonic() - self._renewed >= settings.JOB_LEASE_SECONDS / 3
        fields = self._progress
        if not renew and fields == self._written:
            return
        with transaction.atomic():
            rows = Job.objects.select_for_update(skip_locked=True, no_key=True).filter(
                pk=self.job.pk, token=self.job.token, state=JobState.RUNNING
            )
            if not rows.values_list("pk").first():
                return
            Job.objects.filter(pk=self.job.pk).update(**fields, lease_until=lease_end())
        self._renewed = time.monotonic()
        self._written = fields

    def _write_log(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if not lines:
            return
        try:
            JobLog.objects.bulk_create(lines)
        except (DatabaseError, InterfaceError):
            self._lines.extendleft(reversed(lines))
            raise
