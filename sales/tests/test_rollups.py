"""Sums over orders are those of the orders: on every clock, however one writes."""

import random
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from crm.generic.focus import Focus
from crm.periods import Period, PeriodKey
from crm.testing.world import make_world
from sales import rollups, services
from sales.choices import OrderKind, OrderState
from sales.models import ChangedDay, Order, OrderSum
from sales.selectors import booked, by_country, revenue_over_time, start_of
from sales.sums import Totals
from sales.tasks import refresh_rollups
from sales.tests.recipes import make_order

ZONES = ("UTC", "Asia/Shanghai", "Asia/Kolkata", "America/New_York", "Pacific/Apia")
# Both changes of the clock in New York lie in it.
YEAR = Period(date(2024, 2, 10), date(2024, 12, 3))
FIRST = datetime(2024, 1, 1, tzinfo=UTC)


def recompute(user, period, zone):
    """Add up order by order: {(currency, month, country, day): totals}."""
    found = {}
    for order in booked(user):
        day = order.placed_at.astimezone(zone).date()
        if not period.start <= day <= period.end:
            continue
        key = (order.currency, day.replace(day=1), order.country, day)
        is_sale = order.kind == OrderKind.SALE
        one = Totals(
            order.currency,
            int(is_sale),
            int(not is_sale),
            order.total if is_sale else Decimal(0),
            Decimal(0) if is_sale else order.total,
        )
        found[key] = found.get(key, Totals(order.currency)).plus(one)
    return found


def added(found, *places):
    """Add up a recomputation by some parts of its keys."""
    sums = {}
    for key, one in found.items():
        short = tuple(key[place] for place in places)
        sums[short] = sums.get(short, Totals(one.currency)).plus(one)
    return sums


def assert_right(*users, period=YEAR, zones=ZONES):
    """Compare what pages read with a recomputation, for people and clocks."""
    for user in users:
        focus = Focus(user, PeriodKey.CUSTOM, period)
        owners = focus.owners(Order)
        for name in zones:
            zone = ZoneInfo(name)
            with timezone.override(zone):
                orders = recompute(user, period, zone)
                over_time = revenue_over_time(focus)
                countries = {
                    (currency, country): one
                    for currency, rows in by_country(period, owners).items()
                    for country, one in rows
                }
                earlier = recompute(user, period.before(), zone)
            by_month = over_time.unit == "month"
            by_step = 1 if by_month else 3
            steps = {
                (one.currency, step.replace(day=1) if by_month else step): totals
                for one in over_time.found
                for step, totals in one.steps.items()
            }
            whole = {(one.currency,): one.now for one in over_time.found}
            before = {(one.currency,): one.before for one in over_time.found}
            assert steps == added(orders, 0, by_step), name
            assert countries == added(orders, 0, 2), name
            assert without_empty(whole) == added(orders, 0), name
            assert without_empty(before) == added(earlier, 0), name


def without_empty(found):
    """Leave out the currencies that only the other period has."""
    return {key: one for key, one in found.items() if not one.is_empty}


def scatter(world, count=150, seed=7):
    """Make orders at moments of all kinds, many of them at somebody's midnight."""
    chance = random.Random(seed)
    owners = [world.ana, world.abe, world.cleo, None]
    rows = []
    for number in range(count):
        day = FIRST + timedelta(days=chance.randrange(366))
        moment = day + timedelta(seconds=chance.randrange(86_400))
        if number % 2:
            zone = ZoneInfo(chance.choice(ZONES))
            local = datetime(day.year, day.month, day.day, tzinfo=zone)
            moment = local + timedelta(microseconds=chance.choice((-1, 0, 1)))
        kind = OrderKind.RETURN if number % 7 == 0 else OrderKind.SALE
        rows.append(
            Order(
                number=f"S{seed}-{number}",
                owner=chance.choice(owners),
                placed_at=moment,
                kind=kind,
                state=chance.choice(OrderState.values),
                currency=chance.choice(("EUR", "USD", "CNY")),
                country=chance.choice(("", "Ireland", "中国")),
                total=Decimal(chance.randrange(-(10**9), 10**10)).scaleb(-7),
            )
        )
    return Order.objects.bulk_create(rows)


