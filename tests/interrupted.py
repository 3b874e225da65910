"""Long jobs that a test can stop in their middle: what they begin with, and their end.

Each waits in front of a lock that the test holds, with a part of its work done.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any, ClassVar

import psycopg
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from crm.generic.bulk.run import BATCH, KIND, BulkRun
from crm.generic.registry import registry
from crm.generic.selection import Selection
from crm.history.context import acting
from crm.history.jobs import AT_ONCE, start_undo
from crm.importing.importer import get_importer
from crm.importing.pipeline import run_import
from crm.importing.services import create_run, start
from crm.jobs import enqueue
from crm.models import AuditEntry, ExportFile, ImportRun, Job, JobState, Operation
from crm.testing.imports import map_data
from crm.testing.workers import child_environment, run_jobs
from crm.testing.world import World
from customers.models import Customer

WAITS = """
    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'
        AND datname = current_database() AND backend_type = 'client backend')"""
LAST_ROW = "SELECT FROM customers_customer ORDER BY id DESC LIMIT 1 FOR UPDATE"


def link() -> psycopg.Connection:
    """Return a connection of the test's own to the test's database."""
    return psycopg.connect(child_environment()["DATABASE_URL"])


def is_blocked() -> bool:
    """Tell whether some work waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(WAITS)
        return cursor.fetchone()[0]


def one_waits() -> bool:
    """Tell the same inside a transaction, which itself would see no change."""
    with link() as other:
        return other.execute(WAITS).fetchone()[0]


def is_in_the_middle(job: Job) -> bool:
    """Tell whether a worker has begun the job and waits for a lock."""
    return is_blocked() and Job.objects.get(pk=job.pk).state == JobState.RUNNING


class Case:
    """One kind of work, its rows, and how it looks before and afterwards."""

    # What the test locks, so that the work stops in the middle.
    lock: ClassVar[str] = LAST_ROW
    # Given up in its middle it is not wholly absent: its portions are saved one by one.
    in_portions = False

    def __init__(self, cast: World, folder: Path) -> None:
        self.cast, self.folder = cast, folder
        self.prepare()

    def prepare(self) -> None:
        """Make the rows."""

    def begin(self) -> Job:
        """Put the work into the queue, as the page does."""
        raise NotImplementedError

    def again(self, client: Any) -> Job:
        """Begin anew from the page, after the first job was given up."""
        known = set(Job.objects.values_list("pk", flat=True))
        self.press(client)
        return Job.objects.exclude(pk__in=known).latest("pk")

    def press(self, client: Any) -> None:
        """Do what a person does on the page."""
        raise NotImplementedError

    def assert_absent(self) -> None:
        """Check that nothing of it is there."""
        raise NotImplementedError

    def assert_done_once(self) -> None:
        """Check that all of it is there, once."""
        raise NotImplementedError


def add_customers(cast: World, count: int) -> None:
    """Add customers of Ana's."""
    Customer.objects.bulk_create(
        Customer(
            name=f"Row {number:05d}",
            owner=cast.ana,
            external_system="shop",
            external_id=str(number),
        )
        for number in range(count)
    )


class UndoCase(Case):
    """An operation on more rows than a page would wait for is taken back."""

    count = AT_ONCE + 100

    def prepare(self) -> None:
        add_customers(self.cast, self.count)
        with acting("bulk", self.cast.dev) as number:
            Customer.objects.update(city="Leeds")
        self.operation = Operation.objects.get(number=number)
        self.url = f"/operations/{number}/"

    def begin(self) -> Job:
        return start_undo(self.operation, self.cast.dev, [])

    def press(self, client: Any) -> None:
        client.post(f"{self.url}undo/")

    def assert_absent(self) -> None:
        assert Customer.objects.filter(city="Leeds").count() == self.count
        assert not Operation.objects.filter(undo_of=self.operation).exists()

    def assert_done_once(self) -> None:
        assert Customer.objects.filter(city="").count() == self.count
        assert Operation.objects.filter(undo_of=self.operation).count() == 1


