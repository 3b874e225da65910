"""What a handler holds while it works: progress, log, cancelling, publishing."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from crm.access import VisibleQuerySet
from crm.jobs.reporter import Reporter
from crm.models import Job, JobState, User
from crm.models.jobs import LogLevel

logger = logging.getLogger(__name__)


class JobCancelled(Exception):
    """Someone asked the job to stop."""


class LeaseLost(Exception):
    """The job belongs to another worker now, or to nobody; nothing done here counts."""


class JobHandle:
    """The running job, as its handler sees it.

    Set ``result`` to a dictionary that JSON can hold; ``result["url"]`` becomes a link
    on the job's page.
    """

    def __init__(self, job: Job, reporter: Reporter) -> None:
        self._job = job
        self._reporter = reporter
        # Not empty where an earlier attempt published portions.
        self.result: dict[str, Any] = dict(job.result)
        self.published = False

    @property
    def id(self) -> int:
        """Return the job's number."""
        return self._job.pk

    @property
    def owner(self) -> User | None:
        """Return who started the job; its rights bound what the job may read."""
        return self._job.owner

    @property
    def attempt(self) -> int:
        """Return which try this is, from 1."""
        return self._job.attempts

    def progress(self, done: int, total: int = 0, message: object = "") -> None:
        """Say how far the work is; cheap enough for every turn of a loop.

        Raises JobCancelled or LeaseLost when the work is to stop.
        """
        self._reporter.report(done, total, message)
        self.check_cancelled()

    def log(self, text: object, level: str = LogLevel.INFO) -> None:
        """Add a line to the log that people read on the job's page."""
        self._reporter.log(text, level)

    def check_cancelled(self) -> None:
        """Raise JobCancelled or LeaseLost when the work is to stop."""
        self._reporter.tick_if_alone()
        if self._reporter.lost.is_set():
            raise LeaseLost(self._job)
        if self._reporter.cancelled.is_set():
            raise JobCancelled(self._job)

    @contextmanager
    def publish(self, *, finish: bool = True) -> Iterator["JobHandle"]:
        """Open the one transaction that makes the result current.

        Its last statement marks the job done, if the job still is ours and nobody asked
        it to stop; otherwise everything is rolled back. So the result and the job's end
        become true together: no attempt that lost its lease can publish, and a worker
        that is killed cannot publish a second time. Only clearing up may follow.

        The row is locked at the end, not at the beginning: a long transaction shows its
        progress, keeps its lease and can be cancelled.

        With ``finish=False`` the job goes on: for work that is saved in portions. The
        ``result`` so far is saved with the portion, and the next attempt begins with
        it, so that it can say where to continue.
        """
        if self.published:
            msg = "The job has published its result; it cannot write another."
            raise RuntimeError(msg)
        with transaction.atomic(durable=True):
            self.check_cancelled()
            self._check_row(Job.objects.all())
            yield self
            self._check_row(Job.objects.select_for_update(no_key=True))
            if finish:
                self._mark_done()
            else:
                Job.objects.filter(pk=self._job.pk).update(
                    result=self.result, **self._reporter.latest()
                )
        self.published = finish

    def _check_row(self, jobs: VisibleQuerySet) -> None:
        """Raise LeaseLost or JobCancelled unless the row says that we may publish."""
        ours = jobs.filter(
            pk=self._job.pk, token=self._job.token, state=JobState.RUNNING
        )
        row = ours.values("cancel_requested").first()
        if row is None:
            raise LeaseLost(self._job)
        if row["cancel_requested"]:
            raise JobCancelled(self._job)

    def _mark_done(self) -> None:
        Job.objects.filter(pk=self._job.pk).update(
            state=JobState.DONE,
            result=self.result,
            error="",
            finished_at=Now(),
            **self._reporter.latest(),
        )
