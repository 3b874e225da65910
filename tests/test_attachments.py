"""Files at rows: by the rights of the row, told by content, never run as a page."""

import datetime
import io
import json
import threading
import zipfile
from pathlib import Path

import pytest
from django.conf import settings as site
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.attachments.services import move
from crm.history.jobs import empty_trash
from crm.models import Attachment, AuditEntry, DeletedRow, Operation
from crm.testing.query_budget import queries_of
from crm.testing.world import make_world
from tests.machines.models import Machine

pytestmark = pytest.mark.usefixtures("media")

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def add(client, row, content, name="a.png", **headers):
    url = reverse("crm:attachment_add", args=["machines.machine", row.pk])
    return client.post(url, {"file": SimpleUploadedFile(name, content)}, **headers)


def url_of(page, attachment):
    return reverse(f"crm:attachment_{page}", args=[attachment.pk])


def panel(client, row):
    url = f"/machines/{row.pk}/panel/files/"
    return client.get(url, headers={"HX-Request": "true"})


def stored(media):
    return [path for path in (media / "attachments").rglob("*") if path.is_file()]


# --- The way through --------------------------------------------------------------


def test_a_file_is_put_at_a_row_shown_and_handed_out(ana, row, media, world):
    answer = add(ana, row, PNG, "Schéma 图.png")
    assert answer.status_code == 302
    assert answer.url == f"/machines/{row.pk}/"
    one = Attachment.objects.get()
    assert (one.name, one.size, one.content_type) == (
        "Schéma 图.png",
        len(PNG),
        "image/png",
    )
    assert one.uploaded_by == world.ana
    assert "Sch" not in one.path
    assert [path.read_bytes() for path in stored(media)] == [PNG]
    assert "panel/files/" in ana.get(f"/machines/{row.pk}/").text
    shown = panel(ana, row)
    assert "Schéma 图.png" in shown.text
    assert url_of("view", one) in shown.text
    got = ana.get(url_of("download", one))
    assert b"".join(got.streaming_content) == PNG
    assert got["Content-Disposition"].startswith("attachment;")
    assert AuditEntry.objects.filter(verb="attached", object_id=row.pk).count() == 1
    history = ana.get(f"/machines/{row.pk}/panel/history/").text
    assert "File added" in history
    assert "Schéma 图.png" in history


@pytest.mark.parametrize(
    ("content", "name", "page"),
    [
        (PNG, "a.png", "download"),
        (PNG, "a.png", "view"),
        (PDF, "a.pdf", "view"),
        (PDF, "a.pdf", "download"),
        (b"a,b\n1,2\n", "a.csv", "download"),
    ],
)
def test_what_is_handed_out_cannot_run_as_a_page(ana, row, content, name, page):
    add(ana, row, content, name)
    got = ana.get(url_of(page, Attachment.objects.get()))
    b"".join(got.streaming_content)
    policy = got["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script" not in policy
    if (name, page) != ("a.pdf", "view"):
        assert policy.startswith("sandbox;")
    assert got["X-Content-Type-Options"] == "nosniff"
    assert got["X-Frame-Options"] == "DENY"
    place = "inline" if page == "view" else "attachment"
    assert got["Content-Disposition"].startswith(place)
    assert "html" not in got["Content-Type"]


def test_only_images_and_pdf_are_shown(ana, row):
    add(ana, row, b"plain text", "a.txt")
    assert ana.get(url_of("view", Attachment.objects.get())).status_code == 404


# --- What it is -------------------------------------------------------------------


def archive(*names, mimetype=""):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        if mimetype:
            made.writestr("mimetype", mimetype)
        for name in names:
            made.writestr(name, "x")
    return file.getvalue()


DOCX = archive("[Content_Types].xml", "word/document.xml")
ODS = archive(mimetype="application/vnd.oasis.opendocument.spreadsheet")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (PNG, "A.PNG"),
        (b"\xff\xd8\xff\xe0" + b"x" * 20, "a.jpeg"),
        (b"GIF89a" + b"\0" * 20, "a.gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "a.webp"),
        (PDF, "a.pdf"),
        (DOCX, "a.docx"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), "a.xlsx"),
        (ODS, "a.ods"),
        (archive("a.txt"), "a.zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 20, "a.doc"),
        ("名字,电话\n".encode("gb18030"), "a.csv"),
        (b"Subject: hi\n\na < b", "a.eml"),
    ],
)
def test_common_kinds_are_taken(ana, row, content, name):
    assert add(ana, row, content, name).status_code == 302
    one = Attachment.objects.get()
    got = ana.get(url_of("download", one))
    assert b"".join(got.streaming_content) == content
    assert got["Content-Type"].startswith(one.content_type)


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (HTML, "a.png", "not taken"),
        (HTML, "a.html", "not taken"),
        (HTML, "a.txt", "not taken"),
        (b"\xef\xbb\xbf \n" + HTML, "a.txt", "not taken"),
        (b"words first <script>alert(1)</script>", "a.txt", "not taken"),
        (SVG, "a.svg", "not taken"),
        (SVG, "a.png", "not taken"),
        (b"<?xml version='1.0'?>" + SVG, "a.txt", "not taken"),
        (b"MZ\x90\0\x03\0\0\0", "a.exe", "not taken"),
        (b"\0" * 100, "a.txt", "not taken"),
        (b"PK\x03\x04 no archive", "a.zip", "not taken"),
        (PNG, "a.pdf", "not what its name says"),
        (PNG, "a.html", "not what its name says"),
        (PNG, "png", "not what its name says"),
        (PDF, "a.png", "not what its name says"),
        (DOCX, "a.jar", "not what its name says"),
        (b"alert(1)", "a.js", "not what its name says"),
        (b"", "a.txt", "empty"),
    ],
)
def test_what_is_not_taken_is_refused_beside_its_field(
    ana, row, media, content, name, words
):
    answer = add(ana, row, content, name)
    assert answer.status_code == 422
    assert words in answer.text
    assert not Attachment.objects.exists()
    assert not stored(media)


