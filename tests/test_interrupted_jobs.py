"""Long work killed, or its database restarted, in the middle: done once, or not at all.

Real worker processes; the locks that stop them are held by the test.
"""

from __future__ import annotations

import os
import shutil
import threading
import time

import pytest
from django.core.files.storage import default_storage
from django.db import connection, connections
from django.test import Client
from django.utils.formats import number_format

from crm.generic.export_job import STRANDED_FOR, forget_files
from crm.history.context import acting
from crm.models import ExportFile, Job, JobState, Operation
from crm.testing.snapshot import all_rows
from crm.testing.workers import (
    LEASE_SECONDS,
    SWEEP_SECONDS,
    has_ended,
    wait_for,
    worker,
)
from crm.testing.world import World, make_world, sign_in
from crm.tests.test_jobs_workers import end_all_other_connections
from customers.models import Contact, Customer
from customers.tests.recipes import make_contact, make_customer
from tests.interrupted import (
    CASES,
    BulkCase,
    ExportCase,
    is_blocked,
    is_in_the_middle,
    link,
)

__all__ = ["worker"]

pytestmark = pytest.mark.process
GIVEN_UP = "The work was interrupted 1 times and was given up."
BEGUN_AGAIN = "The work was interrupted; it will be started again."


@pytest.fixture
def cast(transactional_db: None, settings) -> World:
    """Return the cast, outside of any transaction, with short leases."""
    from crm.grants import seed_grants

    settings.JOB_LEASE_SECONDS = LEASE_SECONDS
    settings.JOB_SWEEP_SECONDS = SWEEP_SECONDS
    # The workers write there, too: with a folder for each test none could be forked.
    shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)
    # The fixture puts back what a case changes.
    settings.EXPORT_AT_ONCE_ROWS = settings.EXPORT_AT_ONCE_ROWS
    seed_grants()
    return make_world()


@pytest.fixture
def start(worker):
    """Return a factory of workers that write where the test looks."""
    return worker


def restart(test_services) -> None:
    """Kill the database and start it; of one that is not ours, end the connections."""
    if test_services.postgres is None:
        end_all_other_connections()
        return
    connection.close()
    test_services.postgres.kill()
    test_services.postgres.start()


def page_of(cast: World, job: Job) -> str:
    """Return what the job's owner reads about it."""
    return cast.client("dev").get(f"/jobs/{job.pk}/").text


@pytest.mark.parametrize("kind", CASES)
def test_killed_in_the_middle_it_is_done_once(start, cast, tmp_path, kind):
    case = kind(cast, tmp_path)
    first = start()
    with link() as held:
        held.execute(case.lock)
        job = case.begin()
        wait_for(lambda: is_in_the_middle(job))
        first.kill()
    if not case.in_portions:
        case.assert_absent()
    start()
    wait_for(lambda: has_ended(job), sweeping=True)
    job.refresh_from_db()
    assert (job.state, job.error, job.attempts) == (JobState.DONE, "", 2)
    case.assert_done_once()
    assert BEGUN_AGAIN in page_of(cast, job)


@pytest.mark.parametrize("kind", [one for one in CASES if not one.in_portions])
def test_given_up_it_is_absent_and_a_second_try_works(start, cast, tmp_path, kind):
    case = kind(cast, tmp_path)
    before = all_rows()
    first = start()
    with link() as held:
        held.execute(case.lock)
        job = case.begin()
        Job.objects.filter(pk=job.pk).update(max_attempts=1)
        wait_for(lambda: is_in_the_middle(job))
        first.kill()
    wait_for(lambda: has_ended(job), sweeping=True)
    case.assert_absent()
    assert all_rows() == before
    assert GIVEN_UP in page_of(cast, job)
    again = case.again(cast.client("dev"))
    start()
    wait_for(lambda: has_ended(again), sweeping=True)
    again.refresh_from_db()
    assert (again.state, again.error) == (JobState.DONE, "")
    case.assert_done_once()


def test_a_bulk_edit_that_was_given_up_says_how_far_it_came(start, cast, tmp_path):
    """Its portions are saved one by one; the operation takes back those that were."""
    case = BulkCase(cast, tmp_path)
    first = start()
    with link() as held:
        held.execute(case.lock)
        job = case.begin()
        Job.objects.filter(pk=job.pk).update(max_attempts=1)
        wait_for(lambda: is_in_the_middle(job))
        first.kill()
    wait_for(lambda: has_ended(job), sweeping=True)
    changed = Customer.objects.filter(owner=cast.cleo).count()
    assert 0 < changed < case.count
    page = page_of(cast, job)
    assert GIVEN_UP in page
    operation = Operation.objects.get(number=case.run.number)
    assert f"<dt>Changed</dt><dd>{number_format(changed, force_grouping=True)}" in page
    assert f"/operations/{operation.number}/" in page
    cast.client("dev").post(f"/operations/{operation.number}/undo/")
    start()
    wait_for(lambda: Customer.objects.filter(owner=cast.ana).count() == case.count)
    again = case.again(None)
    wait_for(lambda: has_ended(again), sweeping=True)
    assert Customer.objects.filter(owner=cast.cleo).count() == case.count


