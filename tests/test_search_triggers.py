"""The table of entries follows the rows, whichever way they are written."""

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from crm.models import SearchEntry
from crm.search import filing
from crm.search.declaration import all_searches, search_of
from crm.search.filing import MANY_ROWS, filed_beside
from crm.search.finding import find_all
from crm.search.triggers import keep_installed
from customers.models import Customer

pytestmark = pytest.mark.django_db


def entries():
    return SearchEntry.objects.filter(kind=search_of(Customer).kind)


def titles(user, text):
    found = find_all(user, text)
    return [hit.title for group in found.groups for hit in group.hits]


def test_rows_that_are_copied_in_are_found(world):
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY customers_customer (created_at, updated_at, kind, name, phone, email,"
            " website, address, postal_code, city, region, country, gender, currency,"
            " source, external_system, external_id, custom) FROM STDIN"
        ) as copy,
    ):
        for name, phone in (("张三", "+86 138 0013 8000"), ("Ana Jacobsen", "")):
            row = ["2026-01-01", "2026-01-01", "person", name, phone, "x@mail.example"]
            copy.write_row([*row, *[""] * 7, "EUR", "unknown", "", "", "{}"])
    assert titles(world.dev, "zhangsan") == ["张三"]
    assert titles(world.dev, "138000") == ["张三"]
    assert titles(world.dev, "acob") == ["Ana Jacobsen"]


def test_changes_and_deletions_by_raw_sql_are_followed(world):
    one = Customer.objects.create(name="Oakwood", owner=world.ana)
    other = Customer.objects.create(name="Elmwood", owner=world.ana)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_customer SET name = 'Birch' WHERE id = %s", [one.pk]
        )
        cursor.execute("DELETE FROM customers_customer WHERE id = %s", [other.pk])
    assert titles(world.dev, "oakwood") == []
    assert titles(world.dev, "birch") == ["Birch"]
    assert list(entries().values_list("object_id", flat=True)) == [one.pk]


def test_an_entry_knows_its_owner_and_its_place(world):
    one = Customer.objects.create(name="Oakwood", owner=world.ana)
    known = entries().filter(object_id=one.pk).values_list("place", "owner_id")
    assert list(known) == [("Oakwood", world.ana.pk)]
    Customer.objects.filter(pk=one.pk).update(owner=world.ben)
    assert list(known.all()) == [("Oakwood", world.ben.pk)]
    Customer.objects.filter(pk=one.pk).update(owner=None, name="Ash")
    assert list(known.all()) == [("Ash", None)]


def test_an_update_elsewhere_leaves_the_entry_alone(world):
    one = Customer.objects.create(name="Oakwood", owner=world.ana)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ctid FROM crm_searchentry WHERE object_id = %s", [one.pk]
        )
        before = cursor.fetchall()
        Customer.objects.filter(pk=one.pk).update(city="Leeds", source="web")
        cursor.execute(
            "SELECT ctid FROM crm_searchentry WHERE object_id = %s", [one.pk]
        )
        assert cursor.fetchall() == before


def test_an_upsert_writes_both_new_and_changed_rows(world):
    one = Customer.objects.create(name="Old name", owner=world.ana)
    Customer.objects.bulk_create(
        [Customer(pk=one.pk, name="New name"), Customer(name="Second name")],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["name"],
    )
    assert sorted(titles(world.dev, "name")) == ["New name", "Second name"]


def test_emptying_the_table_empties_its_entries(world):
    Customer.objects.create(name="Oakwood", owner=world.ana)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE customers_customer CASCADE")
    assert not entries().exists()
    assert SearchEntry.objects.exists()


def test_a_changed_definition_indexes_its_table_anew(world):
    Customer.objects.create(name="Oakwood", owner=world.ana)
    entries().delete()
    keep_installed()
    assert not entries().exists()
    with connection.cursor() as cursor:
        cursor.execute(
            "COMMENT ON FUNCTION crm_search_of_customers_customer() IS 'another'"
        )
    keep_installed()
    assert titles(world.dev, "oakwood") == ["Oakwood"]


def test_the_command_writes_the_entries_anew(world, capsys):
    Customer.objects.create(name="Oakwood", owner=world.ana)
    entries().delete()
    call_command("reindex_search", "customers.Customer")
    assert "customers.Customer: 1" in capsys.readouterr().out
    assert titles(world.dev, "oakwood") == ["Oakwood"]


def test_every_model_has_a_number_of_its_own():
    kinds = [search.kind for search in all_searches()]
    assert len(kinds) == len(set(kinds))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("rows", "is_filed"), [(MANY_ROWS, True), (5, False)])
def test_the_tokens_of_many_rows_are_filed_while_they_are_written(rows, is_filed):
    def waiting():
        with connection.cursor() as cursor:
            cursor.execute("SELECT gin_clean_pending_list('search_by_token')")
            return cursor.fetchone()[0]

    waiting()
    with transaction.atomic(), filed_beside(rows):
        Customer.objects.bulk_create(Customer(name=f"Oak {n}") for n in range(40))
    assert (waiting() == 0) is is_filed


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_cannot_be_had_stops_no_import(monkeypatch):
    monkeypatch.setattr(filing, "FILE", "SELECT no_such_function()")
    with transaction.atomic(), filed_beside(MANY_ROWS):
        Customer.objects.create(name="Oak")
    assert Customer.objects.filter(name="Oak").exists()
