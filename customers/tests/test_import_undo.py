"""An import is taken back as a whole, and a killed one leaves nothing."""

import csv
import signal

import pytest

from crm.history.undo import undo
from crm.models import ImportRun, Operation
from crm.testing.forking import fork
from crm.testing.imports import import_by_command, import_by_pages
from crm.testing.snapshot import all_rows
from crm.testing.workers import child_environment
from customers.models import Customer

ROWS = 10_000
HEADER = ["external_system", "external_id", "name", "city", "phone", "email"]
# Ends itself as a power cut would, at the statement with the given number.
CHILD = """
import os, signal, sys
from django.core.management import call_command
from django.db import connection

def count(execute, sql, params, many, context):
    count.number += 1
    if count.number == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, many, context)

count.number = 0
with connection.execute_wrapper(count):
    call_command("import_data", "customers", sys.argv[1])
print("statements", count.number)
"""


def write(path, numbers, city):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in numbers:
            contact = [f"+44 20 7946 {number:05d}", f"c{number}@mail.example"]
            writer.writerow(["shop", number, f"Customer {number}", city, *contact])
    return path


def latest():
    return Operation.objects.filter(kind="import").order_by("-pk").first()


@pytest.mark.django_db
def test_an_import_with_updates_is_undone(world, tmp_path):
    import_by_command("customers", write(tmp_path / "a.csv", range(ROWS), "Leeds"))
    before = all_rows()
    later = write(tmp_path / "b.csv", range(ROWS // 2, ROWS + ROWS // 2), "York")
    result = import_by_command("customers", later)
    assert (result["created"], result["updated"]) == (ROWS // 2, ROWS // 2)
    assert latest().title == "b.csv"
    result = undo(latest(), world.dev)
    assert (result.number, result.left_count) == (ROWS, 0)
    assert all_rows() == before


def test_an_import_by_the_pages_is_undone_by_who_did_it(world):
    client = world.client("dev")
    before = all_rows()
    content = b"name,email\nAlpha,alpha@mail.example\nBeta,beta@mail.example\n"
    run = import_by_pages(client, "customers.customer", content)
    page = client.get(f"/imports/{run.pk}/")
    url = f"/operations/{run.operation}/"
    assert url in page.text
    assert "2 customers added" in client.get(url).text
    client.post(f"{url}undo/")
    assert all_rows() == before


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_killed_at_any_of_ten_points_it_is_wholly_absent(tmp_path):
    path = write(tmp_path / "a.csv", range(500), "Leeds")
    before = all_rows()
    code, output = run(path, 0)
    assert code == 0, output
    total = int(output.split()[-1])
    assert Customer.objects.count() == 500
    undo(latest(), make_dev())
    assert all_rows()["customers_customer"] == before["customers_customer"]
    for point in range(10):
        code, output = run(path, 1 + point * (total - 1) // 9)
        assert code == -signal.SIGKILL, output
        assert not Customer.objects.exists()
    assert run(path, 0)[0] == 0
    assert Customer.objects.count() == 500
    assert ImportRun.objects.filter(state="done").count() == 2


def run(path, kill_at):
    """Import in a process of its own; return how it ended and what it wrote."""
    program, log = path.with_name("child.py"), path.with_name("child.log")
    program.write_text(CHILD)
    log.unlink(missing_ok=True)
    process = fork([str(program), str(path), str(kill_at)], child_environment(), log)
    return process.wait(), log.read_text()


def make_dev():
    from crm.testing.world import make_person

    return make_person("dev", None, "administrator")
