"""Jobs without a worker process: publish, report, cancel."""

import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DataError, connections, transaction

from crm import jobs
from crm.exceptions import UserVisibleError
from crm.jobs.runner import claim
from crm.models import AuditEntry, Job, JobState, User
from crm.testing.jobs import handle_of, leave_mark, lose_lease, marks, refreshed
from crm.testing.workers import run_jobs
from crm.testing.world import World, world

__all__ = ["world"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(world: World) -> User:
    """Return a representative."""
    return world.ana


@pytest.fixture
def stranger(world: World) -> User:
    """Return another representative."""
    return world.cleo


def test_progress_reaches_the_row_and_survives_the_end():
    job = claim(jobs.enqueue("test.mark", params={"word": "x"}).pk)
    handle = handle_of(job)
    handle.progress(3, 10, "Third of ten")
    with handle.publish():
        handle.result = {"rows": 10}
    ended = refreshed(job)
    assert (ended.done, ended.total, ended.message) == (3, 10, "Third of ten")
    assert (ended.state, ended.result) == (JobState.DONE, {"rows": 10})
    assert ended.percent == 100


def test_a_lost_lease_refuses_to_publish():
    job = claim(jobs.enqueue("test.mark", params={"word": "x"}).pk)
    lose_lease(job)
    taken = claim(job.pk, worker="another")
    with pytest.raises(jobs.LeaseLost), handle_of(job).publish():
        leave_mark("stolen")
    assert marks("stolen") == 0
    assert refreshed(job).token == taken.token
    assert refreshed(job).state == JobState.RUNNING


def test_a_cancelled_job_refuses_to_publish(owner):
    job = claim(jobs.enqueue("test.mark", params={"word": "x"}, owner=owner).pk)
    jobs.cancel_job(job=job, actor=owner)
    with pytest.raises(jobs.JobCancelled), handle_of(job).publish():
        leave_mark("late")
    assert marks("late") == 0


def test_a_failed_publication_changes_nothing():
    job = claim(jobs.enqueue("test.mark", params={"word": "x"}).pk)
    handle = handle_of(job)

    def publish_half() -> None:
        with handle.publish():
            leave_mark("half")
            leave_mark("too long for its column" * 10)

    with pytest.raises(DataError):
        publish_half()
    assert marks("half") == 0
    assert refreshed(job).state == JobState.RUNNING
    assert not handle.published


def test_what_is_added_to_the_result_after_publishing_is_kept():
    job = jobs.enqueue("test.late_result")
    assert run_jobs() == ["done"]
    assert refreshed(job).result == {"rows": 1, "url": "/jobs/"}


def test_a_result_is_published_once():
    job = claim(jobs.enqueue("test.mark", params={"word": "x"}).pk)
    handle = handle_of(job)
    with handle.publish(finish=False):
        leave_mark("portion")
    assert refreshed(job).state == JobState.RUNNING
    with handle.publish():
        leave_mark("portion")
    with pytest.raises(RuntimeError), handle.publish():
        leave_mark("portion")
    assert marks("portion") == 2


# --- Cancel -------------------------------------------------------------------


def test_a_waiting_job_is_cancelled_at_once(owner):
    job = jobs.enqueue("test.mark", params={"word": "x"}, owner=owner)
    jobs.cancel_job(job=job, actor=owner)
    assert refreshed(job).state == JobState.CANCELLED
    assert refreshed(job).finished_at is not None
    assert run_jobs() == []
    assert marks("x") == 0
    assert AuditEntry.objects.get(object_id=job.pk, verb="cancelled").actor == owner


def test_a_lost_job_that_was_to_be_cancelled_is_not_claimed_again(owner):
    job = jobs.enqueue("test.mark", params={"word": "x"}, owner=owner)
    lose_lease(claim(job.pk))
    jobs.cancel_job(job=job, actor=owner)
    assert jobs.run(job.pk) is None
    jobs.sweep()
    assert refreshed(job).state == JobState.CANCELLED
    assert marks("x") == 0


def test_a_finished_job_cannot_be_cancelled(owner):
    job = jobs.enqueue("test.mark", params={"word": "x"}, owner=owner)
    run_jobs()
    assert jobs.cancel_job(job=job, actor=owner).state == JobState.DONE
    assert not refreshed(job).cancel_requested
    assert not AuditEntry.objects.filter(verb="cancelled").exists()


def test_a_stranger_cannot_cancel(owner, stranger):
    job = jobs.enqueue("test.mark", params={"word": "x"}, owner=owner)
    with pytest.raises(PermissionDenied):
        jobs.cancel_job(job=job, actor=stranger)
    assert refreshed(job).state == JobState.QUEUED
    assert not refreshed(job).cancel_requested


def cancel_elsewhere(job: Job, actor: User) -> str:
    """Cancel the job over another connection; return what was refused."""
    refusals = []

    def cancel() -> None:
        try:
            jobs.cancel_job(job=job, actor=actor)
        except UserVisibleError as error:
            refusals.append(str(error))
        connections.close_all()

    thread = threading.Thread(target=cancel)
    thread.start()
    thread.join()
    return "".join(refusals)


@pytest.mark.django_db(transaction=True)
def test_a_job_can_be_cancelled_while_it_publishes(admin_user):
    job = claim(jobs.enqueue("test.mark", params={"word": "x"}).pk)
    refusals = []

    def publish() -> None:
        with handle_of(job).publish():
            leave_mark("undone")
            refusals.append(cancel_elsewhere(job, admin_user))

    with pytest.raises(jobs.JobCancelled):
        publish()
    assert refusals == [""]
    assert marks("undone") == 0
    assert refreshed(job).state == JobState.RUNNING


@pytest.mark.django_db(transaction=True)
def test_a_job_lost_while_it_publishes_is_undone():
    job = claim(jobs.enqueue("test.mark", params={"word": "x"}).pk)

    def publish() -> None:
        with handle_of(job).publish():
            leave_mark("undone")
            thread = threading.Thread(target=take_over)
            thread.start()
            thread.join()

    def take_over() -> None:
        lose_lease(job)
        assert jobs.run(job.pk, worker="another") == JobState.DONE
        connections.close_all()

    with pytest.raises(jobs.LeaseLost):
        publish()
    assert (marks("undone"), marks("x")) == (0, 1)
    assert refreshed(job).state == JobState.DONE


@pytest.mark.django_db(transaction=True)
def test_in_the_last_instant_cancelling_is_refused(admin_user):
    job = claim(jobs.enqueue("test.mark", params={"word": "x"}).pk)
    with transaction.atomic():
        Job.objects.select_for_update().get(pk=job.pk)
        refusal = cancel_elsewhere(job, admin_user)
    assert "can no longer be cancelled" in refusal
    assert not refreshed(job).cancel_requested
