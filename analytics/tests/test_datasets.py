"""What the extractions read, and that nothing later leaks into them."""

from datetime import date, timedelta

import pandas as pd
import pytest
from django.utils import timezone
from pandas.testing import assert_frame_equal

from analytics import datasets
from analytics.ml import clv
from analytics.tests.history import NOW, TODAY, add_customers, add_orders, order
from customers.models import Customer
from sales.choices import LeadState
from sales.models import Lead, Order
from service.choices import CategoryOrigin
from service.models import Ticket, TicketCategory

pytestmark = pytest.mark.django_db
THEN = NOW - timedelta(days=100)


def lead(days_ago, **fields):
    return Lead(
        name="Lead", first_contact_on=TODAY - timedelta(days=days_ago), **fields
    )


def test_orders_after_the_date_change_no_feature(history):
    currency = datasets.main_currency(THEN).main
    before = datasets.segment_features(THEN, currency)
    summary = datasets.purchase_summary(THEN, THEN.date(), currency, 7)
    Order.objects.bulk_create(
        order(one, days, 500, number=f"later{days}")
        for one in history
        for days in (99, 50, 1)
    )
    assert_frame_equal(datasets.segment_features(THEN, currency), before)
    again = datasets.purchase_summary(THEN, THEN.date(), currency, 7)
    assert_frame_equal(again, summary)


def test_what_comes_after_the_calibration_changes_only_the_hold_out(history):
    until = TODAY - timedelta(days=300)
    before = datasets.purchase_calibration(NOW, until, TODAY, "EUR", 7)
    Order.objects.bulk_create(
        [order(one, 10, -20, number="back", kind="return") for one in history]
        + [order(one, 20, 700, number="new") for one in history]
    )
    after = datasets.purchase_calibration(NOW, until, TODAY, "EUR", 7)
    shown = ["frequency", "recency", "T", "monetary"]
    assert_frame_equal(after[shown], before[shown])
    assert (after["holdout_frequency"] > before["holdout_frequency"]).any()


def test_the_summary_is_that_of_the_library(history):
    """The same figures come out of SQL as out of the library's own summary."""
    rows = Order.objects.values_list("customer_id", "placed_at", "total")
    frame = pd.DataFrame(rows, columns=["customer", "date", "amount"])
    frame["date"] = frame["date"].dt.tz_convert(None).dt.normalize()
    frame["amount"] = frame["amount"].astype(float)
    until = TODAY - timedelta(days=200)
    expected = clv.summarise(
        frame, unit="week", calibration_end=until, observation_end=TODAY
    )
    found = datasets.purchase_calibration(NOW, until, TODAY, "EUR", 7)
    shown = ["frequency", "recency", "T", "monetary", "holdout_frequency"]
    assert_frame_equal(
        found[shown], expected[shown], check_names=False, check_dtype=False
    )
    assert found["holdout_value"].sum() == pytest.approx(
        expected["holdout_value"].sum()
    )


def test_a_return_counts_against_the_purchase_before_it():
    customer = add_customers(1)[0]
    Order.objects.bulk_create(
        [
            order(customer, 100, 10),
            order(customer, 80, 60),
            order(customer, 75, -20, kind="return"),
            order(customer, 50, 100),
        ]
    )
    row = datasets.purchase_summary(NOW, TODAY, "EUR", 7).loc[customer.pk]
    assert row["frequency"] == 2
    assert row["monetary"] == pytest.approx((40 + 100) / 2)
    assert row["recency"] == pytest.approx(50 / 7)


def test_other_currencies_are_left_out_and_counted(history):
    Order.objects.bulk_create(
        [order(history[0], 5, 10_000, number="far", currency="CNY")]
    )
    found = datasets.main_currency(NOW)
    assert (found.main, found.left_out) == ("EUR", 1)
    row = datasets.segment_features(NOW, "EUR").loc[history[0].pk]
    assert row["monetary"] < 10_000


def test_age_is_of_the_date():
    Customer.objects.create(name="Born", birth_date=date(2000, 6, 30))
    assert datasets.people(NOW)["age"].tolist() == [26]
    assert datasets.people(NOW - timedelta(days=1))["age"].tolist() == [25]


