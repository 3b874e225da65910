"""Rows as their values alone say the same as the rows themselves."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.generic.board import Board
from crm.generic.columns import Column, DateColumn, MoneyColumn, column_for
from crm.generic.plain_rows import plain_rows
from crm.models import User
from customers.tests.recipes import make_customer
from sales.models import Opportunity
from sales.tests.recipes import make_opportunity
from service.models import Ticket

COLUMNS = (
    column_for(Opportunity, "customer"),
    column_for(Opportunity, "owner"),
    column_for(Opportunity, "stage"),
    MoneyColumn("amount"),
    DateColumn("expected_close"),
    Column("name"),
)


def texts(row):
    return [column.text(row) for column in COLUMNS]


def plain(columns=COLUMNS):
    paths = ["pk", *(path for column in columns for path in column.paths)]
    return list(plain_rows(Opportunity.objects.order_by("pk"), paths))


def test_columns_write_plain_rows_like_instances(world):
    User.objects.filter(pk=world.ben.pk).update(first_name="敏", last_name="张")
    make_opportunity(world.ana, customer=make_customer(world.ana))
    make_opportunity(world.ben)
    Opportunity.objects.create(name="Nobody's", stage=Opportunity.objects.first().stage)
    rows = list(Opportunity.objects.order_by("pk"))
    assert [texts(row) for row in plain()] == [texts(row) for row in rows]
    assert [row.pk for row in plain()] == [row.pk for row in rows]
    assert "张敏" in texts(plain()[1])


def test_one_query_reads_them_whatever_they_name(world):
    for person in (world.ana, world.ben, world.cleo):
        make_opportunity(person, customer=make_customer(person))
    with CaptureQueriesContext(connection) as asked:
        assert all(texts(row) for row in plain())
    assert len(asked) == 1


def test_choices_are_written_in_words(world):
    column = column_for(Ticket, "urgency")
    Ticket.objects.create(subject="Late", owner=world.ana, urgency="high")
    (row,) = plain_rows(Ticket.objects.all(), column.paths)
    assert column.text(row) == column.text(Ticket.objects.get())


@pytest.mark.parametrize(
    "fact", ["customer__city", Column("name", value=lambda row: row.name)]
)
def test_a_card_takes_only_facts_that_are_values(fact):
    with pytest.raises(ValueError, match="cannot stand on a card"):
        Board(field="stage", moves=list, move=print, order=("-pk",), facts=(fact,))
