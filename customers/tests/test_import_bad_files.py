"""Files that break importers: by the pages and by the command none breaks this one."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.conf import settings as site
from django.core.management import CommandError
from django.urls import reverse

from crm.importing import workbooks
from crm.importing.errors import FileError
from crm.importing.reader import Table, sniff
from crm.models import ImportRun
from crm.testing.imports import (
    counts,
    import_by_command,
    import_by_pages,
    latest_run,
    upload,
)
from customers.models import Contact, Customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]
DATA = Path(site.DATA_DIR)
FOLDERS = ("csv_spectrum", "messy_csv", "contacts_samples")
FILES = [
    path
    for folder in FOLDERS
    for path in sorted((DATA / folder).rglob("*"))
    # Larger ones are read in crm/tests/test_import_reader.py; rows are rows.
    if path.is_file() and path.stat().st_size < 150_000
]
WEBANK = DATA / "zh_webank_questions/sim_webank.csv"
needs_data = pytest.mark.skipif(not WEBANK.exists(), reason="CRM_DATA_DIR is not set")


@needs_data
@pytest.mark.parametrize("folder", FOLDERS)
def test_each_file_is_taken_or_refused_in_words_on_the_page(world, folder):
    client = world.client("dev")
    taken = 0
    found = [one for one in FILES if DATA / folder in one.parents]
    for number, path in enumerate(found):
        answer = upload(client, "customers.customer", path.read_bytes(), path.name)
        if answer.status_code == 422:
            (error,) = answer.context["form"].errors["file"]
            assert len(error) > 10, path
            continue
        assert answer.status_code == 302, path
        if number % 3:
            continue
        page = client.get(reverse("crm:import_map", args=[latest_run().pk]))
        assert page.status_code in (200, 302), path
        taken += page.status_code == 200
    assert taken


def name_by_first_column(path):
    """Import the first column of a file as names; None where it is refused."""
    try:
        header = Table(path, sniff(path)).read_header()
        pairs = [f"{header[0]}=name", *(f"{name}=" for name in header[1:])]
        maps = [part for pair in pairs for part in ("--map", pair)]
        return import_by_command("customers", path, *maps)
    except (FileError, CommandError) as error:
        if len(str(error)) < 10:
            pytest.fail(f"The refusal of {path} says nothing.")
        return None


@needs_data
def test_no_row_of_any_file_is_lost_by_the_command():
    for path in FILES:
        result = name_by_first_column(path)
        if result is None:
            continue
        assert sum(counts(result)) == result["rows"], path
        if result["rejected"]:
            rejects = Path(result["rejects_file"])
            table = Table(rejects, sniff(rejects))
            found = [row for batch in table.batches() for row in batch.rows]
            assert len(found) == result["rejected"], path
            assert table.notes_at == len(table.header), path


@needs_data
def test_each_line_of_the_spectrum_becomes_a_row():
    for path in sorted((DATA / "csv_spectrum/csvs").glob("*.csv")):
        wanted = json.loads(
            (path.parent.parent / "json" / f"{path.stem}.json").read_text()
        )
        result = name_by_first_column(path)
        assert (result["rows"] if result else 0) == len(wanted), path
        Customer.objects.all().delete()


@needs_data
def test_chinese_questions_become_names(tmp_path):
    lines = WEBANK.read_bytes().splitlines(keepends=True)
    path = tmp_path / WEBANK.name
    path.write_bytes(b"".join(lines[:1001]))
    maps = ("--map", "sentence1=name", "--map", "sentence2=", "--map", "label=")
    result = import_by_command("customers", path, *maps, "--mode", "create")
    assert result["rows"] == sum(counts(result)) == 1000
    assert Customer.objects.filter(name="用微信都6年，微信没有微粒贷功能").exists()


@needs_data
def test_all_chinese_questions_are_taken_by_the_page(world):
    client = world.client("dev")
    content = WEBANK.read_bytes()
    answer = upload(client, "customers.customer", content, WEBANK.name)
    assert answer.status_code == 302
    page = client.get(reverse("crm:import_map", args=[latest_run().pk]))
    assert not page.context["dialect"].is_certain
    assert "用微信都6年" in page.text


@needs_data
def test_the_contact_list_goes_in_by_the_pages(world):
    content = (DATA / "contacts_samples/us-500.csv").read_bytes()
    run = import_by_pages(
        world.client("dev"), "customers.contact", content, "us-500.csv"
    )
    assert counts(run) == (500, 0, 0, 0)
    assert Contact.objects.count() == 500


# --- Bombs and lies ---------------------------------------------------------------


def bomb():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
        content = b"0" * (workbooks.MAX_UNPACKED + 1)
        archive.writestr("xl/worksheets/sheet1.xml", content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (bomb, "a.xlsx", "too large"),
        (lambda: b"a,b\n1,2\n", "a.xlsx", "content is none"),
        (lambda: b"a,b\n1,2\n", "a.vcf", "there is none"),
        (lambda: b"PK\x03\x04 broken", "a.csv", "damaged"),
        (lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "a.csv", "text"),
        (lambda: b"", "a.csv", "empty"),
        (lambda: b"\0" * 5000, "a.csv", "text"),
    ],
)
def test_bombs_and_lies_are_refused_in_words(world, tmp_path, content, name, words):
    content = content()
    answer = upload(world.client("dev"), "customers.customer", content, name)
    assert answer.status_code == 422
    (error,) = answer.context["form"].errors["file"]
    assert words in error
    assert len(error) > 10
    assert not ImportRun.objects.exists()
    assert not [one for one in (tmp_path / "media").rglob("*") if one.is_file()]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CommandError, match=words):
        import_by_command("customers", path)


@needs_data
def test_naughty_names_of_files_are_shown_safely(world):
    strings = json.loads((DATA / "blns/blns.json").read_text())
    client = world.client("dev")
    for text in strings[::12]:
        name = f"{text[:200]}.csv"
        answer = upload(client, "customers.customer", b"name\nAnna\n", name)
        assert answer.status_code in (302, 422), text
    runs = ImportRun.objects.all()
    assert len(runs) > 30
    listing = client.get(reverse("crm:import_list"))
    assert listing.status_code == 200
    assert "<script>alert" not in listing.text.lower()
    page = client.get(reverse("crm:import_map", args=[runs[0].pk]))
    assert page.status_code == 200
