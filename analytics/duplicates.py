"""The scan for duplicates: read the customers, compare, publish the pairs at once.

What is compared and how stands in ``analytics/ml/duplicates.py`` and
docs/duplicates.md; the pages belong to ``customers``.
"""

# ruff: noqa: S608  (SQL is put together from names that the program declares)

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from crm.search import pinyin
from customers.choices import Kind, PairState
from customers.models import Customer, DuplicatePair

if TYPE_CHECKING:
    from analytics.ml.duplicate_fields import Normaliser
    from analytics.ml.duplicates import Found, Table
    from crm.jobs import JobHandle
    from crm.models import User

# Nobody judges more pairs; the most probable are kept.
MOST_PAIRS = 100_000
BATCH = 10_000
# The parts of a scan on its progress bar, in per cent.
READ, COMPARED = 20, 98
# Free fields that hold what an office gave to one person or company.
NUMBERS = ("tax_number", "vat_number", "registration_number", "national_id")

COLUMNS = f"""
    SELECT id, kind, name, phone, email, address, postal_code, city, birth_date,
        coalesce({", ".join(f"custom->>'{name}'" for name in NUMBERS)}, '')
    FROM customers_customer ORDER BY id
"""
STAGING = """
    CREATE TEMP TABLE found_pair (a bigint, b bigint, score float8, reasons jsonb)
    ON COMMIT DROP
"""
FORGET = """
    DELETE FROM customers_duplicatepair pair WHERE state = 'open' AND NOT EXISTS (
        SELECT FROM found_pair WHERE a = customer_a_id AND b = customer_b_id)
"""
# A customer that was deleted meanwhile has no pairs; the others are held until commit.
# A pair with a demo customer goes with the demo data.
WRITE = """
    INSERT INTO customers_duplicatepair (created_at, updated_at, is_demo, found_at,
        customer_a_id, customer_b_id, score, reasons, state, job_id)
    SELECT now(), now(), one.is_demo OR other.is_demo, now(), a, b, score, reasons,
        'open', %s
    FROM found_pair
    JOIN customers_customer one ON one.id = a
    JOIN customers_customer other ON other.id = b
    FOR KEY SHARE OF one, other
    ON CONFLICT (customer_a_id, customer_b_id) DO UPDATE SET score = excluded.score,
        reasons = excluded.reasons, found_at = excluded.found_at,
        job_id = excluded.job_id, updated_at = excluded.updated_at
    WHERE customers_duplicatepair.state = 'open'
"""


def normaliser() -> Normaliser:
    """Return what makes rows comparable, with the pinyin that the search knows."""
    from analytics.ml.duplicate_fields import Normaliser

    return Normaliser(pinyin.readings(), pinyin.as_surname())


def scan(handle: JobHandle) -> None:
    """Compare all customers; the pairs found replace the open ones all at once.

    What people said is no duplicate stays so.
    """
    from analytics.ml import duplicates

    handle.progress(0, 100, _("Reading the customers"))
    ids, table = read(handle)

    def say(done: int, total: int) -> None:
        share = READ + (COMPARED - READ) * done // total
        handle.progress(share, 100, _("Comparing the customers"))

    found = duplicates.find(table, most=MOST_PAIRS, on_progress=say)
    with handle.publish():
        write(handle.id, ids, found)
        seen = seen_by(handle.owner)
        log(handle, seen, found)
        handle.result = {"url": reverse("customers:duplicatepair_list"), **seen}


def seen_by(owner: User | None) -> dict[str, int]:
    """Return how much of a scan the person may know of who asked for it."""
    customers, pairs = Customer.objects.all(), DuplicatePair.objects.all()
    if owner is not None:
        customers, pairs = customers.visible_to(owner), pairs.visible_to(owner)
    found = pairs.filter(state=PairState.OPEN)
    return {"customers": customers.count(), "pairs": found.count()}


def read(handle: JobHandle) -> tuple[array, Table]:
    """Return the ids of all customers and their fields, comparable."""
    from analytics.ml.duplicates import Table

    total = max(1, Customer.objects.count())
    prepare = normaliser().prepare
    ids, kinds, rows = array("q"), array("b"), []
    for batch in batches():
        for pk, kind, *fields in batch:
            ids.append(pk)
            kinds.append(kind == Kind.COMPANY)
            rows.append(prepare(*fields).pack())
        share = READ * min(len(ids), total) // total
        handle.progress(share, 100, _("Reading the customers"))
    return ids, Table.of(rows, kinds)


def batches() -> Iterator[list[tuple[Any, ...]]]:
    """Yield the customers by way of the server's cursor, so that memory stays flat."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(COLUMNS)
        while batch := cursor.fetchmany(BATCH):
            yield batch


def write(job_id: int, ids: array, found: Found) -> None:
    """Make the found pairs the open ones, inside the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(STAGING)
        with cursor.copy("COPY found_pair FROM STDIN") as copy:
            for pair in found.pairs:
                # Read in the order of their ids, so left is the smaller one.
                copy.write_row(
                    (
                        ids[pair.left],
                        ids[pair.right],
                        pair.score,
                        json.dumps(pair.reasons),
                    )
                )
        cursor.execute("ANALYZE found_pair")
        cursor.execute(FORGET)
        cursor.execute(WRITE, [job_id])
        cursor.execute("DROP TABLE found_pair")


def log(handle: JobHandle, seen: dict[str, int], found: Found) -> None:
    """Say what was compared, and what was not; numbers as the job's owner sees them."""
    handle.log(
        _("%(customers)s customers compared, %(pairs)s possible duplicates found.")
        % {name: number_format(one, force_grouping=True) for name, one in seen.items()}
    )
    shared = {
        "phone": _("phone number"),
        "email": _("e-mail address"),
        "number": _("tax or register number"),
    }
    for kind, what in shared.items():
        if found.too_large.get(kind):
            handle.log(
                _(
                    "Some customers share their %(what)s with very many others; "
                    "of these only those of the same name were compared by it."
                )
                % {"what": what}
            )
    if found.left_out:
        handle.log(
            _("Only the %(most)s most probable pairs are kept.")
            % {"most": number_format(MOST_PAIRS, force_grouping=True)}
        )
