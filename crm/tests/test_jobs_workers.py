"""Jobs with real workers: killed, interrupted, woken twice, forgotten by the broker."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection, connections
from launcher import processes

from crm import jobs, tasks
from crm.celery import app
from crm.jobs import broker
from crm.jobs.workers import a_worker_answers, run_worker_until
from crm.models import Job, JobState
from crm.testing.jobs import marks
from crm.testing.workers import (
    LEASE_SECONDS,
    SWEEP_SECONDS,
    child_environment,
    has_ended,
    is_running,
    wait_for,
    worker,
)

__all__ = ["worker"]

pytestmark = pytest.mark.process


@pytest.fixture(autouse=True)
def short_times(settings):
    settings.JOB_LEASE_SECONDS = LEASE_SECONDS
    settings.JOB_SWEEP_SECONDS = SWEEP_SECONDS


@pytest.fixture
def gate(tmp_path) -> Path:
    """Return a file for which handlers wait until the test touches it."""
    return tmp_path / "gate"


def start_and_hold(gate: Path, word: str = "held") -> Job:
    """Enqueue a job and wait until a worker is in the middle of it."""
    job = jobs.enqueue("test.mark", params={"word": word, "gate": str(gate)})
    wait_for(lambda: is_running(job))
    return job


def test_a_job_runs_once_though_its_message_comes_twice(worker):
    job = jobs.enqueue("test.mark", params={"word": "twice"})
    broker.send_jobs([(job.pk, job.queue)] * 5)
    worker(concurrency=2)
    wait_for(lambda: has_ended(job) and broker.messages_waiting("default") == 0)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.DONE, 1)
    assert marks("twice") == 1
    assert job.result == {"marks": 1, "url": "/jobs/"}
    assert [line.text for line in job.log_lines.all()] == ["Begun"]


def test_two_claims_at_the_same_moment_give_the_job_to_one(transactional_db):
    job = jobs.enqueue("test.mark", params={"word": "race"})
    barrier = threading.Barrier(4)
    claims = []

    def claim() -> None:
        barrier.wait()
        claims.append(jobs.runner.claim(job.pk))
        connections.close_all()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [found for found in claims if found is not None]
    assert len(winners) == 1
    job.refresh_from_db()
    assert (job.token, job.attempts) == (winners[0].token, 1)


def test_progress_is_seen_from_outside_while_the_handler_is_in_a_transaction(
    worker, gate
):
    worker()
    job = jobs.enqueue("test.in_transaction", params={"gate": str(gate)})
    wait_for(lambda: is_running(job))
    assert job.message.startswith("Turn ")
    assert job.total == 1_000_000
    wait_for(lambda: job.log_lines.filter(text="From inside").exists())
    gate.touch()
    wait_for(lambda: has_ended(job))
    job.refresh_from_db()
    assert job.state == JobState.DONE
    assert marks("rolled back") == 0
    assert job.log_lines.count() == 1


def test_a_long_job_keeps_its_lease(worker, gate):
    worker()
    job = start_and_hold(gate)
    first = job.lease_until
    wait_for(lambda: Job.objects.get(pk=job.pk).lease_until > first, sweeping=True)
    time.sleep(LEASE_SECONDS)
    assert jobs.sweep().interrupted == []
    gate.touch()
    wait_for(lambda: has_ended(job))
    job.refresh_from_db()
    assert (job.state, job.attempts, marks("held")) == (JobState.DONE, 1, 1)


def test_a_killed_worker_loses_nothing_and_doubles_nothing(worker, gate):
    first = worker()
    job = start_and_hold(gate)
    first.kill()
    worker()
    gate.touch()
    wait_for(lambda: has_ended(job), sweeping=True)
    job.refresh_from_db()
    assert (job.state, job.attempts, marks("held")) == (JobState.DONE, 2, 1)
    assert job.log_lines.filter(level="warning").count() == 1


def test_a_worker_killed_while_publishing_leaves_the_old_result(worker, tmp_path, gate):
    first = worker()
    started = tmp_path / "started"
    job = jobs.enqueue(
        "test.publish_slowly",
        params={"word": "half", "started": str(started), "gate": str(gate)},
    )
    wait_for(lambda: started.exists() and is_running(job))
    # The lease would run out meanwhile if it were not renewed.
    time.sleep(LEASE_SECONDS + 1)
    assert jobs.sweep().interrupted == []
    assert marks("half") == 0
    first.kill()
    worker()
    gate.touch()
    wait_for(lambda: has_ended(job), sweeping=True)
    job.refresh_from_db()
    assert (job.state, job.attempts, marks("half")) == (JobState.DONE, 2, 1)


def test_a_worker_that_was_given_up_cannot_publish(worker, gate):
    worker()
    job = start_and_hold(gate)
    # Another worker takes over, as after a pause of this one that outlived the lease.
    Job.objects.filter(pk=job.pk).update(lease_until=job.created_at)
    taken = jobs.runner.claim(job.pk, worker="another")
    assert taken is not None
    gate.touch()
    # The queue is served in order: this one's end means that the first one gave up.
    after = jobs.enqueue("test.mark", params={"word": "after"})
    wait_for(lambda: has_ended(after))
    job.refresh_from_db()
    assert (job.state, job.token) == (JobState.RUNNING, taken.token)
    assert (marks("held"), marks("after")) == (0, 1)


def test_a_flushed_broker_loses_no_job_and_a_busy_worker_is_not_nagged(worker, gate):
    worker()
    held = start_and_hold(gate)
    words = [f"flushed {number}" for number in range(12)]
    waiting = [jobs.enqueue("test.mark", params={"word": word}) for word in words]
    time.sleep(SWEEP_SECONDS + 0.1)
    assert jobs.sweep().sent == []

    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    assert broker.messages_waiting("default") == 0
    assert jobs.sweep().sent == [job.pk for job in waiting]
    gate.touch()
    wait_for(lambda: has_ended(held, *waiting))
    assert {job.state for job in Job.objects.all()} == {JobState.DONE}
    assert {job.attempts for job in Job.objects.all()} == {1}
    assert [marks(word) for word in words] == [1] * 12


def test_a_worker_looks_for_lost_jobs_when_it_starts(worker):
    job = jobs.enqueue("test.mark", params={"word": "found"})
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    time.sleep(SWEEP_SECONDS + 0.1)
    worker()
    wait_for(lambda: has_ended(job))
    assert marks("found") == 1


def test_a_database_restarted_in_the_middle_is_survived(worker, gate, test_services):
    worker()
    job = start_and_hold(gate)
    if test_services.postgres is None:
        end_all_other_connections()
    else:
        connection.close()
        test_services.postgres.kill()
        test_services.postgres.start()
    gate.touch()
    wait_for(lambda: has_ended(job), sweeping=True)
    job.refresh_from_db()
    assert (job.state, job.error, marks("held")) == (JobState.DONE, "", 1)


def end_all_other_connections() -> None:
    """Do what a restart does to clients of a server that is not ours to restart."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_running_job_stops_when_it_is_cancelled(worker, gate, admin_user):
    worker()
    job = start_and_hold(gate)
    jobs.cancel_job(job=job, actor=admin_user)
    wait_for(lambda: has_ended(job))
    job.refresh_from_db()
    assert (job.state, job.error, marks("held")) == (JobState.CANCELLED, "", 0)


