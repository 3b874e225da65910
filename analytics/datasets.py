"""Extract what the analyses learn from: aggregated in Postgres, as of a date.

Every query takes ``as_of`` and looks at nothing later; a test adds later rows and
expects the same frame. Attributes that have no history here (income, birth date,
region) are read as they stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from django.conf import settings
from django.db import connection

from analytics.frames import fetch_frame, read_frame
from sales.choices import BOOKED_STATES

# Drafts and cancelled orders are no revenue.
BOOKED = [str(state) for state in BOOKED_STATES]


def _params(as_of: datetime, **more: Any) -> dict[str, Any]:
    return {"as_of": as_of, "zone": settings.TIME_ZONE, "booked": BOOKED, **more}


def zone() -> ZoneInfo:
    """Return the time zone in which days begin and end."""
    return ZoneInfo(settings.TIME_ZONE)


def _one_row(sql: str, params: dict[str, Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()


# --- What there is -----------------------------------------------------------


def newest_order() -> datetime | None:
    """Return when the last order was placed."""
    return _one_row("SELECT max(placed_at) FROM sales_order", {})[0]


def newest_lead_event() -> datetime | None:
    """Return when the last lead came in or was closed."""
    sql = """
        SELECT greatest(
            max(first_contact_on::timestamp AT TIME ZONE %(zone)s), max(closed_at)
        ) FROM sales_lead
    """
    return _one_row(sql, {"zone": settings.TIME_ZONE})[0]


@dataclass(frozen=True)
class Currencies:
    """The currency that the money of an analysis is in, and what was left out."""

    main: str
    left_out: int


def main_currency(as_of: datetime) -> Currencies:
    """Return the currency of most booked orders; amounts of others do not add up."""
    sql = """
        SELECT currency, count(*) FROM sales_order
        WHERE placed_at <= %(as_of)s AND state = ANY(%(booked)s)
            AND customer_id IS NOT NULL
        GROUP BY currency ORDER BY count(*) DESC, currency
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, _params(as_of))
        rows = cursor.fetchall()
    if not rows:
        return Currencies(settings.DEFAULT_CURRENCY, 0)
    return Currencies(rows[0][0], sum(count for _code, count in rows[1:]))


def order_window(as_of: datetime, currency: str) -> tuple[date, date] | None:
    """Return the days of the first and the last sale."""
    sql = """
        SELECT min(placed_at AT TIME ZONE %(zone)s)::date,
            max(placed_at AT TIME ZONE %(zone)s)::date
        FROM sales_order
        WHERE placed_at <= %(as_of)s AND state = ANY(%(booked)s)
            AND customer_id IS NOT NULL AND kind = 'sale' AND currency = %(currency)s
    """
    found = _one_row(sql, _params(as_of, currency=currency))
    return None if found[0] is None else found


# --- Customers ---------------------------------------------------------------

# Who is known to have come later was no customer on that date.
THERE = """
    (customer_since IS NULL
     OR customer_since <= (%(as_of)s AT TIME ZONE %(zone)s)::date)
"""
PEOPLE = f"""
    SELECT id AS customer, btrim(region) AS region, gender,
        annual_income::float8 AS income,
        extract(year FROM age((%(as_of)s AT TIME ZONE %(zone)s)::date, birth_date))
            ::float8 AS age
    FROM customers_customer
    WHERE {THERE}
"""  # noqa: S608  (a condition of this module)


def people(as_of: datetime) -> pd.DataFrame:
    """Return region, gender, income and age of everyone who was a customer then."""
    types = {
        "customer": "int64",
        "region": "str",
        "gender": "str",
        "income": "float64",
        "age": "float64",
    }
    return read_frame(PEOPLE, _params(as_of), types, index="customer")


SEGMENT_FEATURES = f"""
    WITH bought AS (
        SELECT customer_id,
            count(*) FILTER (WHERE kind = 'sale') AS frequency,
            sum(total)::float8 AS monetary,
            min(placed_at) FILTER (WHERE kind = 'sale') AS first_sale,
            max(placed_at) FILTER (WHERE kind = 'sale') AS last_sale
        FROM sales_order
        WHERE placed_at <= %(as_of)s AND state = ANY(%(booked)s)
            AND customer_id IS NOT NULL AND currency = %(currency)s
        GROUP BY customer_id
    )
    SELECT c.id AS customer,
        coalesce(b.frequency, 0) AS frequency,
        coalesce(b.monetary, 0) AS monetary,
        extract(epoch FROM %(as_of)s - b.last_sale) / 86400 AS recency_days,
        extract(epoch FROM %(as_of)s - b.first_sale) / 86400 AS tenure_days,
        btrim(c.region) AS region,
        c.annual_income::float8 AS income,
        extract(year FROM age((%(as_of)s AT TIME ZONE %(zone)s)::date, c.birth_date))
            ::float8 AS age
    FROM customers_customer c LEFT JOIN bought b ON b.customer_id = c.id
    WHERE {THERE}
    ORDER BY c.id
"""  # noqa: S608  (a condition of this module)


