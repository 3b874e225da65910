"""The pages of an import: upload, columns, check, import, result."""

from decimal import Decimal

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse

from crm.models import ImportProfile, ImportRun, Job, RejectedRow
from crm.testing.imports import (
    counts,
    import_by_pages,
    latest_run,
    map_data,
    upload,
)
from crm.testing.workers import run_jobs
from customers.models import Customer
from sales.models import Order, OrderLine, Product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]

GOOD = b"""number,sku,description,quantity,date,price,customer id
A1,K1,Tea,2,2024-05-06,1.50,7
A1,K2,Cup,1,2024-05-06,9,7
A2,K1,Tea,4,2024-05-07,1.25,8
"""


@pytest.fixture
def ben(world):
    return world.client("ben")


def page(name, run=None):
    return reverse(f"crm:import_{name}", args=[run.pk] if run else None)


# --- The way through ------------------------------------------------------------


def test_a_file_goes_in_by_the_pages(ben, world):
    run = import_by_pages(ben, "sales.orderline", GOOD, "May orders.csv")
    assert (run.state, counts(run)) == ("done", (3, 0, 0, 0))
    assert run.owner == world.ben
    assert Order.objects.get(number="A1").total == Decimal(12)
    assert set(Order.objects.values_list("owner", flat=True)) == {world.ben.pk}
    answer = ben.get(page("detail", run))
    assert answer.status_code == 200
    assert reverse("sales:order_list") in answer.text
    listing = ben.get(page("list"))
    assert "May orders.csv" in listing.text
    again = import_by_pages(ben, "sales.orderline", GOOD, "May orders.csv")
    assert counts(again) == (0, 0, 3, 0)


def test_nothing_changes_before_the_last_click(ben):
    assert upload(ben, "sales.orderline", GOOD).status_code == 302
    run = latest_run()
    ben.get(page("map", run))
    ben.post(page("map", run), map_data(ben, run))
    run.refresh_from_db()
    assert (
        reverse("crm:job_status", args=[run.job_id]) in ben.get(page("check", run)).text
    )
    run_jobs()
    answer = ben.get(page("check", run))
    assert answer.status_code == 200
    assert answer.context["may_start"]
    assert not Order.objects.exists()
    assert not Customer.objects.exists()
    assert not Product.objects.exists()


def test_the_page_of_columns_shows_rows_and_suggestions(ben):
    upload(ben, "sales.orderline", GOOD)
    answer = ben.get(page("map", latest_run()))
    fields = {field.label: field.value() for field, *_rest in answer.context["columns"]}
    assert fields["customer id"] == "customer_ref"
    assert fields["price"] == "unit_price"
    assert "Cup" in answer.text


def test_columns_can_be_chosen_otherwise_and_are_remembered(ben, world):
    content = b"a,b,c,d\nN1,2024-01-02,5,9.5\n"
    upload(ben, "sales.orderline", content)
    run = latest_run()
    chosen = {
        "column_0": "number",
        "column_1": "placed_at",
        "column_2": "quantity",
        "column_3": "unit_price",
        "constant_country": "Spain",
    }
    ben.post(page("map", run), map_data(ben, run, **chosen))
    run_jobs()
    ben.post(page("start", run))
    run_jobs()
    order = Order.objects.get()
    assert (order.number, order.country, order.total) == (
        "N1",
        "Spain",
        Decimal("47.5"),
    )
    assert ImportProfile.objects.get().owner == world.ben
    upload(ben, "sales.orderline", content)
    assert latest_run().mapping == {
        "a": "number",
        "b": "placed_at",
        "c": "quantity",
        "d": "unit_price",
    }
    assert latest_run().options["constants"] == {"country": "Spain"}


def test_the_check_lists_every_bad_row_page_by_page(ben):
    rows = "".join(f"B{number},K,x,2024-01-01,1\n" for number in range(120))
    upload(ben, "sales.orderline", b"number,sku,quantity,date,price\n" + rows.encode())
    run = latest_run()
    ben.post(page("map", run), map_data(ben, run))
    run_jobs()
    seen, address = [], page("check", run)
    while address:
        answer = ben.get(address)
        seen += [reject.line for reject in answer.context["rejects"]]
        more = answer.context["rejects_next"]
        address = page("check", run) + more if more else ""
    assert seen == list(range(2, 122))
    assert not Order.objects.exists()


def test_the_rejected_rows_can_be_downloaded(ben):
    run = import_by_pages(
        ben, "sales.orderline", GOOD.replace(b",9,", b",nine,"), "May.csv"
    )
    assert counts(run) == (2, 0, 0, 1)
    answer = ben.get(page("rejects", run))
    name = f'"May-rejected-{run.pk}.csv"'
    assert answer.headers["Content-Disposition"].endswith(name)
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    lines = body.splitlines()
    assert lines[1].startswith("A1,K2,Cup,1,2024-05-06,nine,7,2,3,")
    assert "not a number" in lines[1]


