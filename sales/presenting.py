"""Turn the figures of sales into charts, links and tables of pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.charts import Chart, Money
from crm.days import FIRST_YEAR, LAST_YEAR, require_near
from crm.models import User
from sales.rules import Period, month_start, months_until
from sales.selectors import (
    Totals,
    booked,
    by_country,
    by_month,
    newest_day,
    totals,
    within,
)

MONTHS = 24
ZERO = Decimal(0)


def order_list(currency: str = "", period: Period | None = None, **more: str) -> str:
    """Return the address of the list of exactly the orders that a figure sums up."""
    query = {"booked": "true"}
    if currency:
        query["currency"] = currency
    if period is not None:
        query["placed_at_after"] = period.start.isoformat()
        query["placed_at_before"] = period.end.isoformat()
    return f"{reverse('sales:order_list')}?{urlencode(query | more)}"


def month_period(month: date) -> Period:
    """Return the days of a month."""
    following = month_start(date(month.year, month.month, 28), -1)
    return Period(month, date.fromordinal(following.toordinal() - 1))


def months_chart(
    currency: str, months: dict[date, Totals], shown: list[date], title: str
) -> Chart:
    """Return the chart of sales and returns by month."""
    found = [months.get(month) for month in shown]
    return Chart(
        "stacked",
        title,
        categories=shown,
        period="month",
        x_label=_("Month"),
        y_label=currency,
        y_format=Money(currency),
        series=[
            {"name": _("Sales"), "data": [one.sold if one else ZERO for one in found]},
            {
                "name": _("Returns"),
                "data": [one.returned if one else ZERO for one in found],
            },
        ],
        links=[order_list(currency, month_period(month)) for month in shown],
    )


# --- Report ---------------------------------------------------------------------------


class ReportForm(forms.Form):
    """The days that the report tells about; all of them if left empty."""

    start = forms.DateField(
        label=gettext_lazy("From"), required=False, validators=[require_near]
    )
    end = forms.DateField(
        label=gettext_lazy("To"), required=False, validators=[require_near]
    )

    def clean(self) -> dict:
        """Refuse a period that ends before it starts."""
        cleaned = super().clean()
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and end < start:
            self.add_error("end", _("The end lies before the start."))
        return cleaned

    def period(self) -> Period | None:
        """Return the period; None for all time and for what cannot be read."""
        if not self.is_bound or not self.is_valid():
            return None
        start, end = self.cleaned_data["start"], self.cleaned_data["end"]
        if not start and not end:
            return None
        return Period(start or date(FIRST_YEAR, 1, 1), end or date(LAST_YEAR, 12, 31))


@dataclass(frozen=True)
class Line:
    """One line of a table of the report."""

    label: date | str
    totals: Totals
    url: str


@dataclass
class Year:
    """A year with its months."""

    year: int
    totals: Totals
    url: str
    months: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Part:
    """The report of one currency."""

    totals: Totals
    url: str
    sales_url: str
    returns_url: str
    chart: Chart
    years: list[Year]
    countries: list[Line]


def report(user: User, form: ReportForm) -> list[Part]:
    """Return the report, one part per currency, the biggest first."""
    period = form.period()
    orders = booked(user)
    if period is not None:
        orders = within(orders, period)
    months, countries = by_month(orders), by_country(orders)
    return [
        make_part(one, months[one.currency], countries[one.currency], period)
        for one in totals(orders)
    ]


def make_part(
    all_time: Totals,
    months: dict[date, Totals],
    countries: list[tuple[str, Totals]],
    period: Period | None,
) -> Part:
    """Return the report of one currency."""
    currency = all_time.currency
    # An order that is dated ahead, by a slip, must not push the others out of sight.
    past = [month for month in months if month <= timezone.localdate()]
    shown = months_until(max(past or months), MONTHS)
    shown = [month for month in shown if month >= min(months)]
    return Part(
        totals=all_time,
        url=order_list(currency, period),
        sales_url=order_list(currency, period, kind="sale"),
        returns_url=order_list(currency, period, kind="return"),
        chart=months_chart(currency, months, shown, _("Sales by month")),
        years=years_of(currency, months, period),
        countries=[
            Line(name, one, order_list(currency, period, **country_query(name)))
            for name, one in countries
        ],
    )


def country_query(name: str) -> dict[str, str]:
    """Return what finds a country in the list of orders."""
    return {"country": name} if name else {"without_country": "true"}


def years_of(
    currency: str, months: dict[date, Totals], period: Period | None
) -> list[Year]:
    """Return the years, newest first, each with its months."""
    found: dict[int, Year] = {}
    for month in sorted(months, reverse=True):
        span = clip(month_period(month), period)
        year = found.get(month.year)
        if year is None:
            whole = clip(
                Period(date(month.year, 1, 1), date(month.year, 12, 31)), period
            )
            url = order_list(currency, whole)
            year = Year(month.year, Totals(currency, 0, 0, ZERO, ZERO), url)
            found[month.year] = year
        year.months.append(Line(month, months[month], order_list(currency, span)))
        year.totals = add(year.totals, months[month])
    return list(found.values())


def clip(span: Period, period: Period | None) -> Period:
    """Return the days of a span that lie in the period."""
    if period is None:
        return span
    return Period(max(span.start, period.start), min(span.end, period.end))


def add(one: Totals, other: Totals) -> Totals:
    """Return the sum of two totals in the same currency."""
    return Totals(
        one.currency,
        one.sales + other.sales,
        one.returns + other.returns,
        one.sold + other.sold,
        one.returned + other.returned,
    )


# --- Start page -----------------------------------------------------------------------


@dataclass(frozen=True)
class Window:
    """The last months up to the newest order, by currency."""

    start: date
    end: date
    charts: list[Chart]


def sales_window(user: User) -> Window | None:
    """Return the sales of the last months; None without any order."""
    orders = booked(user)
    end = newest_day(orders)
    if end is None:
        return None
    shown = months_until(end, MONTHS)
    period = Period(shown[0], end)
    months = by_month(within(orders, period))
    sizes = {
        currency: sum((one.net for one in rows.values()), ZERO)
        for currency, rows in months.items()
    }
    biggest = sorted(sizes, key=lambda currency: -sizes[currency])[:2]
    several = len(biggest) > 1
    charts = [
        months_chart(
            currency,
            months[currency],
            shown,
            _("Sales in %(currency)s") % {"currency": currency} if several else "",
        )
        for currency in biggest
    ]
    return Window(period.start, period.end, charts)
