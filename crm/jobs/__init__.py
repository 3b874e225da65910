"""Background work: the row in Postgres is the truth, the broker only a wake-up call.

See docs/jobs.md.
"""

from crm.jobs.handle import JobCancelled, JobHandle, LeaseLost
from crm.jobs.queue import cancel_job, enqueue
from crm.jobs.registry import UnknownKindError, job
from crm.jobs.runner import run
from crm.jobs.sweeper import forget_old_jobs, sweep

__all__ = [
    "JobCancelled",
    "JobHandle",
    "LeaseLost",
    "UnknownKindError",
    "cancel_job",
    "enqueue",
    "forget_old_jobs",
    "job",
    "run",
    "sweep",
]