class BulkCase(Case):
    """More rows than one portion are given to somebody."""

    count = 2 * BATCH + 100
    in_portions = True

    def prepare(self) -> None:
        add_customers(self.cast, self.count)

    def begin(self) -> Job:
        pages = registry.pages_of(Customer)
        self.run = BulkRun(
            pages,
            pages.bulk_action("assign"),
            self.cast.dev,
            Selection(""),
            f"owner={self.cast.cleo.pk}",
            uuid.uuid4(),
            timezone.now(),
            None,
        )
        return enqueue(
            KIND,
            owner=self.cast.dev,
            params=self.run.params(),
            dedupe_key=self.run.key,
        )

    def again(self, client: Any) -> Job:
        return self.begin()

    def assert_absent(self) -> None:
        assert Customer.objects.filter(owner=self.cast.ana).count() == self.count

    def assert_done_once(self) -> None:
        assert Customer.objects.filter(owner=self.cast.cleo).count() == self.count
        entries = AuditEntry.objects.filter(verb="changed")
        assert entries.count() == self.count
        assert entries.values("object_id").distinct().count() == self.count


class ImportCase(Case):
    """A file changes all rows and adds as many."""

    count = 600

    def prepare(self) -> None:
        add_customers(self.cast, self.count)
        path = self.folder / "in.csv"
        lines = "\n".join(f"shop,{one},New {one},York" for one in range(2 * self.count))
        path.write_text(f"external_system,external_id,name,city\n{lines}\n")
        self.run = create_run(
            get_importer("customers"),
            file_path=str(path),
            file_name="in.csv",
            owner=self.cast.dev,
        )
        run_import(self.run, dry_run=True)

    def begin(self) -> Job:
        return start(run=ImportRun.objects.get(pk=self.run.pk), dry_run=False).job

    def press(self, client: Any) -> None:
        page = client.get(f"/imports/{self.run.pk}/").text
        assert f"/imports/{self.run.pk}/columns/" in page
        data = map_data(client, self.run)
        client.post(f"/imports/{self.run.pk}/columns/", data)
        run_jobs()
        client.post(f"/imports/{self.run.pk}/start/")

    def assert_absent(self) -> None:
        assert Customer.objects.filter(city="").count() == self.count
        assert Customer.objects.count() == self.count
        assert not Operation.objects.filter(kind="import").exists()

    def assert_done_once(self) -> None:
        assert Customer.objects.filter(city="York").count() == 2 * self.count
        assert Customer.objects.count() == 2 * self.count
        assert Operation.objects.filter(kind="import").count() == 1
        run = ImportRun.objects.get(pk=self.run.pk)
        assert (run.state, run.created, run.updated) == ("done", self.count, self.count)


class ExportCase(Case):
    """A workbook is written; its row waits, its file is there already."""

    count = 3_000
    lock = "LOCK TABLE crm_exportfile IN ACCESS EXCLUSIVE MODE"
    url = "/customers/export/?format=xlsx&columns=name,city"

    def prepare(self) -> None:
        add_customers(self.cast, self.count)

    def begin(self) -> Job:
        params = {"model": "customers.customer", "query": "columns=name,city"}
        return enqueue("export", owner=self.cast.dev, params=params)

    def press(self, client: Any) -> None:
        settings.EXPORT_AT_ONCE_ROWS = 2
        client.get(self.url)

    def assert_absent(self) -> None:
        assert not ExportFile.objects.exists()

    def assert_done_once(self) -> None:
        file = ExportFile.objects.get()
        assert file.rows == self.count
        assert default_storage.size(file.path) > self.count


class ExportReadingCase(ExportCase):
    """The same, stopped before the rows are read to the end."""

    lock = "LOCK TABLE customers_customer IN ACCESS EXCLUSIVE MODE"


CASES = (UndoCase, BulkCase, ImportCase, ExportCase, ExportReadingCase)
