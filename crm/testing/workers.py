"""Real worker processes for tests, and a quick way to run jobs without one.

Import the fixture ``worker`` into a conftest.py or a test module to use it.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import OperationalError, connection

import crm.testing.jobs  # noqa: F401  (declares the kinds)
from crm import jobs
from crm.celery import app
from crm.jobs import broker
from crm.jobs.workers import COMPANION_OF, worker_command
from crm.models import Job, JobState
from crm.testing.forking import fork

LEASE_SECONDS = 2
SWEEP_SECONDS = 1
# Generous, for a busy machine: a test that passes never waits this long.
PATIENCE = 60


def run_jobs(limit: int = 100) -> list[str]:
    """Run all waiting jobs in this process, oldest first; return how each ended.

    Jobs that they put into the queue run as well.
    """
    states = []
    while len(states) < limit:
        waiting = Job.objects.filter(state=JobState.QUEUED, cancel_requested=False)
        job_id = waiting.order_by("pk").values_list("pk", flat=True).first()
        state = job_id and jobs.run(job_id, worker="test")
        if not state:
            return states
        states.append(state)
    msg = f"After {limit} jobs there still are more."
    raise AssertionError(msg)


def child_environment() -> dict[str, str]:
    """Return the environment in which another process sees the test's database."""
    url = urlsplit(os.environ["DATABASE_URL"])
    name = connection.settings_dict["NAME"]
    return {
        **os.environ,
        "DATABASE_URL": urlunsplit(url._replace(path=f"/{name}")),
        "JOB_LEASE_SECONDS": str(LEASE_SECONDS),
        "JOB_SWEEP_SECONDS": str(SWEEP_SECONDS),
        COMPANION_OF: str(os.getpid()),
    }


class WorkerProcess:
    """One Celery worker in a process group of its own."""

    def __init__(
        self,
        log: Path,
        queues: tuple[str, ...],
        concurrency: int,
        environment: dict[str, str],
    ) -> None:
        self.log = log
        self.name = f"test-{log.stem}"
        command = worker_command(*queues, name=self.name, concurrency=concurrency)
        command += ["--include", "crm.testing.jobs"]
        if environment:
            self.process = self._new(command, {**child_environment(), **environment})
        else:
            argv = command[command.index("celery") :]
            self.process = fork(argv, child_environment(), log)

    def _new(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen:
        """Start it from nothing, for other settings."""
        with self.log.open("wb") as output:
            return subprocess.Popen(  # noqa: S603  (our own program)
                command,
                cwd=settings.BASE_DIR,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Wait until the worker answers a ping."""
        end = time.monotonic() + PATIENCE
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                msg = f"The worker does not start:\n{self.log.read_text()}"
                raise AssertionError(msg)

    def _answers(self) -> bool:
        with broker.impatient_connection() as link:
            answers = app.control.ping(timeout=0.3, connection=link, limit=50)
        return any(
            name.startswith(f"{self.name}@") for answer in answers for name in answer
        )

    def kill(self) -> None:
        """Kill the worker with all its children, as a crash of the machine would."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def worker(
    transactional_db: None, tmp_path: Path
) -> Iterator[Callable[..., WorkerProcess]]:
    """Return a factory of real workers on the test's database and broker."""
    started: list[WorkerProcess] = []

    def start(*queues: str, concurrency: int = 1, **environment: str) -> WorkerProcess:
        log = tmp_path / f"worker{len(started)}.log"
        new = WorkerProcess(log, queues or ("default",), concurrency, environment)
        started.append(new)
        new.wait_until_ready()
        return new

    yield start
    for process in started:
        process.kill()


def wait_for(condition: Callable[[], object], *, sweeping: bool = False) -> None:
    """Wait until the condition holds, if asked with the sweeper running meanwhile."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            if condition():
                return
            if sweeping:
                jobs.sweep()
        except OperationalError:
            # The database is away for a moment in some tests.
            connection.close()
        if time.monotonic() > end:
            states = list(Job.objects.values_list("pk", "state", "attempts", "error"))
            msg = f"It did not come true; the jobs: {states}"
            raise AssertionError(msg)
        time.sleep(0.1)


def is_running(job: Job) -> bool:
    """Tell whether a worker holds the job and it has reported progress."""
    job.refresh_from_db()
    return job.state == JobState.RUNNING and job.done > 0


def has_ended(*ended: Job) -> bool:
    """Tell whether nothing more will happen to the jobs."""
    unfinished = Job.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING])
    return not unfinished.filter(pk__in=[job.pk for job in ended]).exists()
