"""Read sums over booked orders: exact on every clock, and quick; see docs/rollups.md.

Whole months and days of UTC come from the sums that are kept (sales/rollups.py), days
that changed since from the orders, and so do the hours between a reader's midnight and
that of UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db import connection

from sales.models import Grain
from sales.rollups import BOOKED, FIGURES, month_of
from sales.rules import average_sale

ZERO = Decimal(0)


@dataclass(frozen=True)
class Totals:
    """Booked orders in one currency; ``net`` is sales less returns."""

    currency: str
    sales: int = 0
    returns: int = 0
    sold: Decimal = ZERO
    returned: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        """Return what was sold less what came back."""
        return self.sold + self.returned

    @property
    def average(self) -> Decimal | None:
        """Return the net total per sale."""
        return average_sale(self.net, self.sales)

    @property
    def is_empty(self) -> bool:
        """Tell whether there is no order at all."""
        return not self.sales and not self.returns

    def plus(self, other: Totals, times: int = 1) -> Totals:
        """Return the sum of two totals in the same currency; ``times`` may be -1."""
        return Totals(
            self.currency,
            self.sales + times * other.sales,
            self.returns + times * other.returns,
            self.sold + times * other.sold,
            self.returned + times * other.returned,
        )


# {currency: totals} of one stretch of time; by country: {(currency, country): totals}
Sums = dict[tuple[str, str], Totals]


@dataclass
class Cuts:
    """Moments that cut time into stretches, each with the midnight of UTC next to it.

    ``gaps`` are the hours between the two. A gap is added to the stretch on whose side
    it lies and taken off its neighbour, which has it from the sums.
    """

    moments: Sequence[datetime]
    by_month: bool
    midnights: list[date] = field(init=False)

    def __post_init__(self) -> None:
        self.midnights = [self.nearest(moment) for moment in self.moments]

    def nearest(self, moment: datetime) -> date:
        """Return the midnight (or the first of a month) that is nearest in UTC."""
        moment = moment.astimezone(UTC)
        day = moment.date()
        first, after = month_of(day) if self.by_month else (day, day + timedelta(1))
        return first if moment - midnight(first) <= midnight(after) - moment else after

    def gaps(self) -> list[tuple[int, datetime, datetime, int]]:
        """Return (number of the cut, start, stop, sign for the stretch after it)."""
        found = []
        for place, (moment, day) in enumerate(
            zip(self.moments, self.midnights, strict=True)
        ):
            if moment < midnight(day):
                found.append((place, moment, midnight(day), 1))
            elif moment > midnight(day):
                found.append((place, midnight(day), moment, -1))
        return found

    def months_apart(self) -> list[date]:
        """Return the firsts of the months that a cut takes apart."""
        return sorted({day.replace(day=1) for day in self.midnights if day.day > 1})


def midnight(day: date) -> datetime:
    """Return the first moment of a day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


LIVE = """
    CROSS JOIN LATERAL (
        SELECT o.currency, {country} AS country, {figures}
        FROM sales_order o
        WHERE o.placed_at >= {start} AND o.placed_at < {stop}
          AND o.state IN ({booked}) {whose}
        GROUP BY 1, 2
    ) x (currency, country, sales, returns, sold, returned)
"""
# One statement, so that notes, sums and orders are of the same moment. The number of a
# stretch says which cut it follows, from 1; gaps have numbers below zero.
QUERY = """
    WITH changed AS MATERIALIZED (
        SELECT DISTINCT date_trunc(%(unit)s, day::timestamp)::date AS day
        FROM sales_changedday
    ), apart AS MATERIALIZED (
        SELECT unnest(%(months_apart)s::date[]) AS month
        UNION SELECT date_trunc('month', day::timestamp)::date FROM changed
    ), gap (place, start, stop) AS (
        SELECT * FROM unnest(
            %(places)s::int[], %(starts)s::timestamptz[], %(stops)s::timestamptz[]
        )
    )
    SELECT place, currency, country,
           sum(sales), sum(returns), sum(sold), sum(returned)
    FROM (
        SELECT width_bucket(s.day, %(days)s::date[]) AS place,
               s.currency, s.country, s.sales, s.returns, s.sold, s.returned
        FROM sales_ordersum s
        WHERE s.grain = %(month_grain)s AND s.day >= %(first)s AND s.day < %(last)s
          AND s.day NOT IN (SELECT month FROM apart) {whose_sums}
        UNION ALL
        {days_of_months}
        SELECT width_bucket(c.day, %(days)s::date[]), x.*
        FROM changed c {live_changed}
        WHERE c.day >= %(first)s AND c.day < %(last)s
        UNION ALL
        SELECT -1 - place, x.* FROM gap {live_gap}
    ) found
    GROUP BY 1, 2, 3
"""
# The months that are not whole: between two cuts, or with a changed day.
DAYS_OF_MONTHS = """
        SELECT width_bucket(s.day, %(days)s::date[]),
               s.currency, s.country, s.sales, s.returns, s.sold, s.returned
        FROM apart CROSS JOIN LATERAL (
            SELECT * FROM sales_ordersum s
            WHERE s.grain = %(day_grain)s {whose_sums}
              AND s.day >= greatest(apart.month, %(first)s)
              AND s.day < least((apart.month + interval '1 month')::date, %(last)s)
        ) s
        WHERE s.day NOT IN (SELECT day FROM changed)
        UNION ALL
"""
# (by country, of people): how finely the sums by month and by day are kept
GRAINS = {
    (False, False): (Grain.MONTH, Grain.DAY),
    (True, False): (Grain.MONTH_COUNTRY, Grain.COUNTRY),
    (False, True): (Grain.MONTH_OWNER, Grain.OWNER),
    (True, True): (Grain.BOTH, None),
}