def test_a_polyglot_is_served_as_what_it_begins_with(ana, row):
    add(ana, row, PNG + HTML, "a.png")
    got = ana.get(url_of("view", Attachment.objects.get()))
    b"".join(got.streaming_content)
    assert got["Content-Type"] == "image/png"
    assert got["X-Content-Type-Options"] == "nosniff"
    assert got["Content-Security-Policy"].startswith("sandbox;")


def test_a_site_takes_fewer_kinds(ana, row, settings):
    settings.ATTACHMENT_TYPES = ["application/pdf"]
    assert "Taken are: pdf." in add(ana, row, PNG).text
    assert add(ana, row, PDF, "a.pdf").status_code == 302


@pytest.mark.parametrize("excess", [1, 200_000])
def test_a_file_that_is_too_large_is_refused_while_it_comes(
    ana, row, settings, media, excess
):
    settings.ATTACHMENT_MAX_BYTES = 1000
    answer = add(ana, row, PNG + b"x" * (1000 - len(PNG) + excess))
    assert answer.status_code == 422
    assert "The file is larger than" in answer.text, answer.context["form"].errors
    assert not stored(media)
    assert add(ana, row, PNG + b"x" * (1000 - len(PNG))).status_code == 302


def test_nothing_sent_is_said_beside_the_field(ana, row):
    url = reverse("crm:attachment_add", args=["machines.machine", row.pk])
    answer = ana.post(url, {})
    assert answer.status_code == 422
    assert answer.context["form"].errors["file"]


def test_a_form_without_its_token_is_refused(row, world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.ana)
    assert add(client, row, PNG).status_code == 403
    assert not Attachment.objects.exists()


# --- Names ------------------------------------------------------------------------


def test_naughty_names_come_back_safely(ana, row):
    strings = json.loads(Path(site.DATA_DIR, "blns", "blns.json").read_text())
    for number, text in enumerate(strings[::6]):
        content = f"content {number}".encode()
        assert add(ana, row, content, f"{text[:150]}.txt").status_code in (302, 422)
    for one in Attachment.objects.all():
        assert 0 < len(one.name) <= 200
        assert not set(one.name) & set('\\/:*?"<>|\r\n\0\u202e')
        assert one.name.endswith(".txt")
        got = ana.get(url_of("download", one))
        assert b"".join(got.streaming_content).startswith(b"content ")
        assert "\n" not in got["Content-Disposition"]
    assert Attachment.objects.count() > 60
    shown = panel(ana, row)
    assert shown.status_code == 200
    assert "<script>" not in shown.text


# --- Rights -----------------------------------------------------------------------


def test_rights_are_those_of_the_row(db, media):
    world = make_world()
    row = Machine.objects.create(serial="S1", name="Lathe", owner=world.ana)
    add(world.client("ana"), row, PNG)
    one = Attachment.objects.get()
    # A team mate sees the row and may not change it.
    mate, stranger = world.client("abe"), world.client("cleo")
    pages = [url_of(page, one) for page in ("download", "view")]
    for client, status in ((mate, 200), (stranger, 404)):
        for url in pages:
            answer = client.get(url)
            assert answer.status_code == status, url
            if status == 200:
                b"".join(answer.streaming_content)
    for client in (mate, stranger):
        assert add(client, row, PDF, "a.pdf").status_code == 404
        assert client.post(url_of("remove", one)).status_code == 404
    assert "<form" not in panel(mate, row).text
    assert Attachment.objects.get() == one


@pytest.mark.parametrize("label", ["crm.user", "crm.job", "no.model", "x", "machines"])
def test_only_rows_with_pages_of_their_own_take_files(ana, label, row):
    url = reverse("crm:attachment_add", args=[label, row.pk])
    answer = ana.post(url, {"file": SimpleUploadedFile("a.png", PNG)})
    assert answer.status_code == 404


# --- Twice, gone, back ------------------------------------------------------------


