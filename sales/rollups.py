"""Keep the sums over orders right; see docs/rollups.md.

Triggers note the days that a statement changed. Until those are summed up again here,
readers take them from the orders themselves (sales/sums.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import connection, transaction

from sales.choices import BOOKED_STATES

# One at a time: two that sum up the same day would both write it.
LOCK = 7_201_977
BOOKED = ", ".join(f"'{state.value}'" for state in BOOKED_STATES)

FIGURES = """
    count(*) FILTER (WHERE o.kind = 'sale'),
    count(*) FILTER (WHERE o.kind = 'return'),
    coalesce(sum(o.total) FILTER (WHERE o.kind = 'sale'), 0),
    coalesce(sum(o.total) FILTER (WHERE o.kind = 'return'), 0)
"""
COLUMNS = "grain, day, currency, owner_id, country, sales, returns, sold, returned"
ORDERS = f"""
    FROM sales_order o
    WHERE o.state IN ({BOOKED})
      AND o.placed_at >= %(start)s::timestamp AT TIME ZONE 'UTC'
      AND o.placed_at < %(stop)s::timestamp AT TIME ZONE 'UTC'
"""  # noqa: S608
FORGET = """
    DELETE FROM sales_ordersum
    WHERE (grain NOT IN ('day', 'country', 'owner')) = %(by_month)s
      AND day >= %(start)s AND day < %(stop)s
"""
SUM_DAYS = f"""
    INSERT INTO sales_ordersum ({COLUMNS})
    SELECT CASE WHEN grouping(o.owner_id) = 0 THEN 'owner'
                WHEN grouping(o.country) = 0 THEN 'country' ELSE 'day' END,
           (o.placed_at AT TIME ZONE 'UTC')::date, o.currency, o.owner_id,
           coalesce(o.country, ''), {FIGURES}
    {ORDERS}
    GROUP BY (o.placed_at AT TIME ZONE 'UTC')::date, o.currency,
             GROUPING SETS ((), (o.country), (o.owner_id))
"""  # noqa: S608
SUM_MONTHS = f"""
    INSERT INTO sales_ordersum ({COLUMNS})
    SELECT 'both', date_trunc('month', o.placed_at AT TIME ZONE 'UTC')::date,
           o.currency, o.owner_id, o.country, {FIGURES}
    {ORDERS}
    GROUP BY 2, 3, 4, 5
"""  # noqa: S608
# What the sums of months are by those of their days.
MONTHS_OF_DAYS = """
    SELECT CASE grain WHEN 'day' THEN 'month' ELSE 'month_' || grain END AS grain,
           date_trunc('month', day::timestamp)::date AS day,
           currency, owner_id, country,
           sum(sales) AS sales, sum(returns) AS returns,
           sum(sold) AS sold, sum(returned) AS returned
    FROM sales_ordersum
    WHERE grain IN ('day', 'country', 'owner')
      AND day >= %(start)s AND day < %(stop)s
    GROUP BY 1, 2, 3, 4, 5
"""
# From the days, which are right by then.
SUM_DAYS_OF_MONTHS = f"INSERT INTO sales_ordersum ({COLUMNS}) {MONTHS_OF_DAYS}"

Span = tuple[date, date]


def month_of(day: date) -> Span:
    """Return the first day of the month and of the next one."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Join spans that touch: one statement sums up a whole run of days."""
    found: list[Span] = []
    for start, stop in sorted(set(spans)):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return found


@transaction.atomic
def refresh() -> int:
    """Sum up the changed days again and return how many there were.

    The notes are taken away first and the orders read afterwards: what is written in
    between is summed up, too, and its note stays until the next time.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute("DELETE FROM sales_changedday RETURNING day")
        days = {day for (day,) in cursor.fetchall()}
        by_day = joined((day, day + timedelta(days=1)) for day in days)
        by_month = joined(month_of(day) for day in days)
        for spans, is_month, statements in (
            (by_day, False, [SUM_DAYS]),
            (by_month, True, [SUM_MONTHS, SUM_DAYS_OF_MONTHS]),
        ):
            for start, stop in spans:
                values = {"start": start, "stop": stop, "by_month": is_month}
                for statement in (FORGET, *statements):
                    cursor.execute(statement, values)
    return len(days)


@transaction.atomic
def rebuild() -> int:
    """Sum up every day anew and return how many there are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(
            "INSERT INTO sales_changedday (day)"
            " SELECT DISTINCT day FROM sales_ordersum UNION"
            " SELECT DISTINCT (placed_at AT TIME ZONE 'UTC')::date FROM sales_order"
        )
    return refresh()
