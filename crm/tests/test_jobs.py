"""Jobs without a worker process: the rules of the queue, one by one."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connections, transaction
from django.utils import timezone, translation
from model_bakery import baker

from crm import jobs
from crm.celery import app
from crm.jobs import broker
from crm.jobs.runner import claim
from crm.models import Job, JobLog, JobState, Role, User
from crm.testing.jobs import lose_lease, marks, refreshed
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
        jobs.job("test.mark")(print)


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


def test_a_job_speaks_the_language_of_the_page_where_its_owner_has_chosen_none(owner):
    owner.language = ""
    owner.save()
    with translation.override("zh-hans"):
        job = jobs.enqueue("test.environment", owner=owner)
    run_jobs()
    assert refreshed(job).result["language"] == "zh-hans"


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