def test_a_cancelled_job_whose_worker_died_is_not_run_again(worker, gate, admin_user):
    first = worker()
    job = start_and_hold(gate)
    first.kill()
    jobs.cancel_job(job=job, actor=admin_user)
    wait_for(lambda: has_ended(job), sweeping=True)
    job.refresh_from_db()
    assert (job.state, job.attempts, marks("held")) == (JobState.CANCELLED, 1, 0)


def test_a_broker_restarted_in_the_middle_is_survived(worker, gate, test_services):
    if test_services.valkey is None:
        pytest.skip("The broker of REDIS_URL is not ours to restart.")
    worker()
    job = start_and_hold(gate)
    test_services.valkey.kill()
    down = jobs.enqueue("test.mark", params={"word": "while down"})
    test_services.valkey.start()
    gate.touch()
    after = jobs.enqueue("test.mark", params={"word": "afterwards"})
    wait_for(lambda: has_ended(job, down, after), sweeping=True)
    assert {found.state for found in Job.objects.all()} == {JobState.DONE}
    assert [marks(word) for word in ("held", "while down", "afterwards")] == [1, 1, 1]


def test_a_worker_serves_its_queue_on_one_core_and_its_jobs_start_others(worker):
    worker("default")
    assert a_worker_answers("default")
    assert not a_worker_answers("analytics")
    job = jobs.enqueue("test.environment")
    jobs.enqueue("test.chain", params={"word": "chained"})
    wait_for(lambda: marks("chained"))
    job.refresh_from_db()
    assert job.result["threads"] == "1"
    assert job.worker.startswith("test-worker0@")


def test_a_command_can_bring_its_own_worker(transactional_db, monkeypatch):
    for name, value in child_environment().items():
        monkeypatch.setenv(name, value)
    job = jobs.enqueue("test.mark_analytics", params={"word": "own"})
    seen = []
    run_worker_until(
        job,
        on_progress=lambda now: seen.append(now.state),
        worker_arguments=["--include", "crm.testing.jobs"],
    )
    assert (job.state, marks("own")) == (JobState.DONE, 1)
    assert seen[-1] == JobState.DONE
    assert not a_worker_answers("analytics")


def test_a_job_that_takes_too_long_ends_with_a_sentence(worker, gate):
    # Long enough for a slow machine to begin, so that it is the job that is cut off.
    worker(JOB_TIME_LIMIT=str(tasks.WARNING_SECONDS + 5))
    # The sender knows the task, with a limit of its own that must not go along.
    app.finalize()
    assert app.tasks[broker.RUN_JOB].soft_time_limit > tasks.WARNING_SECONDS
    job = jobs.enqueue("test.mark", params={"word": "long", "gate": str(gate)})
    wait_for(lambda: has_ended(job))
    job.refresh_from_db()
    assert (job.state, job.attempts, marks("long")) == (JobState.FAILED, 1, 0)
    assert "took longer than is allowed" in job.error


COMPANION = """
import time, django
django.setup()
from crm.jobs.workers import companion_worker
with companion_worker("mail") as worker:
    print(worker.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("when", ["at once", "later"])
def test_no_worker_outlives_the_command_that_brought_it(transactional_db, when):
    command = subprocess.Popen(
        [sys.executable, "-c", COMPANION],
        cwd=settings.BASE_DIR,
        env=child_environment(),
        stdout=subprocess.PIPE,
    )
    pid = int(command.stdout.readline())
    if when == "later":
        wait_for(lambda: a_worker_answers("mail"))
    command.kill()
    command.communicate()
    wait_for(lambda: not processes.is_alive(pid))
    assert not a_worker_answers("mail")