def test_another_encoding_can_be_chosen(ben):
    text = "number,date,quantity,price,country\nA1,2024-01-01,1,2,Österreich\n"
    upload(ben, "sales.orderline", text.encode("cp1250"))
    run = latest_run()
    answer = ben.get(page("map", run))
    assert "guess" in answer.text
    data = {
        "action": "reread",
        "encoding": "cp1251",
        "delimiter": ",",
        "quotechar": '"',
        "header_row": "1",
    }
    assert ben.post(page("map", run), data).status_code == 302
    run.refresh_from_db()
    assert run.dialect["encoding"] == "cp1251"
    assert "Цsterreich" in ben.get(page("map", run)).text


def test_another_delimiter_suggests_anew(ben):
    upload(ben, "sales.orderline", b"number;date,x\nA1;2024-01-01,3\nB;2024-01-02,4\n")
    run = latest_run()
    for delimiter, header in ((",", "number;date"), (";", "number")):
        data = {
            "action": "reread",
            "encoding": "utf-8",
            "delimiter": delimiter,
            "quotechar": '"',
            "header_row": "1",
        }
        ben.post(page("map", run), data)
        answer = ben.get(page("map", run))
        assert answer.context["columns"][0][0].label == header


def test_a_mapping_that_lacks_something_is_refused_on_its_page(ben):
    upload(ben, "sales.orderline", GOOD)
    run = latest_run()
    answer = ben.post(page("map", run), map_data(ben, run, column_5=""))
    assert answer.status_code == 422
    assert "Choose a column for the price" in answer.text
    answer = ben.post(page("map", run), map_data(ben, run, column_5="number"))
    assert "Two columns of the file" in answer.text
    assert not Job.objects.exists()


def test_a_shipped_profile_can_be_chosen(ben):
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice"
    rows = f"{header},CustomerID,Country\nC1,K,x,-1,2011-01-01 10:00,2,7.0,UK\n"
    upload(ben, "sales.orderline", rows.encode())
    run = latest_run()
    assert run.options["profile"] == "online-retail"
    run.mapping, run.options = {}, {}
    run.save()
    data = {"action": "profile", "profile": "online-retail"}
    assert ben.post(page("map", run), data).status_code == 302
    run.refresh_from_db()
    assert run.mapping["InvoiceNo"] == "number"
    assert run.options["return_prefix"] == "C"
    ben.post(page("map", run), {"action": "profile", "profile": "nonsense"})
    answer = ben.get(page("map", run))
    assert "no profile" in answer.text
    run.refresh_from_db()
    assert run.mapping["InvoiceNo"] == "number"


def test_the_list_of_orders_leads_to_its_import(ben, world):
    link = reverse("sales:order_import")
    assert link in ben.get(reverse("sales:order_list")).text
    answer = ben.get(link, follow=True)
    assert answer.context["form"]["importer"].value() == "sales.orderline"
    ana = world.client("ana")
    assert link not in ana.get(reverse("sales:order_list")).text


# --- What cannot go in ------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("empty.csv", b"", "empty"),
        ("blank.csv", b"\n\n\n", "no rows"),
        ("fake.xlsx", b"a,b\n1,2\n", "content is none"),
        ("broken.xlsx", b"PK\x03\x04 not a workbook", "damaged"),
        ("image.csv", bytes(range(256)) * 20, "not a table"),
        ("short.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", "not a table"),
        ("codes.csv", b"\x02\x03\x04,Ab\x05\n", "not a table"),
        ("high.csv", b"\xff" * 50, "encoding"),
        ("noise.csv", b"\x81\x8d\x8f\x90\x9d\xff\xfe\x81\x8d", "encoding"),
        ("open.csv", b'a,b\n1,2\n3,"open\n', "Row 3, column 2"),
    ],
)
def test_a_bad_file_is_refused_beside_its_field(ben, name, content, part):
    answer = upload(ben, "sales.orderline", content, name)
    assert answer.status_code == 422
    assert part in str(answer.context["form"].errors["file"])
    assert not ImportRun.objects.exists()
    assert default_storage.listdir("imports")[1] == []


def test_a_file_beyond_the_limit_is_refused(ben, settings):
    settings.IMPORT_MAX_BYTES = 1000
    answer = upload(ben, "sales.orderline", b"a,b\n" + b"1,2\n" * 50_000)
    assert answer.status_code == 422
    assert "larger than" in str(answer.context["form"].errors["file"])
    assert not ImportRun.objects.exists()


def test_a_file_with_names_only_says_so(ben):
    run = import_by_pages(ben, "sales.orderline", GOOD.splitlines()[0] + b"\n")
    assert (run.rows, counts(run)) == (0, (0, 0, 0, 0))


