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
from sales.rollups import COLUMNS, MONTHS_OF_DAYS

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
# A month with a noted day is summed up again soon. EXCEPT, because to it nobody's sums
# (NULL) are the same on either side.
WRONG_MONTHS = f"""
    WITH kept AS (
        SELECT {COLUMNS} FROM sales_ordersum
        WHERE grain IN ('month', 'month_country', 'month_owner')
    ), due AS (
        {MONTHS_OF_DAYS}
    ), kept_both AS (
        SELECT day, currency, sum(sales), sum(returns), sum(sold), sum(returned)
        FROM sales_ordersum WHERE grain = 'both' GROUP BY day, currency
    ), due_both AS (
        SELECT day, currency, sales, returns, sold, returned
        FROM due WHERE grain = 'month'
    ), wrong AS (
        SELECT day FROM ((TABLE kept EXCEPT ALL TABLE due) UNION ALL
                         (TABLE due EXCEPT ALL TABLE kept)) one
        UNION
        SELECT day FROM ((TABLE kept_both EXCEPT TABLE due_both) UNION ALL
                         (TABLE due_both EXCEPT TABLE kept_both)) one
    )
    SELECT count(*) FROM wrong WHERE day NOT IN
        (SELECT date_trunc('month', day::timestamp)::date FROM sales_changedday)
"""  # noqa: S608
ALWAYS = {"start": "-infinity", "stop": "infinity"}
RUN_AGAIN = gettext_lazy(
    "Run the statements of %(file)s that make them, then bin/manage rebuild_rollups."
)


@check("sums", gettext_lazy("Sums over orders"))
def sums() -> Iterator[Finding]:
    """Compare the sums of the newest days with orders, those of months with days."""
    lost = missing_triggers("sales_order", NOTES)
    if lost:
        yield fail(
            _("These triggers are missing: %s") % ", ".join(lost),
            RUN_AGAIN % {"file": "sales/migrations/0007_rollups.py"},
        )
    wrong = list(wrong_sums())
    yield from wrong
    noted = ChangedDay.objects.values("day").distinct().count()
    if noted > MANY_DAYS:
        yield warn(
            _("%s days wait to be summed up; pages are right but slow.") % noted,
            _("See whether the scheduler and a worker run."),
        )
    elif not (lost or wrong):
        yield ok(_("The newest days and all months are right; %s days wait.") % noted)


def wrong_sums() -> Iterator[Finding]:
    """Say how many days and months have sums that are not those of what they sum up."""
    with connection.cursor() as cursor:
        cursor.execute(WRONG_DAYS)
        (days,) = cursor.fetchone()
        cursor.execute(WRONG_MONTHS, ALWAYS)
        (months,) = cursor.fetchone()
    if days:
        yield fail(
            _("The sums of %s days are not those of the orders.") % days,
            "bin/manage rebuild_rollups",
        )
    if months:
        yield fail(
            _(
                "The sums of %s months are not those of their days: "
                "perhaps a worker of an older version kept only the days."
            )
            % months,
            _("Restart every worker, then run bin/manage rebuild_rollups."),
        )


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
