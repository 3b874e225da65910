"""Ask whether a worker answers, and bring one along where none does."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from django.conf import settings

from crm.celery import app
from crm.jobs import broker
from crm.jobs.sweeper import sweep
from crm.models import Job

logger = logging.getLogger(__name__)

# A worker with this variable ends when the process it names is gone.
COMPANION_OF = "CRM_WORKER_COMPANION_OF"
POLL_SECONDS = 0.3


def a_worker_answers(queue: str, timeout: float = 1.0) -> bool:
    """Tell whether a living worker takes messages from the queue."""
    return queue in queues_served(timeout)


def queues_served(timeout: float = 1.0) -> set[str]:
    """Return the queues from which living workers take messages."""
    try:
        with broker.impatient_connection() as connection:
            inspect = app.control.inspect(timeout=timeout, connection=connection)
            answers = inspect.active_queues() or {}
    except broker.broker_errors():
        return set()
    return {found["name"] for queues in answers.values() for found in queues}


def worker_command(*queues: str, name: str = "crm", concurrency: int = 1) -> list[str]:
    """Return the command line of a worker that serves the queues."""
    return [
        *(sys.executable, "-m", "celery", "-A", "crm", "--quiet", "worker"),
        *("--queues", ",".join(queues), "--concurrency", str(concurrency)),
        *("--hostname", f"{name}@%h", "--without-gossip", "--without-mingle"),
    ]


@contextlib.contextmanager
def companion_worker(queue: str, *arguments: str) -> Iterator[subprocess.Popen]:
    """Keep a quiet worker for the queue beside this process while the block runs."""
    environment = {
        **os.environ,
        COMPANION_OF: str(os.getpid()),
        "LOG_LEVEL": "WARNING",
        # Celery warns at length of being root; the person at the shell knows.
        "PYTHONWARNINGS": "ignore",
    }
    # In a session of its own, so that Ctrl-C reaches us alone and we stop it in order.
    worker = subprocess.Popen(  # noqa: S603  (our own program)
        [*worker_command(queue, name=f"companion-{os.getpid()}"), *arguments],
        cwd=settings.BASE_DIR,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield worker
    finally:
        stop_group(worker, patience=10)


def stop_group(process: subprocess.Popen, patience: float) -> None:
    """End a process and its children, gently first."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        logger.warning("The worker %s does not end and is killed.", process.pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end_with_companion() -> None:
    """End this worker when the process that brought it along is gone."""
    companion = os.environ.get(COMPANION_OF)
    if not companion:
        return

    def watch() -> None:
        while os.getppid() == int(companion):
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="companion", daemon=True).start()


def run_worker_until(
    job: Job,
    *,
    on_progress: Callable[[Job], None] | None = None,
    worker_arguments: Sequence[str] = (),
) -> Job:
    """Follow a job to its end, with a worker of our own while no other answers.

    ``on_progress`` is called with the job whenever its row has changed.
    """
    with contextlib.ExitStack() as stack:
        worker = None
        next_look = 0.0
        seen = None
        while True:
            job.refresh_from_db()
            state = (job.state, job.done, job.total, job.message)
            if on_progress and state != seen:
                on_progress(job)
            seen = state
            if job.is_finished:
                return job
            if time.monotonic() >= next_look:
                sweep()
                alone = worker is None or worker.poll() is not None
                if alone and not a_worker_answers(job.queue):
                    own = companion_worker(job.queue, *worker_arguments)
                    worker = stack.enter_context(own)
                next_look = time.monotonic() + settings.JOB_SWEEP_SECONDS
            time.sleep(POLL_SECONDS)
