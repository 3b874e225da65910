"""The file of a list: written by the database it is the same as written in Python."""

import csv
import datetime
import io
from decimal import Decimal

import openpyxl
import pytest
from django.db import models, transaction
from django.test import RequestFactory
from django.utils import timezone, translation

from analytics.models import AnalysisKey, Cluster, CustomerSegment, Run, Score
from crm.generic import export, export_sql, workbook
from crm.generic.export import ordered
from crm.generic.listing import Listing
from crm.generic.registry import registry
from crm.models import User
from crm.seeding import Demo, seed_all
from customers.models import Customer
from sales.models import Order
from service.models import Ticket, TicketCategory

TRICKY = (
    '=1+1|+1|-1|@x|\t=x|\r\nx|\nx|a,b|a;b|"q"|a"b|a\nb|a\r\nb|a\rb|\\.|\\N|NULL|null'
    "| lead|trail |'|%s|%%|{0}|\u00a0|\u202e x|e\u0301|張敏😀|<b>&amp;</b>|\\|{}|0|-0"
    "|１２|ſ|\u2028|\ufeff|$1|\x01|x\x7f"
).split("|")


@pytest.fixture(scope="module")
def rows(django_db_setup, django_db_blocker):
    """Return rows of every model, then with texts that files have trouble with."""
    with django_db_blocker.unblock(), transaction.atomic():
        seed_all(Demo(today=timezone.localdate(), scale=0.02))
        spoil()
        yield
        transaction.set_rollback(True)


def spoil():
    """Put tricky values into the first rows of every list."""
    for model in registry.pages:
        texts = [
            field
            for field in model._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField)
            and not field.choices
            and not field.unique
            and field.name not in ("external_id", "currency", "password", "path")
        ]
        for place, row in enumerate(model._base_manager.order_by("pk")[:60]):
            text = TRICKY[place % len(TRICKY)]
            values = {one.name: text[: one.max_length or 99] for one in texts}
            if texts:
                model._base_manager.filter(pk=row.pk).update(**values)
    run = {
        key: Run.objects.create(key=key, as_of=timezone.now(), is_current=True)
        for key in set(AnalysisKey) - {AnalysisKey.STATISTICS}
    }
    names = ({"value": "high", "number": 2}, {"value": "low"}, {})
    for number, name in enumerate(names, 1):
        Cluster.objects.create(
            run=run[AnalysisKey.SEGMENTATION],
            number=number,
            size=1,
            revenue=1,
            name_key=name,
        )
    for place, row in enumerate(Customer.objects.order_by("pk")[:9]):
        CustomerSegment.objects.create(
            run=run[AnalysisKey.SEGMENTATION],
            customer_id=row.pk,
            purchasing_power="ABC"[place % 3],
            rfm_label=("champions", "no_such_word", "")[place % 3],
            cluster=(1, 2, 3, 9, None)[place % 5],
        )
        value = (0, 5, -0.5, 1e-7, 123456.789, 1e14, 1 / 3, -7, None)[place]
        details = (
            {"p_alive": (0, 1, 0.5, 1e-7, None, 1 / 3)[place]} if place < 6 else {}
        )
        Score.objects.create(
            run=run[AnalysisKey.LTV], object_id=row.pk, value=value, details=details
        )
    codes = [one.code for one in TicketCategory.objects.order_by("pk")[:9]]
    for place, row in enumerate(Ticket.objects.order_by("pk")[:20]):
        Score.objects.create(
            run=run[AnalysisKey.TICKET_CLASS],
            object_id=row.pk,
            label=[*codes, "no_such_code", ""][place % (len(codes) + 2)],
            abstained=place % 4 == 3,
        )
    moments = ("2024-03-31T00:30:00+00:00", "1999-12-31T23:59:59.9+00:00")
    for row, text in zip(Order.objects.order_by("pk")[:2], moments, strict=True):
        Order.objects.filter(pk=row.pk).update(
            placed_at=datetime.datetime.fromisoformat(text), total=Decimal("-0.0000001")
        )
    Order.objects.filter(pk=Order.objects.order_by("pk")[2].pk).update(total=0)


def listing_of(pages, query=""):
    request = RequestFactory().get(f"/?{query}")
    request.user = User.objects.filter(is_superuser=True).first()
    return Listing(pages, request, "export")


def both(pages, columns, query=""):
    """Return the file as the database writes it (None: it cannot), and as Python.

    Python looks up row by row what the file joins.
    """
    listing = listing_of(pages, query)
    listing.columns = columns
    copy = export_sql.statement(listing, ordered(listing))
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    looked_up = listing.rows().order_by(*ordered(listing).query.order_by)
    for row in looked_up.iterator(chunk_size=500):
        writer.writerow([export.safe(column.export(row)) for column in columns])
    if copy is None:
        return None, written.getvalue()
    data = b"".join(export_sql.lines(copy, len(columns)))
    return data.decode(), written.getvalue()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns"])
