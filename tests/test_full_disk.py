"""A full disk: a sentence, nothing half-written, and a second try that works.

The limit on the size of a file stands in for it: writing fails in the same call.
"""

import contextlib
import io
import resource
import sys
import tempfile
from pathlib import Path

import pytest
from django.conf import settings as live
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.attachments import services as attachments
from crm.attachments.kinds import recognise
from crm.exceptions import UserVisibleError
from crm.importing.importer import get_importer
from crm.importing.pipeline import run_import
from crm.importing.services import create_run
from crm.jobs import runner
from crm.models import Attachment, ExportFile, ImportRun, Job
from crm.testing.snapshot import all_rows, files_of, unchanged
from customers.models import Customer
from customers.tests.recipes import make_customer

pytestmark = pytest.mark.django_db
SENTENCE = "The disk of the server is full, so nothing was saved."
LIMIT = 20_000


@contextlib.contextmanager
def full_disk():
    """Let this process write no file beyond the limit.

    Compiled modules neither: Python would leave them cut off.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    writes_no_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        sys.dont_write_bytecode = writes_no_bytecode


@pytest.fixture(autouse=True)
def folders(tmp_path, settings, monkeypatch):
    """Give uploads and temporary files folders of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    return tmp_path


def left_in(folder):
    """Return the files, not the folders, that are left."""
    return [name for name in files_of(folder) if Path(name).is_file()]


def rows_of(count, width=40):
    lines = [f"Customer {number},{'x' * width}" for number in range(count)]
    return ("name,city\n" + "\n".join(lines)).encode()


def test_an_upload_that_does_not_fit_is_said_to_be(world, folders):
    dev = world.client("dev")
    content = rows_of(2_000)
    assert len(content) > 4 * LIMIT
    data = {"importer": "customers.customer"}

    def send():
        file = SimpleUploadedFile("big.csv", content)
        return dev.post("/imports/new/", data | {"file": file})

    with full_disk(), unchanged(Customer, ImportRun):
        answer = send()
    assert answer.status_code == 422
    assert SENTENCE in answer.text
    assert not left_in(folders)
    assert send().status_code == 302
    assert ImportRun.objects.count() == 1


def test_a_last_part_that_does_not_fit_is_not_lost_silently(world, folders):
    """A file just above the limit, whose end waits in memory until it is closed."""
    dev = world.client("dev")
    content = rows_of(LIMIT // 60)[: LIMIT + 500].ljust(LIMIT + 500, b"x")
    file = SimpleUploadedFile("big.csv", content)
    with full_disk(), unchanged(Customer, ImportRun):
        data = {"importer": "customers.customer", "file": file}
        answer = dev.post("/imports/new/", data)
    assert answer.status_code == 422
    assert SENTENCE in answer.text
    assert not left_in(folders)


def test_an_attachment_that_does_not_fit_leaves_nothing(world, folders, monkeypatch):
    """Its upload fitted; the place where it is kept is full."""
    row, ana = make_customer(world.ana), world.client("ana")
    url = f"/files/customers.customer/{row.pk}/"
    real = attachments.attach

    def attach(**values):
        with full_disk():
            return real(**values)

    def send():
        return ana.post(url, {"file": SimpleUploadedFile("a.txt", b"words " * 20_000)})

    with monkeypatch.context() as patch, unchanged(Attachment):
        patch.setattr(attachments, "attach", attach)
        answer = send()
    assert answer.status_code == 422
    assert SENTENCE in answer.text
    assert not left_in(folders)
    assert send().status_code == 302
    kept = Attachment.objects.get()
    assert (live.MEDIA_ROOT / kept.path).stat().st_size == 120_000


def test_an_attachment_that_does_not_fit_as_it_comes_in_leaves_nothing(world, folders):
    row, ana = make_customer(world.ana), world.client("ana")
    file = SimpleUploadedFile("a.txt", b"words " * 20_000)
    with full_disk(), unchanged(Attachment):
        answer = ana.post(f"/files/customers.customer/{row.pk}/", {"file": file})
    assert answer.status_code == 422
    assert SENTENCE in answer.text
    assert not left_in(folders)


def test_the_service_itself_refuses_and_leaves_nothing(world, folders):
    row, content = make_customer(world.ana), io.BytesIO(b"words " * 20_000)
    kind = recognise(SimpleUploadedFile("a.txt", content.getvalue()), "a.txt")
    values = {"obj": row, "name": "a.txt", "kind": kind, "actor": world.ana}
    with full_disk(), unchanged(Attachment), pytest.raises(UserVisibleError):
        attachments.attach(content=content, **values)
    assert not left_in(folders)


def test_an_import_that_cannot_keep_its_rejected_rows_changes_nothing(world, folders):
    """The file of rejected rows is a part of the result: none without it."""
    path = folders / "in.csv"
    bad = "\n".join(f"Customer {one},not a mail {'x' * 40}" for one in range(600))
    path.write_text(f"name,email\nGood,good@mail.example\n{bad}\n")
    run = create_run(
        get_importer("customers.customer"),
        file_path=str(path),
        file_name="in.csv",
        owner=world.dev,
    )
    before = all_rows()
    with full_disk(), pytest.raises(UserVisibleError, match=SENTENCE):
        run_import(run)
    assert all_rows() == before
    assert left_in(folders) == [str(path)]
    run.refresh_from_db()
    done = run_import(run)
    assert (done.created, done.rejected) == (1, 600)


def test_an_export_that_does_not_fit_leaves_no_half_file(world, folders, settings):
    settings.EXPORT_AT_ONCE_ROWS = 2
    Customer.objects.bulk_create(
        Customer(name=f"{number * 7919:x}" * 3, city=f"{number * 104729:x}")
        for number in range(3_000)
    )
    dev = world.client("dev")
    url = "/customers/export/?format=xlsx&columns=name,city"
    dev.get(url)
    job = Job.objects.get(kind="export")
    with full_disk():
        assert runner.run(job.pk) == "failed"
    job.refresh_from_db()
    assert SENTENCE in job.error
    assert SENTENCE in dev.get(job.get_absolute_url()).text
    assert not ExportFile.objects.exists()
    assert not left_in(folders)
    dev.get(url)
    again = Job.objects.exclude(pk=job.pk).get(kind="export")
    assert runner.run(again.pk) == "done"
    kept = ExportFile.objects.get()
    assert kept.rows == 3_000
    assert (live.MEDIA_ROOT / kept.path).stat().st_size > LIMIT
