"""The pages of jobs: who sees which, progress without and with script, cancelling."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm import jobs
from crm.access import Verb
from crm.jobs.runner import claim
from crm.models import AuditEntry, Grant, Job, JobLog, JobState
from crm.testing.query_budget import queries_of
from crm.testing.snapshot import unchanged
from crm.testing.workers import run_jobs
from crm.testing.world import World, world

__all__ = ["world"]


def make_job(world: World, owner: str = "ana", **values: object) -> Job:
    job = jobs.enqueue("test.mark", owner=getattr(world, owner), params={"word": "x"})
    Job.objects.filter(pk=job.pk).update(**values)
    return Job.objects.get(pk=job.pk)


def status_url(job: Job) -> str:
    return f"{job.get_absolute_url()}status/"


def cancel_url(job: Job) -> str:
    return f"{job.get_absolute_url()}cancel/"


def test_the_list_shows_own_jobs_and_an_administrator_all(world):
    for owner in ("ana", "abe"):
        make_job(world, owner, title=f"Work of {owner}")
    jobs.enqueue("test.mark", params={"word": "x"}, title="Work of the system")
    seen = {
        name: world.client(name).get("/jobs/").content.decode()
        for name in ("ana", "abe", "ben", "dev")
    }
    shown = {
        name: [who for who in ("ana", "abe", "the system") if f"Work of {who}" in page]
        for name, page in seen.items()
    }
    assert shown == {
        "ana": ["ana"],
        "abe": ["abe"],
        "ben": [],
        "dev": ["ana", "abe", "the system"],
    }


@pytest.mark.parametrize("name", ["abe", "ben", "cleo"])
def test_a_job_of_someone_else_is_not_there(world, name):
    job = make_job(world)
    browser = world.client(name)
    with unchanged(Job, JobLog):
        assert browser.get(job.get_absolute_url()).status_code == 404
        assert browser.get(status_url(job)).status_code == 404
        assert browser.post(cancel_url(job)).status_code == 404


def test_a_person_without_a_role_is_refused(world):
    job = make_job(world)
    browser = world.client("fay")
    with unchanged(Job, JobLog):
        assert browser.get("/jobs/").status_code == 403
        assert browser.get(job.get_absolute_url()).status_code == 403
        assert browser.post(cancel_url(job)).status_code == 403


def test_a_visitor_is_sent_to_sign_in(world):
    job = make_job(world)
    browser = world.client("eve")
    with unchanged(Job, JobLog):
        for url in ("/jobs/", job.get_absolute_url(), status_url(job)):
            assert browser.get(url).status_code == 302
        assert browser.post(cancel_url(job)).status_code == 302


def test_to_see_is_not_to_cancel(world):
    job = make_job(world)
    Grant.objects.filter(model="crm.job", verb=Verb.RUN).delete()
    browser = world.client("ana")
    assert browser.get(job.get_absolute_url()).status_code == 200
    with unchanged(Job, JobLog):
        assert browser.post(cancel_url(job)).status_code == 403


def test_a_waiting_job_is_cancelled_on_its_page(world):
    job = make_job(world)
    browser = world.client("ana")
    assert cancel_url(job) in browser.get(job.get_absolute_url()).content.decode()
    answer = browser.post(cancel_url(job), follow=True)
    assert answer.redirect_chain == [(job.get_absolute_url(), 302)]
    page = answer.content.decode()
    assert "The job was cancelled." in page
    assert cancel_url(job) not in page
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert AuditEntry.objects.get(verb="cancelled").actor == world.ana
    assert run_jobs() == []


def test_an_administrator_cancels_the_job_of_another(world):
    job = claim(make_job(world).pk)
    answer = world.client("dev").post(cancel_url(job), {"next": "/jobs/"})
    assert answer.url == "/jobs/"
    job.refresh_from_db()
    assert (job.state, job.cancel_requested) == (JobState.RUNNING, True)


def test_the_way_back_stays_on_this_site(world):
    job = make_job(world)
    answer = world.client("ana").post(cancel_url(job), {"next": "https://evil.example"})
    assert answer.url == job.get_absolute_url()


def test_cancelling_takes_a_post(world):
    job = make_job(world)
    with unchanged(Job, JobLog):
        assert world.client("ana").get(cancel_url(job)).status_code == 405


def test_progress_is_polled_until_the_job_ends(world):
    job = claim(make_job(world).pk)
    Job.objects.filter(pk=job.pk).update(done=1500, total=2000, message="Half-way")
    browser = world.client("ana")
    page = browser.get(job.get_absolute_url()).content.decode()
    poll = f'hx-get="{status_url(job)}?log=1"'
    assert poll in page
    assert '<noscript><meta http-equiv="refresh"' in page

    part = browser.get(status_url(job), {"log": "1"}, headers={"HX-Request": "true"})
    text = part.content.decode()
    assert "<html" not in text
    assert poll in text
    assert 'value="75"' in text
    assert "Half-way" in text
    assert "1,500 of 2,000" in text
    assert "HX-Refresh" not in part.headers

    Job.objects.filter(pk=job.pk).update(
        state=JobState.DONE, finished_at=timezone.now()
    )
    last = browser.get(status_url(job), headers={"HX-Request": "true"})
    assert last.headers["HX-Refresh"] == "true"
    page = browser.get(job.get_absolute_url()).content.decode()
    assert "hx-get" not in page
    assert "http-equiv" not in page


def test_the_page_shows_the_log_the_error_and_the_result(world):
    job = make_job(world)
    run_jobs()
    page = world.client("ana").get(job.get_absolute_url()).content.decode()
    assert "Begun" in page
    assert 'href="/jobs/"' in page
    assert "Open the result" in page
    Job.objects.filter(pk=job.pk).update(state="failed", error="No rows <in> the file")
    page = world.client("ana").get(job.get_absolute_url()).content.decode()
    assert "No rows &lt;in&gt; the file" in page
    assert "Open the result" not in page


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example/", "x:y", ""])
def test_a_result_leads_to_this_site_only(world, url):
    job = make_job(world, state=JobState.DONE, result={"url": url})
    assert job.result_url == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59.9, "59.9 s"), (7325, "122 min 5 s")]
)
def test_the_page_says_how_long_the_job_took(world, seconds, text):
    end = timezone.now()
    start = end - timedelta(seconds=seconds)
    job = make_job(world, state=JobState.DONE, started_at=start, finished_at=end)
    page = world.client("ana").get(job.get_absolute_url()).content.decode()
    assert f"<dd>{text}</dd>" in page


def test_a_long_log_is_cut_and_says_so(world):
    job = make_job(world)
    JobLog.objects.bulk_create(JobLog(job=job, text=f"Line {i}.") for i in range(250))
    page = world.client("ana").get(job.get_absolute_url()).content.decode()
    assert "Line 249." in page
    assert "Line 49." not in page
    assert "Only the end of the log is shown." in page


def test_the_list_is_filtered_and_paged(world):
    many = [make_job(world, title=f"Number {i}.") for i in range(55)]
    Job.objects.filter(pk=many[3].pk).update(state=JobState.FAILED)
    browser = world.client("ana")
    first = browser.get("/jobs/").content.decode()
    assert "Number 54." in first
    assert "Number 4." not in first
    second = browser.get("/jobs/", {"before": many[5].pk}).content.decode()
    assert "Number 4." in second
    assert "Number 5." not in second
    failed = browser.get("/jobs/", {"state": "failed"}).content.decode()
    assert [f"Number {i}." in failed for i in (3, 4)] == [True, False]
    for bad in ({"before": "x"}, {"before": "9" * 40}, {"state": "'"}):
        assert browser.get("/jobs/", bad).status_code == 200


def test_the_list_costs_the_same_whatever_its_length(world):
    browser = world.client("dev")
    make_job(world)
    few = len(queries_of(browser, "/jobs/"))
    for _number in range(20):
        make_job(world, "abe")
    assert len(queries_of(browser, "/jobs/")) == few
    assert few <= 8