def segment_features(as_of: datetime, currency: str) -> pd.DataFrame:
    """Return one row per customer: recency, frequency, net value, and the person.

    Returns count against the value; an order that came back whole leaves nothing.
    """
    types = {
        "customer": "int64",
        "frequency": "int64",
        "monetary": "float64",
        "recency_days": "float64",
        "tenure_days": "float64",
        "region": "str",
        "income": "float64",
        "age": "float64",
    }
    params = _params(as_of, currency=currency)
    return read_frame(SEGMENT_FEATURES, params, types, index="customer")


# A return counts against the purchase before it: days with returns only join the last
# day with a sale. What comes back after `until` is not known on that day.
PURCHASES = """
    SELECT customer_id, min(day) AS day, sum(amount) AS amount FROM (
        SELECT customer_id, day, amount,
            count(*) FILTER (WHERE sales > 0)
                OVER (PARTITION BY customer_id ORDER BY day) AS purchase
        FROM (
            SELECT customer_id, (placed_at AT TIME ZONE %(zone)s)::date AS day,
                sum(total)::float8 AS amount,
                count(*) FILTER (WHERE kind = 'sale') AS sales
            FROM sales_order
            WHERE placed_at <= %(as_of)s
                AND (placed_at AT TIME ZONE %(zone)s)::date <= %(until)s
                AND state = ANY(%(booked)s) AND customer_id IS NOT NULL
                AND currency = %(currency)s
            GROUP BY customer_id, day
        ) days
    ) numbered WHERE purchase > 0 GROUP BY customer_id, purchase
"""
SUMMARY = f"""
    WITH purchases AS ({PURCHASES}), firsts AS (
        SELECT DISTINCT ON (customer_id) customer_id, day, amount
        FROM purchases ORDER BY customer_id, day
    )
    SELECT p.customer_id AS customer, f.day AS first,
        count(*) - 1 AS frequency,
        (max(p.day) - f.day) / %(unit_days)s AS recency,
        (%(until)s - f.day) / %(unit_days)s AS "T",
        coalesce((sum(p.amount) - f.amount) / nullif(count(*) - 1, 0), 0) AS monetary
    FROM purchases p JOIN firsts f ON f.customer_id = p.customer_id
    GROUP BY p.customer_id, f.day, f.amount ORDER BY p.customer_id
"""  # noqa: S608  (two constants of this module)
SUMMARY_TYPES = {
    "customer": "int64",
    "first": "str",
    "frequency": "int64",
    "recency": "float64",
    "T": "float64",
    "monetary": "float64",
}
AFTERWARDS = """
    SELECT customer_id AS customer,
        count(DISTINCT (placed_at AT TIME ZONE %(zone)s)::date)
            FILTER (WHERE kind = 'sale') AS holdout_frequency,
        sum(total)::float8 AS holdout_value
    FROM sales_order
    WHERE placed_at <= %(as_of)s
        AND (placed_at AT TIME ZONE %(zone)s)::date > %(until)s
        AND (placed_at AT TIME ZONE %(zone)s)::date <= %(end)s
        AND state = ANY(%(booked)s) AND customer_id IS NOT NULL
        AND currency = %(currency)s
    GROUP BY customer_id
"""


def purchase_summary(
    as_of: datetime, until: date, currency: str, unit_days: float
) -> pd.DataFrame:
    """Return frequency, recency, T and mean repeat value per customer up to a day."""
    params = _params(as_of, until=until, currency=currency, unit_days=float(unit_days))
    return read_frame(SUMMARY, params, SUMMARY_TYPES, index="customer")


def purchase_calibration(
    as_of: datetime, until: date, end: date, currency: str, unit_days: float
) -> pd.DataFrame:
    """Return the summary up to ``until`` and what was bought between it and ``end``."""
    table = purchase_summary(as_of, until, currency, unit_days)
    types = {"customer": "int64", "holdout_frequency": "int64"}
    params = _params(as_of, until=until, end=end, currency=currency)
    later = read_frame(
        AFTERWARDS, params, types | {"holdout_value": "float64"}, index="customer"
    )
    later = later.reindex(table.index, fill_value=0)
    table["holdout_frequency"] = later["holdout_frequency"].astype("int64")
    table["holdout_value"] = later["holdout_value"].astype("float64")
    table["holdout_T"] = max((end - until).days, 0) / unit_days
    return table


