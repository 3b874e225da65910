"""Jobs without a worker process: the rules of the queue, one by one."""

import threading
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DataError, OperationalError, connections, transaction
from django.utils import timezone
from model_bakery import baker

from crm import jobs
from crm.celery import app
from crm.exceptions import UserVisibleError
from crm.jobs import broker
from crm.jobs.handle import JobHandle
from crm.jobs.reporter import Reporter
from crm.jobs.runner import claim
from crm.models import AuditEntry, Job, JobLog, JobState, Role, User
from crm.testing.jobs import leave_mark, marks
from crm.testing.workers import run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    """Return a representative who reads Chinese and lives in Shanghai."""
    person = baker.make(
        User, username="owner", language="zh-hans", time_zone="Asia/Shanghai"
    )
    person.roles.add(Role.objects.get(code="representative"))
    return person


@pytest.fixture
def stranger() -> User:
    """Return another representative, of the same team as nobody."""
    person = baker.make(User, username="stranger")
    person.roles.add(Role.objects.get(code="representative"))
    return person


def refreshed(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def lose_lease(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def handle_of(job: Job) -> JobHandle:
    return JobHandle(job, Reporter(job))


# --- Enqueue ------------------------------------------------------------------


def test_a_worker_is_woken_when_the_transaction_commits(
    django_capture_on_commit_callbacks,
):
    before = broker.messages_waiting("analytics")
    with django_capture_on_commit_callbacks() as callbacks:
        jobs.enqueue("test.mark_analytics", params={"word": "x"})
    assert broker.messages_waiting("analytics") == before
    for callback in callbacks:
        callback()
    assert broker.messages_waiting("analytics") == before + 1


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_request_leaves_no_job_and_wakes_nobody():
    before = broker.messages_waiting("default")
    with transaction.atomic():
        jobs.enqueue("test.mark", params={"word": "x"})
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert broker.messages_waiting("default") == before


@pytest.mark.django_db(transaction=True)
def test_a_dead_broker_fails_no_request_and_the_job_is_sent_later(
    monkeypatch, settings
):
    settings.JOB_SWEEP_SECONDS = 0
    with monkeypatch.context() as patch:
        patch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
        job = jobs.enqueue("test.mark", params={"word": "patient"})
        assert jobs.sweep().sent == []
    assert refreshed(job).state == JobState.QUEUED
    while broker.messages_waiting("default"):
        with broker.producer() as found:
            found.channel.queue_purge("default")
    assert jobs.sweep().sent == [job.pk]
    assert broker.messages_waiting("default") == 1


def test_an_unknown_kind_is_refused_at_once():
    with pytest.raises(jobs.UnknownKindError):
        jobs.enqueue("test.nobody_knows_this")
    assert not Job.objects.exists()


def test_a_kind_is_declared_once_and_for_a_queue_that_is_served():
    with pytest.raises(ValueError, match="no worker serves"):
        jobs.job("test.elsewhere", queue="nowhere")
    with pytest.raises(ValueError, match="Two handlers"):
        jobs.job("test.mark")(handle_of)


def test_the_same_key_gives_the_job_that_waits():
    first = jobs.enqueue("test.mark", params={"word": "key"}, dedupe_key="k")
    again = jobs.enqueue("test.mark", params={"word": "key"}, dedupe_key="k")
    other = jobs.enqueue("test.mark", params={"word": "other"}, dedupe_key="other")
    assert again.pk == first.pk
    assert other.pk != first.pk
    assert run_jobs() == ["done", "done"]
    assert (marks("key"), marks("other")) == (1, 1)
    later = jobs.enqueue("test.mark", params={"word": "key"}, dedupe_key="k")
    assert later.pk != first.pk


@pytest.mark.django_db(transaction=True)
def test_a_job_that_was_joined_does_not_start_before_the_joiner_commits():
    """It would not see the changes for which it was wanted again."""
    job = jobs.enqueue("test.mark", params={"word": "x"}, dedupe_key="k")
    outcomes = []

    def claim_elsewhere() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        try:
            outcomes.append(claim(job.pk))
        except OperationalError:
            outcomes.append("waits")
        connections.close_all()

    with transaction.atomic():
        assert jobs.enqueue("test.mark", params={}, dedupe_key="k").pk == job.pk
        thread = threading.Thread(target=claim_elsewhere)
        thread.start()
        thread.join()
    assert outcomes == ["waits"]
    assert claim(job.pk) is not None


def test_jobs_with_one_key_run_one_after_the_other():
    first = jobs.enqueue("test.mark", params={"word": "a"}, dedupe_key="k")
    held = claim(first.pk)
    second = jobs.enqueue("test.mark", params={"word": "b"}, dedupe_key="k")
    assert second.pk != first.pk
    assert claim(second.pk) is None
    lose_lease(held)
    assert claim(second.pk) is not None


def test_a_lost_job_whose_twin_waits_is_still_run():
    first = jobs.enqueue("test.mark", params={"word": "a"}, dedupe_key="k")
    lose_lease(claim(first.pk))
    second = jobs.enqueue("test.mark", params={"word": "b"}, dedupe_key="k")
    assert jobs.sweep().interrupted == [first.pk]
    assert jobs.run(first.pk) == JobState.DONE
    assert jobs.run(second.pk) == JobState.DONE
    assert (marks("a"), marks("b")) == (1, 1)


# --- Run ----------------------------------------------------------------------


def test_a_finished_job_is_not_run_again():
    job = jobs.enqueue("test.mark", params={"word": "once"})
    assert jobs.run(job.pk) == JobState.DONE
    assert jobs.run(job.pk) is None
    assert marks("once") == 1


def test_a_job_that_another_worker_holds_is_left_alone():
    job = jobs.enqueue("test.mark", params={"word": "held"})
    held = claim(job.pk, worker="first")
    assert jobs.run(job.pk, worker="second") is None
    assert refreshed(job).token == held.token
    assert marks("held") == 0


def test_the_handler_finds_its_owner_language_and_clock(owner):
    job = jobs.enqueue("test.environment", owner=owner)
    run_jobs()
    result = refreshed(job).result
    assert result["language"] == "zh-hans"
    assert result["zone"] == "Asia/Shanghai"
    assert result["owner"] == "owner"


def test_a_job_of_the_system_speaks_the_language_of_the_site():
    job = jobs.enqueue("test.environment")
    run_jobs()
    assert refreshed(job).result["language"] == "en"


def test_a_refusal_is_shown_in_the_language_of_the_owner(owner):
    job = jobs.enqueue("test.refuse", owner=owner)
    assert run_jobs() == ["failed"]
    assert refreshed(job).error == "星期一"
    assert [line.text for line in job.log_lines.all()] == ["星期一"]


def test_an_unforeseen_error_is_told_in_general_words_only(owner, caplog):
    job = jobs.enqueue("test.crash", params={"secret": "password=hunter2"})
    assert run_jobs() == ["failed"]
    failed = refreshed(job)
    assert str(job.pk) in failed.error
    shown = (
        failed.error
        + failed.message
        + "".join(line.text for line in failed.log_lines.all())
    )
    assert "hunter2" not in shown
    assert "hunter2" in caplog.text


def test_a_lost_database_gives_the_job_back_until_it_is_given_up():
    job = jobs.enqueue("test.database_error")
    assert jobs.run(job.pk) == JobState.QUEUED
    assert refreshed(job).error == ""
    assert run_jobs() == ["queued", "failed"]
    failed = refreshed(job)
    assert failed.attempts == failed.max_attempts == 3
    assert "3 times" in failed.error


def test_a_worker_lost_again_and_again_is_given_up_with_a_sentence():
    job = jobs.enqueue("test.mark", params={"word": "never"})
    for _attempt in range(job.max_attempts):
        lose_lease(claim(job.pk))
        assert jobs.sweep().interrupted == [job.pk]
    failed = refreshed(job)
    assert failed.state == JobState.FAILED
    assert "5 times" in failed.error
    assert claim(job.pk) is None
    assert marks("never") == 0


def test_the_sweeper_leaves_healthy_jobs_alone(settings):
    waiting = jobs.enqueue("test.mark", params={"word": "waiting"})
    running = claim(jobs.enqueue("test.mark", params={"word": "running"}).pk)
    found = jobs.sweep()
    assert (found.interrupted, found.sent) == ([], [])
    assert refreshed(waiting).state == JobState.QUEUED
    assert refreshed(running).token == running.token


@pytest.mark.parametrize(
    ("created", "sent", "again"),
    [(3600, 3600, True), (3600, 300, False), (3600, 1900, True), (30, 30, False)],
)
def test_one_lost_message_among_many_does_not_starve_its_job(created, sent, again):
    """Other messages hide the loss; then the job is sent when its wait has doubled."""
    job = jobs.enqueue("test.mark", queue="mail", params={"word": "x"})
    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(
        created_at=now - timedelta(seconds=created),
        enqueued_at=now - timedelta(seconds=sent),
    )
    broker.send_jobs([(0, "mail")] * 3)
    assert jobs.sweep().sent == ([job.pk] if again else [])
    assert jobs.sweep().sent == []


def test_old_jobs_are_forgotten_with_their_logs_and_no_others():
    job = jobs.enqueue("test.mark", params={"word": "old"})
    run_jobs()
    recent = jobs.enqueue("test.mark", params={"word": "recent"})
    run_jobs()
    waiting = jobs.enqueue("test.mark", params={"word": "waiting"})
    long_ago = timezone.now() - timedelta(days=31)
    Job.objects.filter(pk__in=[job.pk, waiting.pk]).update(created_at=long_ago)
    Job.objects.filter(pk=job.pk).update(finished_at=long_ago)
    assert jobs.forget_old_jobs() == 1
    assert set(Job.objects.all()) == {recent, waiting}
    assert set(JobLog.objects.values_list("job", flat=True)) == {recent.pk}


# --- Progress and publishing --------------------------------------------------


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
