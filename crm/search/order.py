"""Entries in the order of their model's list, so that a search reads few pages.

A name that nine thousand rows have is spread over as many pages of the table, in
the order in which rows came. In the order of the list, by name, those who are called
alike lie side by side: a twentieth of the pages. New rows are written at the end, so
the order is made anew once a week.
"""

# ruff: noqa: S608  (SQL is put together from names that the program declares)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.jobs import JobHandle, job
from crm.search.triggers import Definition, definitions

KIND = "search-order"
# Rows of one statement: others who write them wait for less than half a second.
BATCH = 5_000
# Fewer entries are read quickly wherever they lie.
MIN_ROWS = 10_000
COLUMNS = "kind, object_id, recent, place, owner_id, tokens"
# The rows are locked against being deleted: a trigger that waited would not see the
# entry that was written anew. One that changes an entry waits for the new one, because
# it inserts and meets it as a conflict.
MOVE = f"""
    WITH batch AS MATERIALIZED (
        SELECT {{pk}} AS pk, {{place}} AS place FROM {{table}} {{after}}
        ORDER BY {{place}}, {{pk}} LIMIT %s FOR KEY SHARE
    ), taken AS (
        DELETE FROM crm_searchentry entry USING batch
        WHERE entry.kind = {{kind}} AND entry.object_id = batch.pk
        RETURNING entry.*
    ), written AS (
        INSERT INTO crm_searchentry ({COLUMNS})
        SELECT {COLUMNS} FROM taken ORDER BY place, object_id
    )
    SELECT place, pk, count(*) OVER () FROM batch ORDER BY place DESC, pk DESC LIMIT 1
"""
AFTER = "WHERE ({place}, {pk}) > (%s, %s)"


def put_in_order(tell: Callable[[int], None] = lambda done: None) -> int:
    """Write the entries of all large models anew in order; return how many.

    ``tell`` is called with the number so far after each batch. Searches find the same
    meanwhile.
    """
    done = 0
    for one in definitions():
        if one.search.place and count_of(one) >= MIN_ROWS:
            done = _move(one, done, tell)
    return done


def count_of(one: Definition) -> int:
    """Count a model's entries, up to as many as make it large."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM crm_searchentry WHERE kind = %s"
            " LIMIT %s) counted",
            [one.search.kind, MIN_ROWS],
        )
        return cursor.fetchone()[0]


def _move(one: Definition, done: int, tell: Callable[[int], None]) -> int:
    last: list[Any] = []
    with connection.cursor() as cursor:
        while True:
            after = AFTER.format(**one.names) if last else ""
            cursor.execute(MOVE.format(after=after, **one.names), [*last, BATCH])
            found = cursor.fetchone()
            if found is None:
                return done
            *last, count = found
            done += count
            tell(done)


@job(KIND, queue="analytics", label=gettext_lazy("Order of the search"))
def order_of_search(handle: JobHandle) -> dict[str, Any]:
    """Put the entries in order; what was done stays done if it is stopped."""
    count = put_in_order(handle.progress)
    handle.log(_("Entries written anew: %(count)s") % {"count": count})
    return {"entries": count}
