"""Rejected rows are mended and sent in again, an import is undone where it is shown."""

import io

import openpyxl
import pytest
from django.core.files.storage import default_storage
from django.urls import reverse

from crm.models import Operation
from crm.testing.imports import (
    counts,
    import_by_command,
    import_by_pages,
    latest_run,
    map_data,
    rejects_of,
    upload,
)
from crm.testing.workers import run_jobs
from customers.models import Customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]
FILE = (
    "Who,Nick,Mail,Grown up,=Odd\n"
    "Anna,A,anna@mail.example,2001-02-03,Leeds\n"
    "Bert,B,no address,2001-02-03,York\n"
    "'=Carl,C,carl@mail.example,yesterday,Bath\n"
)
CHOSEN = {
    "column_0": "name",
    "column_1": "",
    "column_2": "email",
    "column_3": "birth_date",
    "column_4": "city",
    "mode": "create",
    "constant_country": "Wales",
}


@pytest.fixture
def ben(world):
    return world.client("ben")


def page(name, run):
    return reverse(f"crm:import_{name}", args=[run.pk])


def first(client):
    """Import the file with two bad rows; return the run and its rejected rows."""
    run = import_by_pages(client, "customers.customer", FILE.encode(), **CHOSEN)
    assert counts(run) == (1, 0, 0, 2)
    answer = client.get(page("rejects", run))
    return run, answer, b"".join(answer.streaming_content)


def finish(client, run):
    """Check and import a run as it was suggested."""
    assert client.post(page("map", run), map_data(client, run)).status_code == 302
    run_jobs()
    client.post(page("start", run))
    run_jobs()
    run.refresh_from_db()
    return run


def mended(content):
    text = content.decode("utf-8-sig")
    return text.replace("no address", "b@mail.example").replace("yesterday", "1999-9-9")


@pytest.mark.parametrize("by_link", [True, False])
def test_corrected_rows_go_in_as_the_run_did_that_they_come_from(ben, by_link):
    run, answer, content = first(ben)
    name = answer["Content-Disposition"].split('"')[1]
    link = f"{reverse('crm:import_new')}?again={run.pk}"
    assert link in ben.get(page("detail", run)).text
    body = io.BytesIO(mended(content).encode("utf-8-sig"))
    body.name = "changed name.csv" if by_link else name
    data = {"importer": "customers.customer", "file": body}
    if by_link:
        shown = ben.get(link)
        assert shown.context["form"]["importer"].value() == "customers.customer"
        assert "file.csv" in shown.text
    ben.post(link if by_link else reverse("crm:import_new"), data)
    again = latest_run()
    assert again.header == ["Who", "Nick", "Mail", "Grown up", "'=Odd"]
    assert again.mode == "create"
    assert again.options["constants"] == {"country": "Wales"}
    finish(ben, again)
    assert counts(again) == (2, 0, 0, 0)
    found = Customer.objects.order_by("name").values_list("name", "city", "country")
    assert list(found) == [
        ("=Carl", "Bath", "Wales"),
        ("Anna", "Leeds", "Wales"),
        ("Bert", "York", "Wales"),
    ]


def test_rows_rejected_twice_bear_the_notes_once(ben):
    _run, answer, content = first(ben)
    name = answer["Content-Disposition"].split('"')[1]
    upload(ben, "customers.customer", content, name)
    again = finish(ben, latest_run())
    assert counts(again) == (0, 0, 0, 2)
    with default_storage.open(again.rejects_path) as file:
        head = file.read().decode("utf-8-sig")
    assert head.splitlines()[0] == (
        "Who,Nick,Mail,Grown up,'=Odd,Row,Why it was rejected"
    )


def test_a_chinese_file_of_rejected_rows_saved_as_a_workbook_comes_back(ben):
    book = openpyxl.Workbook()
    book.active.append(["姓名", "邮箱", "行", "拒绝原因"])
    book.active.append(["王芳", "fang@mail.example", 7, "x"])
    file = io.BytesIO()
    book.save(file)
    upload(ben, "customers.customer", file.getvalue(), "rows.xlsx")
    run = latest_run()
    assert run.header == ["姓名", "邮箱"]
    assert counts(finish(ben, run)) == (1, 0, 0, 0)