def test_a_workbook_of_a_killed_worker_does_not_stay(start, cast, tmp_path):
    case = ExportCase(cast, tmp_path)
    first = start()
    with link() as held:
        held.execute(case.lock)
        job = case.begin()
        wait_for(lambda: is_in_the_middle(job))
        (stranded,) = default_storage.listdir("exports")[1]
        first.kill()
    start()
    wait_for(lambda: has_ended(job), sweeping=True)
    path, kept = f"exports/{stranded}", ExportFile.objects.get().path
    forget_files()
    assert default_storage.exists(path), "its worker may be about to write its row"
    old = time.time() - STRANDED_FOR.total_seconds() - 1
    for one in (path, kept):
        os.utime(default_storage.path(one), (old, old))
    forget_files()
    assert not default_storage.exists(path)
    assert default_storage.exists(kept)


@pytest.mark.parametrize("kind", CASES)
def test_a_database_restarted_in_the_middle_loses_nothing(
    start, cast, tmp_path, test_services, kind
):
    case = kind(cast, tmp_path)
    start()
    held = link()
    held.execute(case.lock)
    job = case.begin()
    wait_for(lambda: is_in_the_middle(job))
    restart(test_services)
    held.close()
    wait_for(lambda: has_ended(job), sweeping=True)
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.DONE, "")
    case.assert_done_once()


# --- What a page does itself ----------------------------------------------------------


class Ask(threading.Thread):
    """A request of a browser, in a thread with a connection of its own."""

    def __init__(self, person, url: str, data: dict) -> None:
        super().__init__()
        self.url, self.data = url, data
        self.browser = Client(raise_request_exception=False)
        sign_in(self.browser, person)
        self.start()

    def run(self) -> None:
        self.answer = self.browser.post(self.url, self.data)
        connections.close_all()


def merge_of(cast: World) -> tuple[str, dict, str]:
    """Return the address, the data and the lock of merging two customers."""
    into, gone = make_customer(cast.dev), make_customer(cast.dev)
    contact = make_contact(customer=gone)
    page = cast.client("dev").get(f"/customers/merge/?pk={into.pk}&pk={gone.pk}")
    data = {"pk": [into.pk, gone.pk], "into": into.pk, "step": "merge"}
    lock = f"SELECT FROM customers_contact WHERE id = {contact.pk} FOR UPDATE"
    return "/customers/merge/", data | {"seen": page.context["seen"]}, lock


def undo_of(cast: World) -> tuple[str, dict, str]:
    """Return the same of taking back a small operation."""
    rows = [make_customer(cast.dev) for _number in range(3)]
    with acting("page", cast.dev) as number:
        Customer.objects.update(city="Leeds")
    lock = f"SELECT FROM customers_customer WHERE id = {rows[-1].pk} FOR UPDATE"
    return f"/operations/{number}/undo/", {}, lock


def edit_of(cast: World) -> tuple[str, dict, str]:
    """Return the same of changing one field in its place."""
    row = make_customer(cast.dev)
    lock = f"SELECT FROM customers_customer WHERE id = {row.pk} FOR UPDATE"
    return f"/customers/{row.pk}/cell/city/", {"city": "York"}, lock


@pytest.mark.parametrize("make", [merge_of, undo_of, edit_of])
def test_a_request_that_loses_its_database_says_so(cast, test_services, make):
    """503 with a sentence, nothing changed; the same again works."""
    url, data, lock = make(cast)
    before = all_rows()
    held = link()
    held.execute(lock)
    first = Ask(cast.dev, url, data)
    wait_for(is_blocked)
    restart(test_services)
    held.close()
    first.join(60)
    assert first.answer.status_code == 503
    assert "The database did not answer" in first.answer.text
    assert "数据库没有响应" in first.answer.text
    assert first.answer["Retry-After"]
    assert all_rows() == before
    second = Ask(cast.dev, url, data)
    second.join(60)
    assert second.answer.status_code in (200, 302)
    assert all_rows() != before


def test_a_merge_is_whole_after_the_second_try(cast, test_services):
    url, data, lock = merge_of(cast)
    held = link()
    held.execute(lock)
    first = Ask(cast.dev, url, data)
    wait_for(is_blocked)
    restart(test_services)
    held.close()
    first.join(60)
    second = Ask(cast.dev, url, data)
    second.join(60)
    assert Customer.objects.count() == 1
    assert Contact.objects.get().customer == Customer.objects.get()
    assert Operation.objects.filter(kind="merge").count() == 1
