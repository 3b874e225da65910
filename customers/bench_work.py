"""What the bench has a process of its own do with customers: import, export."""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import connection

from crm.bench.staff import ids_of
from crm.bench.work import work_off
from crm.importing.importer import get_importer
from crm.importing.pipeline import run_import
from crm.importing.services import create_run
from crm.models import ExportFile, User

HEADER = (
    "External system,External id,Name,Kind,Email,Phone,Address,City,Region,Country,"
    "Birth date,Annual income"
).split(",")
IMPORTED = 0.2


def import_customers(size: int) -> tuple[int, float]:
    """Import a file of twelve columns of new customers; they are taken away again.

    Returns rows and seconds; writing the file is not a part of the import.
    """
    rows = max(50, round(size * IMPORTED))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            for n in range(rows):
                writer.writerow(
                    ["bench-import", f"I{n}", f"Imported Person {n}", "person"]
                    + [f"imported{n}@post.example", f"+44 20 7946 {n % 10000:04}"]
                    + [f"{n % 180} High Street", "Leeds", "England", "United Kingdom"]
                    + [f"19{50 + n % 50}-0{1 + n % 9}-1{n % 9}", f"{9000 + n % 60000}"]
                )
        started = time.monotonic()
        importer = get_importer("customers.customer")
        run = create_run(
            importer, file_path=str(path), file_name="bench.csv", owner=None
        )
        run = run_import(run)
        seconds = time.monotonic() - started
    if run.created != rows or len(run.mapping) != len(HEADER):
        msg = f"The import added {run.created} rows and rejected {run.rejected}."
        raise RuntimeError(msg)
    remove_imported()
    return rows, seconds


def remove_imported() -> None:
    """Leave as many customers as before, or each run would measure more of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM customers_customer WHERE external_system = 'bench-import'"
        )
        cursor.execute("VACUUM ANALYZE customers_customer, crm_searchentry")


def export_workbook(size: int) -> int:
    """Make a workbook of all companies as the job does; return its rows."""
    owner = User.objects.get(pk=ids_of("executive")[0])
    params = {"model": "customers.customer", "query": "kind=company"}
    work_off("export", owner=owner, params=params)
    file = ExportFile.objects.filter(owner=owner).latest("pk")
    rows = file.rows
    default_storage.delete(file.path)
    file.delete()
    return rows
