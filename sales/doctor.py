"""Are the sums over orders, and the history of stages, kept as they should be?"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.doctor import Finding, check, fail, ok, warn
from crm.doctor.schema import missing_triggers
from sales.choices import BOOKED_STATES
from sales.models import ChangedDay

NOTES = tuple(f"sales_note_{one}" for one in ("insert", "update", "delete", "truncate"))
HISTORY = ("sales_stagechange_unchanged", "sales_stagechange_kept")
# More noted days than an import of two years leaves for a minute.
MANY_DAYS = 1000
DAYS_COMPARED = 60
BOOKED = ", ".join(f"'{state.value}'" for state in BOOKED_STATES)
WRONG_DAYS = f"""
    WITH span AS (
        SELECT max(day) AS last, max(day) - {DAYS_COMPARED} AS first
        FROM sales_ordersum WHERE grain = 'day'
    ), kept AS (
        SELECT day, currency, sales + returns AS orders, sold - returned AS total
        FROM sales_ordersum, span WHERE grain = 'day' AND day > first
    ), counted AS (
        SELECT (placed_at AT TIME ZONE 'UTC')::date AS day, currency,
               count(*) AS orders,
               sum(CASE WHEN kind = 'return' THEN -total ELSE total END) AS total
        FROM sales_order, span
        WHERE state IN ({BOOKED})
            AND placed_at >= (first + 1)::timestamp AT TIME ZONE 'UTC'
            AND placed_at < (last + 1)::timestamp AT TIME ZONE 'UTC'
        GROUP BY 1, 2
    )
    SELECT count(DISTINCT day) FROM kept FULL JOIN counted USING (day, currency)
    WHERE day NOT IN (SELECT day FROM sales_changedday)
        AND (kept.orders, kept.total) IS DISTINCT FROM (counted.orders, counted.total)
"""  # noqa: S608
RUN_AGAIN = gettext_lazy(
    "Run the statements of %(file)s that make them, then bin/manage rebuild_rollups."
)


@check("sums", gettext_lazy("Sums over orders"))
def sums() -> Iterator[Finding]:
    """Compare the sums of the newest days with the orders."""
    lost = missing_triggers("sales_order", NOTES)
    if lost:
        yield fail(
            _("These triggers are missing: %s") % ", ".join(lost),
            RUN_AGAIN % {"file": "sales/migrations/0007_rollups.py"},
        )
    with connection.cursor() as cursor:
        cursor.execute(WRONG_DAYS)
        (wrong,) = cursor.fetchone()
    noted = ChangedDay.objects.values("day").distinct().count()
    if wrong:
        yield fail(
            _("The sums of %s days are not those of the orders.") % wrong,
            "bin/manage rebuild_rollups",
        )
    elif noted > MANY_DAYS:
        yield warn(
            _("%s days wait to be summed up; pages are right but slow.") % noted,
            _("See whether the scheduler and a worker run."),
        )
    elif not lost:
        yield ok(_("The newest days are right; %s days wait.") % noted)


@check("history", gettext_lazy("History of stages"))
def history() -> Iterator[Finding]:
    """Look whether the database still keeps it from being changed."""
    lost = missing_triggers("sales_stagechange", HISTORY)
    if lost:
        yield fail(
            _("These triggers are missing: %s") % ", ".join(lost),
            RUN_AGAIN % {"file": "sales/migrations/0003_returns_and_history.py"},
        )
    else:
        yield ok(_("It cannot be changed."))