def test_the_same_file_twice_is_stored_once(ana, row, media):
    add(ana, row, PNG, "a.png")
    answer = add(ana, row, PNG, "b.png")
    assert answer.status_code == 422
    assert "here already: a.png" in answer.text
    assert Attachment.objects.count() == len(stored(media)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_store_one(media):
    world = make_world()
    row = Machine.objects.create(serial="S1", name="Lathe", owner=world.ana)
    start, states = threading.Barrier(2), []

    def send():
        client = world.client("ana")
        start.wait()
        states.append(add(client, row, PNG).status_code)
        connection.close()

    threads = [threading.Thread(target=send) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == [302, 422]
    assert Attachment.objects.count() == len(stored(media)) == 1


def test_a_removed_file_is_brought_back_by_undo(ana, row, media):
    add(ana, row, PNG)
    one = Attachment.objects.get()
    answer = ana.post(url_of("remove", one), follow=True)
    assert "was deleted" in answer.text
    assert not Attachment.objects.exists()
    assert ana.get(url_of("download", one)).status_code == 404
    assert len(stored(media)) == 1
    latest = Operation.objects.order_by("-pk").first()
    ana.post(reverse("crm:operation_undo", args=[latest.number]))
    got = ana.get(url_of("download", one))
    assert b"".join(got.streaming_content) == PNG


def age_trash(days):
    """Let time pass for what lies in the trash."""
    DeletedRow.objects.update(at=timezone.now() - datetime.timedelta(days=days))


def test_content_goes_when_the_trash_is_emptied(
    ana, row, media, django_capture_on_commit_callbacks
):
    add(ana, row, PNG)
    add(ana, row, PDF, "a.pdf")
    ana.post(url_of("remove", Attachment.objects.get(name="a.png")))
    age_trash(29)
    empty_trash()
    assert len(stored(media)) == 2
    age_trash(31)
    with django_capture_on_commit_callbacks(execute=True):
        empty_trash()
    assert [path.read_bytes() for path in stored(media)] == [PDF]


def test_files_of_a_deleted_row_are_out_of_sight_and_come_back_with_it(
    world, media, django_capture_on_commit_callbacks
):
    dev = world.client("dev")
    row = Machine.objects.create(serial="S1", name="Lathe", owner=world.ana)
    add(dev, row, PNG)
    one = Attachment.objects.get()
    dev.post(f"/machines/{row.pk}/delete/")
    assert dev.get(url_of("download", one)).status_code == 404
    empty_trash()
    deleted = DeletedRow.objects.get(model="machines.machine")
    dev.post(reverse("crm:trash_restore", args=[deleted.pk]))
    assert b"".join(dev.get(url_of("download", one)).streaming_content) == PNG
    dev.post(f"/machines/{row.pk}/delete/")
    for _round in range(2):
        age_trash(31)
        with django_capture_on_commit_callbacks(execute=True):
            empty_trash()
    assert not Attachment.objects.exists()
    assert not stored(media)


@pytest.mark.django_db
def test_files_move_with_a_merge():
    def make(pk, digest):
        return Attachment.objects.create(
            model="machines.machine",
            object_id=pk,
            name=digest,
            path=f"{pk}{digest}",
            size=1,
            sha256=digest,
        )

    for pk, digest in ((1, "a"), (2, "a"), (2, "b"), (3, "b"), (4, "c")):
        make(pk, digest)
    move(Machine, 1, [2, 3])
    found = Attachment.objects.order_by("pk").values_list("object_id", "sha256")
    assert list(found) == [(1, "a"), (1, "b"), (4, "c")]


def test_content_that_is_missing_is_not_found(ana, row):
    add(ana, row, PNG)
    one = Attachment.objects.get()
    default_storage.delete(one.path)
    assert ana.get(url_of("download", one)).status_code == 404


# --- How it is shown --------------------------------------------------------------


def test_htmx_gets_the_panel_anew(ana, row):
    answer = add(ana, row, PNG, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "a.png" in answer.text
    assert "<html" not in answer.text
    answer = add(ana, row, HTML, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "not taken" in answer.text
    one = Attachment.objects.get()
    answer = ana.post(url_of("remove", one), headers={"HX-Request": "true"})
    assert "No files yet." in answer.text
    assert "a.png was deleted." in answer.text
    number = Operation.objects.order_by("-pk").first().number
    assert reverse("crm:operation_undo", args=[number]) in answer.text


def test_more_files_cost_no_more_queries(ana, row):
    add(ana, row, b"text 0", "0.txt")
    panel(ana, row)
    url = f"/machines/{row.pk}/panel/files/"
    few = len(queries_of(ana, url))
    for number in range(1, 9):
        add(ana, row, f"text {number}".encode(), f"{number}.txt")
    assert len(queries_of(ana, url)) == few


def test_it_speaks_chinese(ana, row):
    answer = add(ana, row, HTML, headers={"Accept-Language": "zh-hans"})
    assert "不接受" in answer.text