@pytest.mark.parametrize("is_refreshed", [False, True])
def test_sums_equal_a_recomputation_on_every_clock(world, is_refreshed):
    scatter(world)
    if is_refreshed:
        assert refresh_rollups() is None
        assert not ChangedDay.objects.exists()
    assert_right(world.ana, world.ben, world.cleo, world.dev, world.fay)


def test_short_and_odd_periods_are_right(world):
    scatter(world, count=250, seed=3)
    rollups.refresh()
    chance = random.Random(5)
    starts = [
        date(2024, 1, 1) + timedelta(days=chance.randrange(366)) for _ in range(5)
    ]
    for start in [*starts, date(2024, 3, 10), date(2024, 11, 3)]:
        for days in (0, 3, 45):
            period = Period(start, start + timedelta(days=days))
            assert_right(world.ben, world.dev, period=period)


# --- Every way to write ---------------------------------------------------------------


def run(sql, *params):
    """Send SQL of one's own."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def copy_in(world, rows=40):
    """Write orders as imports do."""
    columns = (
        "number, kind, state, placed_at, country, currency, total, notes, owner_id,"
        " created_at, updated_at"
    )
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY sales_order ({columns}) FROM STDIN") as copy,
    ):
        for number in range(rows):
            moment = FIRST + timedelta(hours=211 * number)
            copy.write_row(
                (f"C{number}", "sale", "completed", moment, "", "EUR", number, "",
                 world.ana.pk, moment, moment)
            )  # fmt: skip


def confirm_an_order(world):
    """Make an order and let a service confirm it."""
    order = make_order(world.ana, placed_at=datetime(2024, 6, 15, 23, 59, tzinfo=UTC))
    services.move_order(order=order, actor=world.dev, state=OrderState.CONFIRMED)


SET = "UPDATE sales_order SET"
WRITES = {
    "service": confirm_an_order,
    "COPY": copy_in,
    "day": lambda world: run(f"{SET} placed_at = placed_at + interval '1 day 7 hours'"),
    "owner": lambda world: run(f"{SET} owner_id = %s", world.cleo.pk),
    "total": lambda world: run(f"{SET} total = total + 0.0000001 WHERE id %% 3 = 0"),
    "state": lambda world: run(f"{SET} state = 'cancelled' WHERE id %% 2 = 0"),
    "kind": lambda world: run(f"{SET} kind = 'return' WHERE id %% 4 = 0"),
    "currency": lambda world: run(f"{SET} currency = 'GBP' WHERE id %% 5 = 0"),
    "country": lambda world: run(f"{SET} country = 'Peru' WHERE id %% 6 = 0"),
    "swap": lambda world: run(
        f"{SET} total = -total, id = id + 100000 WHERE kind = 'sale'"
    ),
    "upsert": lambda world: run(
        "INSERT INTO sales_order (number, kind, state, placed_at, country, currency,"
        " total, notes, created_at, updated_at) SELECT number, kind, state, placed_at,"
        " '', currency, 1, '', now(), now() FROM sales_order"
        " ON CONFLICT (number) DO UPDATE SET total = excluded.total"
    ),
    "delete": lambda world: run("DELETE FROM sales_order WHERE id %% 3 = 1"),
    "delete all": lambda world: Order.objects.all().delete(),
    "truncate": lambda world: run("TRUNCATE sales_order CASCADE"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_sums_are_right_at_once_after_every_way_to_write(world, write):
    scatter(world, count=80)
    rollups.refresh()
    # The deferred checks of foreign keys would refuse the next statement.
    run("SET CONSTRAINTS ALL IMMEDIATE")
    write(world)
    assert_right(world.ben, world.dev, zones=ZONES[:2])
    assert rollups.refresh()
    assert_right(world.ben, world.dev, zones=ZONES[:2])


def test_what_moves_no_sum_notes_no_day(world):
    make_order(world.ana, state=OrderState.DRAFT)
    order = make_order(world.ana, state=OrderState.CONFIRMED)
    rollups.refresh()
    Order.objects.filter(pk=order.pk).update(state=OrderState.SHIPPED, notes="Thanks")
    Order.objects.filter(state=OrderState.DRAFT).delete()
    assert not ChangedDay.objects.exists()


def test_everything_can_be_rebuilt(world, capsys):
    scatter(world)
    rollups.refresh()
    OrderSum.objects.filter(grain="day").update(sold=1)
    OrderSum.objects.filter(grain="owner").delete()
    call_command("rebuild_rollups")
    assert "Days summed up" in capsys.readouterr().out
    assert not ChangedDay.objects.exists()
    assert_right(world.ben, world.dev, zones=ZONES[:2])


def test_the_sums_of_months_are_made_of_those_of_days(world):
    scatter(world)
    rollups.refresh()
    names = [one.attname for one in OrderSum._meta.concrete_fields if one.name != "id"]
    of_months = OrderSum.objects.filter(grain__startswith="month")
    refreshed = sorted(of_months.values_list(*names), key=str)
    assert {row[0] for row in refreshed} == {"month", "month_country", "month_owner"}
    of_months.delete()
    run(import_module("sales.migrations.0012_sums_of_months").FILL)
    assert sorted(of_months.values_list(*names), key=str) == refreshed


# --- Two at once ----------------------------------------------------------------------


def in_a_thread(act):
    """Run something on a connection of its own and wait for it."""
    failed = []

    def work():
        try:
            act()
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(timeout=30)
    assert not thread.is_alive(), "It waits for the other transaction."
    if failed:
        raise failed[0]


def add_order(world, number, **values):
    """Add an order that counts, on the fifteenth of June."""
    moment = datetime(2024, 6, 15, 12, tzinfo=UTC)
    values = {"total": 5, "placed_at": moment, "state": "completed"} | values
    return Order.objects.create(owner=world.ana, number=number, **values)


@pytest.mark.django_db(transaction=True)
def test_writers_never_wait_and_nothing_is_lost_while_one_is_open():
    world = make_world()
    add_order(world, "A1")
    rollups.refresh()
    with transaction.atomic():
        add_order(world, "A2")
        # Others write to the same day, sum up and read while this one is open.
        in_a_thread(lambda: add_order(world, "A3"))
        in_a_thread(rollups.refresh)
        in_a_thread(lambda: assert_right(world.ana, zones=ZONES[:1]))
        assert_right(world.ana, zones=ZONES[:1])
    # The day was summed up without A2; its note came with the commit.
    assert ChangedDay.objects.count() == 1
    assert_right(world.ana, zones=ZONES[:1])
    rollups.refresh()
    assert not ChangedDay.objects.exists()
    assert_right(world.ana, zones=ZONES[:1])


@pytest.mark.django_db(transaction=True)
def test_a_reader_sees_sums_and_notes_of_one_moment():
    world = make_world()
    add_order(world, "A1")
    rollups.refresh()
    add_order(world, "A2")
    with transaction.atomic():
        rollups.refresh()
        add_order(world, "A3")
        # Elsewhere the day still counts as changed, and A3 does not exist.
        in_a_thread(lambda: assert_right(world.ana, zones=ZONES[:1]))
        transaction.set_rollback(True)
    assert ChangedDay.objects.exists()
    assert_right(world.ana, zones=ZONES[:1])


def test_the_first_moment_of_a_day_is_the_readers(world):
    with timezone.override("America/New_York"):
        assert start_of(date(2024, 3, 10)) == datetime(2024, 3, 10, 5, tzinfo=UTC)
        assert start_of(date(2024, 3, 11)) == datetime(2024, 3, 11, 4, tzinfo=UTC)
