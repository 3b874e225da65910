"""Jobs that the bench has done in its own process."""

from __future__ import annotations

from typing import Any

from crm import jobs
from crm.models import Job, JobLog


def work_off(kind: str, **about: Any) -> Job:
    """Run one job as a worker does and return it; raises RuntimeError if it fails."""
    # The row alone: a message would wake workers of the configured database.
    job = Job.objects.create(kind=kind, max_attempts=1, **about)
    state = jobs.run(job.pk, worker="bench")
    if state != "done":
        said = JobLog.objects.filter(job=job).values_list("text", flat=True)
        msg = f"The job {kind} ended as {state}: {'; '.join(said)}"
        raise RuntimeError(msg)
    job.refresh_from_db()
    return job