def acquisition_costs(currency: str) -> pd.Series:
    """Return what winning each customer cost, where somebody wrote it down."""
    sql = """
        SELECT id AS customer, acquisition_cost::float8 AS cost
        FROM customers_customer
        WHERE acquisition_cost IS NOT NULL AND currency = %(currency)s
    """
    types = {"customer": "int64", "cost": "float64"}
    return read_frame(sql, {"currency": currency}, types, index="customer")["cost"]


# --- Leads -------------------------------------------------------------------

# Only what is known the moment a lead comes in. Not: customer, closed_at, lost_reason,
# notes, company, email, phone, state; they may be written down after the outcome.
LEADS = """
    SELECT id AS lead, source, btrim(landing_page) AS landing_page,
        first_contact_on AS first_contact,
        CASE
            -- Too young to have had its chance, whatever became of it: to learn from
            -- the quick conversions alone would flatter the rate.
            WHEN first_contact_on
                > (%(as_of)s AT TIME ZONE %(zone)s)::date - %(maturity)s THEN NULL
            WHEN state = 'converted'
                AND (closed_at IS NULL OR closed_at <= %(as_of)s) THEN 1
            ELSE 0
        END AS outcome,
        (state IN ('new', 'working'))::int AS is_open
    FROM sales_lead
    WHERE first_contact_on <= (%(as_of)s AT TIME ZONE %(zone)s)::date
        {condition}
    ORDER BY first_contact_on, id
"""
LEAD_TYPES = {
    "lead": "int64",
    "source": "str",
    "landing_page": "str",
    "first_contact": "str",
    "outcome": "float64",
    "is_open": "int64",
}
LEAD_FEATURES = ["source", "landing_page", "month"]


def leads(
    as_of: datetime, maturity_days: int, ids: list[int] | None = None
) -> pd.DataFrame:
    """Return one row per lead: what was known at its start, and its outcome so far.

    The outcome is 1 for converted by the date, 0 for lost or still open then, and
    missing for leads younger than ``maturity_days``.
    """
    condition = "" if ids is None else "AND id = ANY(%(ids)s)"
    frame = read_frame(
        LEADS.format(condition=condition),
        _params(as_of, maturity=maturity_days, ids=ids),
        LEAD_TYPES,
        index="lead",
    )
    days = pd.to_datetime(frame["first_contact"])
    frame["first_contact"] = days
    frame["month"] = days.dt.month.astype("str")
    return frame


# --- Tickets -----------------------------------------------------------------

TICKETS = """
    SELECT t.id AS ticket, t.subject, t.description, c.code AS label,
        t.category_origin AS origin, t.opened_at, t.dataset, t.split
    FROM service_ticket t LEFT JOIN service_ticketcategory c ON c.id = t.category_id
    WHERE t.opened_at <= %(as_of)s {condition}
    ORDER BY t.opened_at, t.id
"""
LABELLED = "AND t.category_id IS NOT NULL AND t.category_origin <> ''"
UNLABELLED = "AND t.category_id IS NULL"


def _tickets(condition: str, params: dict[str, Any]) -> pd.DataFrame:
    frame = fetch_frame(TICKETS.format(condition=condition), params)
    # In place: of a single ticket a copy of the frame costs as much as to read it.
    texts = map(_whole_text, frame.pop("subject"), frame.pop("description"))
    frame["text"] = pd.Series(list(texts), index=frame.index, dtype="object")
    return frame.set_index("ticket")


def _whole_text(subject: str, description: str) -> str:
    parts = subject.strip(), description.strip()
    # A list of short questions has the whole text as its subject, or as both.
    return parts[0] if parts[0] == parts[1] else "\n".join(parts).strip()


def labelled_tickets(as_of: datetime) -> pd.DataFrame:
    """Return text, category, time and public split of tickets that can teach."""
    return _tickets(LABELLED, _params(as_of))


def unlabelled_tickets(as_of: datetime) -> pd.DataFrame:
    """Return text of the tickets that nobody has put into a category."""
    return _tickets(UNLABELLED, _params(as_of))


def tickets_by_id(as_of: datetime, ids: list[int]) -> pd.DataFrame:
    """Return text of some tickets, whether they have a category or not."""
    return _tickets("AND t.id = ANY(%(ids)s)", _params(as_of, ids=ids))