def statement(*, by_country: bool, of_people: bool) -> str:
    """Return the query, narrowed to people or not."""
    parts = {
        "country": "o.country" if by_country else "''::text",
        "figures": FIGURES,
        "booked": BOOKED,
        "whose": "AND o.owner_id = ANY(%(owners)s::bigint[])" if of_people else "",
    }
    whose_sums = "AND s.owner_id = ANY(%(owners)s::bigint[])" if of_people else ""
    has_days = GRAINS[by_country, of_people][1] is not None
    after = "(c.day + %(step)s::interval) AT TIME ZONE 'UTC'"
    return QUERY.format(
        whose_sums=whose_sums,
        days_of_months=DAYS_OF_MONTHS.format(whose_sums=whose_sums) if has_days else "",
        live_changed=LIVE.format(
            start="c.day::timestamp AT TIME ZONE 'UTC'", stop=after, **parts
        ),
        live_gap=LIVE.format(start="gap.start", stop="gap.stop", **parts),
    )


def stretches(
    moments: Sequence[datetime],
    owners: Sequence[int] | None = None,
    *,
    by_country: bool = False,
) -> list[Sums]:
    """Return the sums between each moment and the next; one query.

    ``owners`` are the people whose orders count; None means everybody's, also those
    that belong to nobody.
    """
    if owners is not None and not owners:
        return [{} for _one in moments[1:]]
    of_people = owners is not None
    month_grain, day_grain = GRAINS[by_country, of_people]
    by_month = day_grain is None
    cuts = Cuts(moments, by_month)
    gaps = cuts.gaps()
    values = {
        "unit": "month" if by_month else "day",
        "step": "1 month" if by_month else "1 day",
        "month_grain": month_grain.value,
        "day_grain": day_grain,
        "months_apart": cuts.months_apart(),
        "days": cuts.midnights,
        "first": cuts.midnights[0],
        "last": cuts.midnights[-1],
        "owners": list(owners or ()),
        "places": [one[0] for one in gaps],
        "starts": [one[1] for one in gaps],
        "stops": [one[2] for one in gaps],
    }
    with connection.cursor() as cursor:
        cursor.execute(statement(by_country=by_country, of_people=of_people), values)
        rows = cursor.fetchall()
    return put_together(rows, len(moments) - 1, {one[0]: one[3] for one in gaps})


def put_together(rows: list[tuple], count: int, signs: dict[int, int]) -> list[Sums]:
    """Add the rows of the query to their stretches, gaps to both sides of their cut."""
    found: list[Sums] = [{} for _one in range(count)]
    for place, currency, country, *figures in rows:
        one = Totals(currency, int(figures[0]), int(figures[1]), *figures[2:])
        key = (currency, country)
        if place > 0:
            shares = [(place - 1, 1)]
        else:
            cut = -1 - place
            shares = [(cut, signs[cut]), (cut - 1, -signs[cut])]
        for stretch, times in shares:
            if 0 <= stretch < count:
                known = found[stretch].get(key, Totals(currency))
                found[stretch][key] = known.plus(one, times)
    return [
        {key: one for key, one in sums.items() if not one.is_empty} for sums in found
    ]


def first_and_last_day() -> tuple[date, date] | None:
    """Return the days of UTC between which all orders lie; None without any."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(day), max(day) FROM ("
            "SELECT day FROM sales_ordersum WHERE grain = 'day'"
            " UNION ALL SELECT day FROM sales_changedday) x"
        )
        first, last = cursor.fetchone()
    return None if first is None else (first, last)
