"""Turn the figures of sales into charts, links and tables of pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from crm.charts import Chart, Money
from crm.formatting import money, number
from crm.generic.focus import Focus
from crm.periods import Period, month_end, month_start
from sales.models import Order
from sales.selectors import (
    Revenue,
    RevenueOverTime,
    by_country,
    newest_day,
    revenue_over_time,
)
from sales.sums import Totals

# So many bars can be told apart.
MOST_BARS = 36
# So many currencies have a chart on the start page; the report has them all.
MOST_CHARTS = 1
ZERO = Decimal(0)


def order_list(currency: str = "", period: Period | None = None, **more: str) -> str:
    """Return the address of the list of exactly the orders that a figure sums up."""
    query = {"booked": "true"}
    if currency:
        query["currency"] = currency
    if period is not None and not period.is_open_at_start:
        query["placed_at_after"] = period.start.isoformat()
    if period is not None and not period.is_open_at_end:
        query["placed_at_before"] = period.end.isoformat()
    return f"{reverse('sales:order_list')}?{urlencode(query | more)}"


def step_period(over_time: RevenueOverTime, step: date) -> Period:
    """Return the days of one step: a day, or the days of a month in the span."""
    if over_time.unit == "day":
        return Period(step, step)
    return Period(step, min(month_end(step), over_time.span.end))


def revenue_chart(
    focus: Focus, over_time: RevenueOverTime, one: Revenue, title: str = ""
) -> Chart:
    """Return the chart of sales and returns by day or by month."""
    shown = over_time.steps[-MOST_BARS:]
    found = [one.steps.get(step) for step in shown]
    return Chart(
        "stacked",
        title,
        categories=shown,
        period=over_time.unit,
        x_label=_("Day") if over_time.unit == "day" else _("Month"),
        y_label=one.currency,
        y_format=Money(one.currency),
        series=[
            {
                "name": _("Sales"),
                "data": [each.sold if each else ZERO for each in found],
            },
            {
                "name": _("Returns"),
                "data": [each.returned if each else ZERO for each in found],
            },
        ],
        links=[
            order_list(one.currency, step_period(over_time, step), **focus.people_query)
            for step in shown
        ],
    )


# --- Report ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One line of a table of the report."""

    label: date | str
    totals: Totals
    url: str
    sales_url: str
    returns_url: str

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Return the figures as they are written, each with its list."""
        totals = self.totals
        return [
            (self.url, money(totals.net, totals.currency)),
            (self.sales_url, money(totals.sold, totals.currency)),
            (self.returns_url, money(totals.returned, totals.currency)),
            (self.sales_url, number(totals.sales)),
        ]


@dataclass
class Year:
    """A year with its months."""

    line: Line
    months: list[Line] = field(default_factory=list)

    @property
    def year(self) -> int:
        """Return the number of the year."""
        return self.line.label.year


@dataclass(frozen=True)
class Part:
    """The report of one currency."""

    line: Line
    before: Line | None
    change: float | None
    chart: Chart
    years: list[Year]
    countries: list[Line]

    @property
    def totals(self) -> Totals:
        """Return the figures of the whole period."""
        return self.line.totals


def report(focus: Focus) -> list[Part]:
    """Return the report, one part per currency, the biggest first; three queries."""
    over_time = revenue_over_time(focus)
    if over_time is None:
        return []
    countries = by_country(over_time.span, focus.owners(Order))
    return [
        make_part(focus, over_time, one, countries.get(one.currency, []))
        for one in over_time.found
        if not one.now.is_empty
    ]


def make_part(
    focus: Focus,
    over_time: RevenueOverTime,
    one: Revenue,
    countries: list[tuple[str, Totals]],
) -> Part:
    """Return the report of one currency."""
    before = focus.before
    return Part(
        line=make_line(focus, "", one.now, focus.period),
        before=make_line(focus, "", one.before, before) if before else None,
        change=one.change if before else None,
        chart=revenue_chart(focus, over_time, one, _("Sales over time")),
        years=years_of(focus, over_time, one),
        countries=[
            make_line(focus, name, sums, focus.period, **country_query(name))
            for name, sums in countries
        ],
    )


def make_line(
    focus: Focus, label: date | str, totals: Totals, period: Period, **more: str
) -> Line:
    """Return figures with the lists of the orders behind each."""
    url = order_list(totals.currency, period, **focus.people_query, **more)
    return Line(label, totals, url, f"{url}&kind=sale", f"{url}&kind=return")


def country_query(name: str) -> dict[str, str]:
    """Return what finds a country in the list of orders."""
    return {"country": name} if name else {"without_country": "true"}


def years_of(focus: Focus, over_time: RevenueOverTime, one: Revenue) -> list[Year]:
    """Return the years, newest first, each with its months."""
    months = added_up(one.steps.items(), one.currency, month_start)
    years = added_up(months.items(), one.currency, lambda month: date(month.year, 1, 1))
    found: dict[int, Year] = {}
    for first in sorted(years, reverse=True):
        span = over_time.span.clip(Period(first, date(first.year, 12, 31)))
        found[first.year] = Year(make_line(focus, first, years[first], span))
    for month in sorted(months, reverse=True):
        span = over_time.span.clip(Period(month, month_end(month)))
        line = make_line(focus, month, months[month], span)
        found[month.year].months.append(line)
    return list(found.values())


def added_up(
    steps: Iterable[tuple[date, Totals]], currency: str, key: object
) -> dict[date, Totals]:
    """Add totals up by what a function makes of their days."""
    found: dict[date, Totals] = {}
    for step, one in steps:
        place = key(step)
        found[place] = found.get(place, Totals(currency)).plus(one)
    return found


# --- Start page -----------------------------------------------------------------------


@dataclass(frozen=True)
class Elsewhere:
    """Where the newest order is, for a reader whose period has none."""

    day: date
    url: str


def elsewhere(focus: Focus, path: str) -> Elsewhere | None:
    """Return the address of the page about the year up to the newest order."""
    newest = newest_day(focus.owners(Order))
    if newest is None:
        return None
    query = {
        "period": "custom",
        "start": month_start(newest, 11).isoformat(),
        "end": newest.isoformat(),
    }
    people = {"team": focus.team and focus.team.pk}
    people["person"] = focus.person and focus.person.pk
    query |= {key: str(value) for key, value in people.items() if value}
    return Elsewhere(newest, f"{path}?{urlencode(query)}")


def charts_of(focus: Focus, over_time: RevenueOverTime) -> list[Chart]:
    """Return a chart for each of the biggest currencies."""
    found = [one for one in over_time.found if not one.now.is_empty]
    return [
        revenue_chart(
            focus,
            over_time,
            one,
            _("Sales in %(currency)s") % {"currency": one.currency}
            if len(found) > 1
            else "",
        )
        for one in found[:MOST_CHARTS]
    ]
