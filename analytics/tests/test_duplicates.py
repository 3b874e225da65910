"""The scan for duplicates: what a run publishes, what stays as people said."""

import pytest
from django.core.management import call_command

from analytics import duplicates
from crm import jobs
from crm.jobs import enqueue
from crm.models import Job, JobState
from crm.testing.workers import has_ended, run_jobs, wait_for
from customers.choices import Kind, PairState
from customers.models import Customer, DuplicatePair
from customers.services import DUPLICATES, judge_pair, start_scan
from customers.tests.recipes import make_customer

ANNA = {"name": "Anna Berg", "phone": "+44 20 7946 0001", "city": "York"}


def scan(actor):
    """Search once and return the job."""
    job = start_scan(actor=actor)
    run_jobs()
    job.refresh_from_db()
    assert job.state == JobState.DONE, job.error
    return job


def said(job):
    return " ".join(job.log_lines.values_list("text", flat=True))


def names():
    return {
        (pair.customer_a.name, pair.customer_b.name)
        for pair in DuplicatePair.objects.select_related("customer_a", "customer_b")
    }


def test_a_scan_finds_pairs_with_their_reasons(world):
    make_customer(world.ana, **ANNA)
    make_customer(world.cleo, **ANNA | {"name": "Berg, Anna", "phone": "02079460001"})
    make_customer(world.ana, name="欧阳娜娜", email="nana@post.example")
    make_customer(world.ana, name="Ouyang Nana", email="NANA@post.example")
    make_customer(world.ana, name="Zebedee Quill")
    job = scan(world.dev)
    assert names() == {("Anna Berg", "Berg, Anna"), ("欧阳娜娜", "Ouyang Nana")}
    pair = DuplicatePair.objects.get(customer_a__name="Anna Berg")
    assert pair.score > 0.9
    assert pair.job == job
    assert ["phone", "same"] in [reason[:2] for reason in pair.reasons]
    assert "5 customers" in said(job)
    assert job.result["pairs"] == 2


def test_what_people_said_outlasts_later_scans(world):
    make_customer(world.ana, **ANNA)
    make_customer(world.ana, **ANNA)
    scan(world.dev)
    pair = DuplicatePair.objects.get()
    judge_pair(pair=pair, actor=world.ana, state=PairState.DISMISSED)
    scan(world.dev)
    pair.refresh_from_db()
    assert (pair.state, pair.dismissed_by) == (PairState.DISMISSED, world.ana)
    assert DuplicatePair.objects.count() == 1


def test_open_pairs_that_are_none_any_more_go_away(world):
    make_customer(world.ana, **ANNA)
    other = make_customer(world.ana, **ANNA)
    scan(world.dev)
    first = DuplicatePair.objects.get()
    scan(world.dev)
    # Found again: the same pair, seen first when it was.
    assert DuplicatePair.objects.get().created_at == first.created_at
    Customer.objects.filter(pk=other.pk).update(name="Zebedee Quill", phone="")
    scan(world.dev)
    assert not DuplicatePair.objects.exists()


def test_pairs_vanish_with_a_customer(world):
    make_customer(world.ana, **ANNA)
    other = make_customer(world.ana, **ANNA)
    scan(world.dev)
    other.delete()
    assert not DuplicatePair.objects.exists()


def test_a_pair_does_not_keep_a_demo_customer(world):
    real = make_customer(world.ana, **ANNA)
    make_customer(world.ana, is_demo=True, **ANNA)
    scan(world.dev)
    call_command("seed_demo", "--remove")
    assert list(Customer.objects.all()) == [real]
    assert not DuplicatePair.objects.exists()


def test_a_customer_deleted_during_the_scan_has_no_pair(world, monkeypatch):
    make_customer(world.ana, **ANNA)
    other = make_customer(world.ana, **ANNA)
    write = duplicates.write

    def delete_and_write(*args):
        Customer.objects.filter(pk=other.pk).delete()
        write(*args)

    monkeypatch.setattr(duplicates, "write", delete_and_write)
    scan(world.dev)
    assert not DuplicatePair.objects.exists()


def test_a_switchboard_is_said_in_a_sentence(world):
    Customer.objects.bulk_create(
        Customer(name=f"Zeb{n} Q{n}", phone="020 7946 0001") for n in range(500)
    )
    job = scan(world.dev)
    assert "share their phone number with very many others" in said(job)
    assert DuplicatePair.objects.count() < 500


def test_numbers_of_offices_among_the_free_fields_count(world):
    make_customer(world.ana, name="Acme Tools", custom={"vat_number": "GB 123 456 789"})
    make_customer(world.ana, name="Acme", custom={"tax_number": "gb123456789"})
    make_customer(world.ana, name="Odd", custom={"vat_number": ["no", "text"]})
    scan(world.dev)
    assert names() == {("Acme Tools", "Acme")}


def test_a_person_at_a_company_of_the_same_name(world):
    make_customer(world.ana, kind=Kind.PERSON, **ANNA)
    make_customer(world.ana, kind=Kind.COMPANY, **ANNA)
    scan(world.dev)
    (pair,) = DuplicatePair.objects.all()
    assert ["kind", "differs"] in [reason[:2] for reason in pair.reasons]


def test_who_asks_is_told_of_no_customer_that_they_may_not_see(world):
    make_customer(world.ana, **ANNA)
    make_customer(world.cleo, **ANNA)
    job = scan(world.ben)
    assert DuplicatePair.objects.count() == 1
    assert (job.result["customers"], job.result["pairs"]) == (1, 0)
    assert "1 customers compared, 0 possible" in said(job)


def test_nothing_to_compare(world):
    assert scan(world.dev).result["pairs"] == 0


def test_a_cancelled_scan_leaves_the_pairs_as_they_were(world, monkeypatch):
    make_customer(world.ana, **ANNA)
    make_customer(world.ana, **ANNA)
    scan(world.dev)
    Customer.objects.update(phone="")
    job = start_scan(actor=world.dev)
    read = duplicates.read

    def cancel_and_read(handle):
        Job.objects.filter(pk=job.pk).update(cancel_requested=True)
        return read(handle)

    monkeypatch.setattr(duplicates, "read", cancel_and_read)
    assert jobs.run(job.pk, worker="test") == JobState.CANCELLED
    assert DuplicatePair.objects.count() == 1


def test_one_scan_waits_however_often_it_is_asked_for(world):
    first = start_scan(actor=world.dev)
    assert start_scan(actor=world.ben) == first
    assert enqueue(DUPLICATES, dedupe_key=f"scheduled/{DUPLICATES}") == first


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_scans(worker, world):
    make_customer(world.ana, **ANNA)
    make_customer(world.ana, **ANNA)
    worker("analytics")
    job = start_scan(actor=world.dev)
    wait_for(lambda: has_ended(job))
    assert DuplicatePair.objects.count() == 1