def test_who_came_later_was_no_customer_then():
    early = add_customers(1, customer_since=NOW.date() - timedelta(days=9))[0]
    late = add_customers(1, customer_since=NOW.date() + timedelta(days=1))[0]
    unknown = add_customers(1, customer_since=None)[0]
    there = {early.pk, unknown.pk}
    assert set(datasets.people(NOW).index) == there
    assert set(datasets.segment_features(NOW, "EUR").index) == there
    later = NOW + timedelta(days=1)
    assert late.pk in datasets.people(later).index


def test_lead_outcomes():
    rows = Lead.objects.bulk_create(
        [
            lead(400, state=LeadState.CONVERTED, closed_at=NOW - timedelta(days=390)),
            lead(390, state=LeadState.LOST, closed_at=NOW - timedelta(days=300)),
            lead(380, state=LeadState.NEW),
            lead(10, state=LeadState.NEW),
            lead(9, state=LeadState.LOST, closed_at=NOW - timedelta(days=2)),
        ]
    )
    frame = datasets.leads(NOW, 90)
    outcome = {pk: frame.loc[pk, "outcome"] for pk in frame.index}
    assert [outcome[one.pk] for one in rows[:3]] == [1, 0, 0]
    assert pd.isna(outcome[rows[3].pk])
    assert pd.isna(outcome[rows[4].pk])
    # Then the third was younger than 90 days, and the first had just been won.
    earlier = datasets.leads(NOW - timedelta(days=310), 75)
    assert earlier["outcome"].dropna().to_dict() == {rows[0].pk: 1, rows[1].pk: 0}
    assert len(earlier) == 3
    # Before its conversion nobody could know of it.
    before = datasets.leads(NOW - timedelta(days=391), 5)
    assert before["outcome"].dropna().to_dict() == {rows[0].pk: 0}


def test_columns_filled_in_after_the_outcome_change_no_feature():
    customer = add_customers(1)[0]
    leads = Lead.objects.bulk_create(
        [
            lead(
                100 + place,
                state=LeadState.CONVERTED if place % 3 == 0 else LeadState.LOST,
                source="organic" if place % 2 else "paid",
                landing_page=f"page {place % 5}",
                closed_at=NOW - timedelta(days=50 + place),
            )
            for place in range(60)
        ]
    )
    before = datasets.leads(NOW, 90)
    for place, one in enumerate(leads):
        won = one.state == LeadState.CONVERTED
        one.customer = customer if won else None
        one.lost_reason = "" if won else f"reason {place}"
        one.notes = f"note {place}"
        one.company = "Known afterwards" if won else ""
        one.email = "won@example.com" if won else ""
        one.phone = "+4912345" if won else ""
        one.closed_at = one.closed_at + timedelta(days=1)
        one.save()
    assert_frame_equal(datasets.leads(NOW, 90), before)
    known = {"customer", "closed_at", "lost_reason", "notes", "state", "outcome"}
    assert not known & set(datasets.LEAD_FEATURES)


def test_only_vouched_categories_are_learned_from():
    category = TicketCategory.objects.create(code="billing", name="Billing")
    fields = {"subject": "s", "description": "d", "opened_at": NOW - timedelta(days=1)}
    Ticket.objects.create(number="1", **fields)
    Ticket.objects.create(
        number="2", category=category, category_origin=CategoryOrigin.PERSON, **fields
    )
    Ticket.objects.create(
        number="3",
        category=category,
        category_origin=CategoryOrigin.CORRECTED,
        subject="same",
        description="same",
        opened_at=timezone.now() + timedelta(days=5),
    )
    labelled = datasets.labelled_tickets(NOW)
    assert labelled["label"].tolist() == ["billing"]
    assert labelled["text"].tolist() == ["s\nd"]
    assert len(datasets.unlabelled_tickets(NOW)) == 1
    later = datasets.labelled_tickets(timezone.now() + timedelta(days=9))
    assert later["text"].tolist() == ["s\nd", "same"]


def test_texts_come_through_whole():
    text = 'quotes " and \'\r\nlines\tand，中文 \\N "" ,'
    Ticket.objects.create(number="1", subject="x", description=text, opened_at=NOW)
    add_customers(1, region='A "quoted", region')
    found = datasets.unlabelled_tickets(NOW + timedelta(days=1))
    assert found["text"].tolist() == [f"x\n{text.strip()}"]
    assert datasets.people(NOW)["region"].tolist() == ['A "quoted", region']


def test_two_years_of_orders_are_in_the_window():
    customers = add_customers(9)
    add_orders(customers)
    start, end = datasets.order_window(NOW, "EUR")
    assert start >= TODAY - timedelta(days=731)
    assert end <= TODAY
