"""Who gets a row is told, once for all rows of an operation."""

import threading

import pytest
from django.db import connection

from crm.grants import seed_grants
from crm.history.context import acting
from crm.models import Notice, Notification, Operation, OperationKind
from crm.notifications.delivery import deliver
from crm.testing.world import make_world
from tests.machines.models import Machine
from tests.notifying import hand, lines, open_to_managers, unread, world

__all__ = ["world"]


def test_who_is_made_an_owner_is_told_and_opening_it_is_reading(world, row):
    assert hand(world.client("ben"), row, world.abe).status_code == 302
    assert lines(world.abe) == [("handover", row.pk, 1)]
    assert lines(world.ana) == lines(world.ben) == []
    abe = world.client("abe")
    assert unread(abe) == 1
    page = abe.get("/notifications/").text
    assert "Lathe" in page
    assert "Ben Tester handed this to you" in page
    one = Notification.objects.get()
    answer = abe.get(f"/notifications/{one.pk}/")
    assert (answer.status_code, answer.url) == (302, f"/machines/{row.pk}/")
    assert unread(abe) == 0
    one.refresh_from_db()
    assert one.read_at is not None


def test_nobody_is_told_of_an_own_act(world, row):
    hand(world.client("ben"), row, world.ben)
    row.refresh_from_db()
    assert row.owner == world.ben
    assert not Notification.objects.exists()
    assert not Notice.objects.exists()


def test_what_is_added_for_somebody_else_is_handed_over(world):
    with acting(OperationKind.PAGE, world.ben):
        made = Machine.objects.create(serial="N", name="New", owner=world.abe)
    deliver()
    assert lines(world.abe) == [("handover", made.pk, 1)]


def test_what_a_command_or_nobody_writes_tells_nobody(world):
    with acting(OperationKind.COMMAND):
        Machine.objects.create(serial="C", name="C", owner=world.abe)
    Machine.objects.create(serial="D", name="D", owner=world.abe)
    assert not Notice.objects.exists()


@pytest.fixture
def many(world):
    return Machine.objects.bulk_create(
        Machine(serial=f"M{number:04}", name="Press", owner=world.ana)
        for number in range(3000)
    )


def test_a_bulk_handover_of_three_thousand_is_one_notification(world, many):
    with acting(OperationKind.BULK, world.ben) as number:
        for start in range(0, 3000, 300):
            keys = [one.pk for one in many[start : start + 300]]
            Machine.objects.filter(pk__in=keys).update(owner=world.abe)
            # As between the batches of a job, where the clock may come by.
            if start == 900:
                deliver()
    deliver()
    one = Notification.objects.get()
    assert (one.recipient, one.count, one.object_id) == (world.abe, 3000, None)
    assert one.operation == number
    abe = world.client("abe")
    assert unread(abe) == 1
    page = abe.get("/notifications/").text
    assert "3,000 machines were handed to you" in page
    assert "Press" not in page
    opened = abe.get(f"/notifications/{one.pk}/")
    assert opened.status_code == 200
    assert opened.text.count("Press") == 100
    assert unread(abe) == 0


def test_rows_of_an_operation_that_are_out_of_sight_are_not_listed(world, many):
    with acting(OperationKind.BULK, world.ben):
        Machine.objects.update(owner=world.abe)
    deliver()
    one = Notification.objects.get()
    keep = many[0]
    Machine.objects.exclude(pk=keep.pk).update(owner=world.cleo)
    page = world.client("abe").get(f"/notifications/{one.pk}/").text
    assert page.count("Press") == 1


def test_two_who_empty_the_outbox_at_once_tell_once(transactional_db):
    seed_grants()
    world = make_world()
    open_to_managers()
    with acting(OperationKind.BULK, world.ben):
        for number in range(40):
            Machine.objects.create(serial=f"{number}", name="x", owner=world.abe)

    def empty():
        try:
            deliver()
        finally:
            connection.close()

    threads = [threading.Thread(target=empty) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not Notice.objects.exists()
    found = Notification.objects.get()
    assert (found.recipient, found.count) == (world.abe, 40)


def test_a_notice_that_cannot_be_understood_stops_no_other(world, row):
    with acting(OperationKind.PAGE, world.ben):
        Machine.objects.filter(pk=row.pk).update(owner=world.abe)
    waiting = Notice.objects.get()
    Notice.objects.create(
        kind="unknown",
        model="machines.machine",
        rows=waiting.rows,
        recipient_id=world.abe.pk,
    )
    deliver()
    assert lines(world.abe) == [("handover", row.pk, 1)]
    assert not Notice.objects.exists()


def test_who_gets_a_row_back_by_an_undo_is_told(world, row):
    ben = world.client("ben")
    hand(ben, row, world.abe)
    number = Operation.objects.get(actor=world.ben, kind="page").number
    assert ben.post(f"/operations/{number}/undo/").status_code == 302
    row.refresh_from_db()
    assert row.owner == world.ana
    assert lines(world.ana) == [("handover", row.pk, 1)]