@pytest.mark.parametrize(
    ("content", "line", "column", "reason"),
    [
        (GOOD.replace(b"1.25,8", b"1.25,8,9,9"), 4, "", "cells"),
        (GOOD.replace(b"Cup", b"C\0p"), 3, "description", "NUL"),
        (GOOD.replace(b"2024-05-07", b"0000-05-07"), 4, "date", "not a date"),
        (GOOD.replace(b",4,", b",four,"), 4, "quantity", "not a number"),
        (GOOD.replace(b",4,", b",0,"), 4, "Quantity", "zero"),
    ],
)
def test_bad_rows_are_rejected_and_the_others_go_in(ben, content, line, column, reason):
    run = import_by_pages(ben, "sales.orderline", content)
    assert counts(run) == (2, 0, 0, 1)
    reject = RejectedRow.objects.get(run=run)
    assert (reject.line, reject.column) == (line, column)
    assert reason in reject.reason
    assert OrderLine.objects.count() == 2
    assert reject.reason in ben.get(page("detail", run)).text.replace("&#x27;", "'")


def test_ragged_rows_that_are_short_are_filled(ben):
    content = b"number,date,quantity,price,country\nA1,2024-01-01,1,2\n"
    assert counts(import_by_pages(ben, "sales.orderline", content)) == (1, 0, 0, 0)


def test_two_hundred_columns(ben):
    more = ",".join(f"c{number}" for number in range(195))
    content = (
        f"number,date,quantity,price,country,{more}\nA1,2024-01-01,1,2,UK,{more}\n"
    )
    assert counts(import_by_pages(ben, "sales.orderline", content.encode())) == (
        1,
        0,
        0,
        0,
    )


def test_a_lost_file_is_said_to_be_lost(ben):
    upload(ben, "sales.orderline", GOOD)
    run = latest_run()
    data = map_data(ben, run)
    ben.post(page("map", run), data)
    default_storage.delete(run.file_path)
    run_jobs()
    answer = ben.get(page("check", run))
    assert "no longer there" in answer.text
    assert not Order.objects.exists()


def test_names_of_files_are_no_paths(ben, settings):
    upload(ben, "sales.orderline", GOOD, "../../etc/passwd.csv")
    run = latest_run()
    stored = settings.MEDIA_ROOT / run.file_path
    assert stored.exists()
    assert stored.parent == settings.MEDIA_ROOT / "imports"
    assert "passwd" not in run.file_path


# --- Rights -----------------------------------------------------------------------


def test_who_may_not_import_cannot_begin(world):
    ana = world.client("ana")
    assert ana.get(page("new")).status_code == 403
    assert upload(ana, "sales.orderline", GOOD).status_code == 403
    assert not ImportRun.objects.exists()


def test_an_import_of_something_else_is_no_choice(world):
    answer = upload(world.client("ben"), "service.ticket", b"text\nhello\n")
    assert answer.status_code == 422
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize("name", ["map", "check", "detail", "rejects", "start"])
def test_a_strangers_import_is_not_there(ben, world, name):
    run = import_by_pages(ben, "sales.orderline", GOOD.replace(b",9,", b",x,"))
    before = list(OrderLine.objects.order_by("pk").values())
    other = world.client("cleo")
    if name == "start":
        answer = other.post(page(name, run))
    else:
        answer = other.get(page(name, run))
    assert answer.status_code == 404
    if name == "map":
        assert other.post(page(name, run), {"mode": "upsert"}).status_code == 404
    assert list(OrderLine.objects.order_by("pk").values()) == before
    assert Job.objects.count() == 2


def test_an_administrator_sees_but_does_not_go_on_for_others(ben, world):
    upload(ben, "sales.orderline", GOOD)
    run = latest_run()
    dev = world.client("dev")
    assert dev.get(page("list")).status_code == 200
    assert dev.get(page("map", run)).status_code == 404
    assert dev.post(page("start", run)).status_code == 404
    assert not Job.objects.exists()


def test_a_right_that_was_taken_away_counts_when_the_job_runs(ben, world):
    upload(ben, "sales.orderline", GOOD)
    run = latest_run()
    ben.post(page("map", run), map_data(ben, run))
    run_jobs()
    ben.post(page("start", run))
    world.ben.roles.clear()
    assert run_jobs() == ["failed"]
    assert not Order.objects.exists()


def test_a_second_click_starts_no_second_import(ben):
    upload(ben, "sales.orderline", GOOD)
    run = latest_run()
    data = map_data(ben, run)
    ben.post(page("map", run), data)
    ben.post(page("map", run), data)
    run_jobs()
    ben.post(page("start", run))
    ben.post(page("start", run))
    assert Job.objects.count() == 2
    run_jobs()
    assert OrderLine.objects.count() == 3


def test_a_cancelled_import_changes_nothing_and_can_be_begun_again(ben):
    upload(ben, "sales.orderline", GOOD)
    run = latest_run()
    ben.post(page("map", run), map_data(ben, run))
    run_jobs()
    ben.post(page("start", run))
    run.refresh_from_db()
    ben.post(reverse("crm:job_cancel", args=[run.job_id]))
    run_jobs()
    answer = ben.get(page("detail", run))
    assert "Nothing was changed" in answer.text
    assert not Order.objects.exists()
    assert ben.get(page("map", run)).status_code == 200