def test_nobody_takes_over_the_columns_of_another_s_run(ben, world):
    run, answer, content = first(ben)
    name = answer["Content-Disposition"].split('"')[1]
    other = world.client("dev")
    address = f"{reverse('crm:import_new')}?again={run.pk}"
    assert other.get(address).context["origin"] is None
    upload(other, "customers.customer", content, name)
    assert latest_run().mapping != run.mapping


def test_the_command_takes_its_own_file_of_rejected_rows(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(FILE)
    pairs = ("Who=name", "Mail=email", "Grown up=birth_date", "=Odd=city")
    maps = [part for pair in pairs[:3] for part in ("--map", pair)]
    result = import_by_command("customers", path, *maps)
    assert (result["rejected"], len(rejects_of(result))) == (2, 2)
    again = import_by_command("customers", result["rejects_file"])
    assert again["rejected"] == 2
    assert latest_run().mapping["Who"] == "name"


# --- Sheets -----------------------------------------------------------------------


@pytest.fixture
def workbook(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    book.active.append(["nothing", "here"])
    sheet = book.create_sheet("客户 2")
    sheet.append(["Name", "Email"])
    sheet.append(["Anna", "anna@mail.example"])
    path = tmp_path / "two.xlsx"
    book.save(path)
    return path


def test_a_sheet_is_chosen_on_the_page(ben, workbook):
    upload(ben, "customers.customer", workbook.read_bytes(), "two.xlsx")
    run = latest_run()
    shown = ben.get(page("map", run))
    assert shown.context["has_sheets"]
    sent = {"action": "reread", "sheet": "客户 2", "header_row": "1"}
    assert ben.post(page("map", run), sent).status_code == 302
    run.refresh_from_db()
    assert run.mapping == {"Name": "name", "Email": "email"}
    assert counts(finish(ben, run)) == (1, 0, 0, 0)
    refused = {**sent, "sheet": "none of this name"}
    upload(ben, "customers.customer", workbook.read_bytes(), "two.xlsx")
    assert ben.post(page("map", latest_run()), refused).status_code == 422


def test_a_sheet_is_chosen_by_the_command(workbook):
    result = import_by_command("customers", workbook, "--sheet", "客户 2")
    assert counts(result) == (1, 0, 0, 0)
    with pytest.raises(Exception, match="no sheet of this name"):
        import_by_command("customers", workbook, "--sheet", "客户 3")


# --- Undo -------------------------------------------------------------------------


def test_an_import_is_undone_on_its_page_and_said_to_be_in_the_list(ben, world):
    run, _answer, _content = first(ben)
    shown = ben.get(page("detail", run))
    undo = reverse("crm:operation_undo", args=[run.operation])
    assert undo in shown.text
    answer = ben.post(undo, {"next": page("detail", run)}, follow=True)
    assert answer.redirect_chain[-1][0] == page("detail", run)
    assert not Customer.objects.exists()
    assert answer.context["is_undone"]
    assert undo not in answer.text.split("</main>")[0].split("<main")[1]
    listed = ben.get(reverse("crm:import_list"))
    assert listed.context["undone"] == {run.pk}
    # Whoever looks after others' imports sees the state, not the button to send rows.
    seen = world.client("dev").get(page("detail", run))
    assert seen.context["is_undone"]
    assert seen.context["send_url"] == ""


def test_an_undo_that_was_undone_counts_as_done(ben):
    run, _answer, _content = first(ben)
    ben.post(reverse("crm:operation_undo", args=[run.operation]))
    latest = Operation.objects.get(undo_of__number=run.operation)
    ben.post(reverse("crm:operation_undo", args=[latest.number]))
    assert Customer.objects.count() == 1
    assert ben.get(reverse("crm:import_list")).context["undone"] == set()
