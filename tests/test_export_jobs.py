"""A big workbook is made by a job and taken away by who asked for it."""

import datetime
import io

import openpyxl
import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

from crm.models import EventKind, ExportFile, Grant, Job, SecurityEvent
from crm.tasks import forget_files
from crm.testing.workers import run_jobs
from customers.models import Customer

pytestmark = pytest.mark.django_db
URL = "/customers/export/?format=xlsx&columns=name,city&kind=person&sort=-name"


@pytest.fixture(autouse=True)
def media(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.EXPORT_AT_ONCE_ROWS = 2


@pytest.fixture
def rows(world):
    for name in ("=1+1", "+2", "-3", "@x", "\tt", "Zed"):
        Customer.objects.create(name=name, city="Leeds", owner=world.ana)
    Customer.objects.create(name="Firm", kind="company", owner=world.ana)
    Customer.objects.create(name="Far away", owner=world.cleo)


@pytest.fixture
def ben(world):
    return world.client("ben")


def make(client):
    """Ask for the workbook and let the job make it; return the file."""
    answer = client.get(URL)
    job = Job.objects.get(kind="export")
    assert answer.url == job.get_absolute_url()
    run_jobs()
    job.refresh_from_db()
    assert job.state == "done", job.error
    file = ExportFile.objects.get()
    assert job.result["url"] == address(file)
    return file


def address(file):
    return reverse("crm:export_download", args=[file.pk])


def test_many_rows_are_a_job_whose_file_is_downloaded(ben, rows, world):
    file = make(ben)
    assert (file.owner, file.rows) == (world.ben, 6)
    assert not SecurityEvent.objects.filter(kind=EventKind.EXPORTED).exists()
    assert address(file) in ben.get(Job.objects.get().get_absolute_url()).text
    answer = ben.get(address(file))
    sheet = openpyxl.load_workbook(io.BytesIO(answer.getvalue())).active
    head, *cells = list(sheet.iter_rows(values_only=True))
    assert head == ("Name", "City")
    names = {row[0] for row in cells}
    assert names == {"'=1+1", "'+2", "'-3", "'@x", "'\tt", "Zed"}
    event = SecurityEvent.objects.get(kind=EventKind.EXPORTED)
    assert (event.person, event.details["format"]) == (world.ben, "xlsx")


def test_few_rows_are_a_file_at_once_and_csv_is_streamed(ben, rows, settings):
    answer = ben.get(URL.replace("xlsx", "csv"))
    assert answer.streaming
    assert len(b"".join(answer.streaming_content).splitlines()) == 7
    settings.EXPORT_AT_ONCE_ROWS = 6
    answer = ben.get(URL)
    assert "spreadsheetml" in answer["Content-Type"]
    assert answer.getvalue()
    assert not Job.objects.exists()


def test_a_second_request_finds_the_job_that_waits(ben, rows):
    assert ben.get(URL).url == ben.get(URL).url
    assert Job.objects.count() == 1


def test_nobody_else_takes_it_away(ben, rows, world):
    file = make(ben)
    for name in ("ana", "dev", "cleo"):
        assert world.client(name).get(address(file)).status_code == 404


def test_rights_are_asked_again_when_it_is_taken_away(ben, rows, world):
    file = make(ben)
    grant = Grant.objects.filter(
        role__users=world.ben, model="customers.customer", verb="export"
    )
    before = grant.get().scope
    grant.update(scope="own")
    answer = ben.get(address(file), follow=True)
    assert "has changed since" in answer.text
    grant.update(scope=before)
    b"".join(ben.get(address(file)).streaming_content)
    grant.delete()
    assert ben.get(address(file)).status_code == 403


def test_a_person_who_moved_to_another_team_exports_again(ben, rows, world):
    file = make(ben)
    world.ben.team = world.cleo.team
    world.ben.save()
    assert "has changed since" in ben.get(address(file), follow=True).text


def test_a_job_whose_owner_lost_the_right_makes_nothing(ben, rows, world):
    ben.get(URL)
    Grant.objects.filter(role__users=world.ben, verb="export").delete()
    run_jobs()
    job = Job.objects.get()
    assert (job.state, job.error) == ("failed", "You may no longer export these.")
    assert not ExportFile.objects.exists()


def test_it_is_removed_after_seven_days(ben, rows, django_capture_on_commit_callbacks):
    file = make(ben)
    for days, stays in ((6, True), (8, False)):
        at = timezone.now() - datetime.timedelta(days=days)
        ExportFile.objects.update(created_at=at)
        with django_capture_on_commit_callbacks(execute=True):
            forget_files()
        assert default_storage.exists(file.path) is stays
    assert ben.get(address(file)).status_code == 404


def test_a_file_that_is_gone_is_said_to_be(ben, rows):
    file = make(ben)
    default_storage.delete(file.path)
    answer = ben.get(address(file), follow=True)
    assert answer.redirect_chain[0][0].startswith("/customers/?columns=name")
    assert "was removed" in answer.text