def test_both_ways_write_the_same(rows, language, zone):
    """Every column of every list, alone and all together."""
    in_python_only = set()
    with translation.override(language), timezone.override(zone):
        for pages in registry.pages.values():
            if not pages.exportable:
                continue
            fit = []
            for column in pages.make_table().all_columns:
                by_database, by_python = both(pages, [column])
                if by_database is None:
                    in_python_only.add(f"{pages.path}.{column.key}")
                    continue
                fit.append(column)
                assert by_database == by_python, f"{pages.path}.{column.key}"
            if fit:
                by_database, by_python = both(pages, fit)
                assert by_database == by_python, pages.path
    # Each of these makes the files of its list slow; there is to be no other.
    assert in_python_only <= {
        "people.name",
        "ticket-categories.name",
    }, in_python_only


def test_filters_search_and_order_are_those_of_the_list(rows):
    pages = registry.pages_of(Customer)
    city = Customer.objects.exclude(city="").values_list("city", flat=True).last()
    for query in (
        f"city={city}",
        "sort=-lifetime_value",
        "columns=name,still_buying&sort=-still_buying",
        "still_buying_min=30",
        "q=a",
        "kind=company",
    ):
        columns = listing_of(pages, query).columns
        by_database, by_python = both(pages, columns, query)
        assert by_database == by_python
        assert by_database


def test_what_analyses_say_is_joined_once(rows):
    """A million rows would be a million look-ups of each column."""
    listing = listing_of(registry.pages_of(Customer), "sort=-lifetime_value")
    listing.columns = [
        one for one in listing.table.all_columns if one.requires in (None, Run)
    ]
    sql, _params = export_sql.statement(listing, ordered(listing))
    assert "LIMIT 1" not in sql
    assert sql.count('JOIN "analytics_customersegment"') == 1
    assert sql.count('JOIN "analytics_score"') == 1


def test_what_every_text_field_says_is_the_name_of_the_row(rows):
    for model in registry.pages:
        name = getattr(model, "text_field", "")
        for row in model._base_manager.all()[:5]:
            assert not name or str(row) == getattr(row, name), model


def test_the_reader_s_language_and_clock_hold_while_it_is_sent(world):
    """The middleware has put both back by then."""
    world.dev.language, world.dev.time_zone = "zh-hans", "Asia/Shanghai"
    world.dev.save()
    customer = Customer.objects.create(name="A", owner=world.dev, source="referral")
    Customer.objects.update(created_at="2024-06-01T20:00:00Z")
    for columns in ("name,source,created_at", "name,source,created_at,cluster"):
        answer = world.client("dev").get("/customers/export/", {"columns": columns})
        translation.activate("en")
        text = answer.getvalue().decode()
        assert "转介绍" in text or "推荐" in text, text
        assert "2024-06-02 04:00:00+08:00" in text
    assert customer.pk


def test_a_reader_who_goes_away_ends_the_query(db):
    """The connection is free for the next request at once."""
    sql = "COPY (SELECT generate_series(1, 9000000), 'a') TO STDOUT (FORMAT csv)"
    with transaction.atomic():
        parts = export_sql.lines((sql, []), 2)
        first = next(parts)
        parts.close()
        # A query that was ended undoes its transaction; a page has none around it.
        transaction.set_rollback(True)
    assert first.startswith(b"1,a\r\n2,a\r\n")
    assert User.objects.count() == 0


def test_a_workbook_holds_numbers_dates_and_no_formula(world):
    Customer.objects.create(
        name="=1+1\x0b", owner=world.dev, annual_income="12.50", birth_date="1990-05-01"
    )
    answer = world.client("dev").get(
        "/customers/export/?format=xlsx&columns=name,annual_income,birth_date"
    )
    assert "spreadsheetml" in answer["Content-Type"]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.getvalue())).active
    head, row = list(sheet.iter_rows(values_only=True))
    assert head[0] == "Name"
    assert row == ("'=1+1", 12.5, datetime.datetime(1990, 5, 1))  # noqa: DTZ001


def test_more_rows_than_a_workbook_holds_are_refused_in_words(world, monkeypatch):
    monkeypatch.setattr(export, "MAX_ROWS", 1)
    for name in ("A", "B"):
        Customer.objects.create(name=name, owner=world.dev)
    client = world.client("dev")
    answer = client.get("/customers/export/?format=xlsx&kind=person", follow=True)
    assert answer.redirect_chain == [("/customers/?kind=person", 302)]
    assert "A workbook holds 1 rows" in answer.text
    assert workbook.MAX_ROWS == 1_048_575
