"""Undo leaves every table as it was; what stands in the way is left and said."""

import threading

import pytest
from django.db import DatabaseError, connection, transaction

from crm.exceptions import UserVisibleError
from crm.history.context import acting
from crm.history.undo import preview, restore, undo
from crm.models import Change, DeletedRow, Operation
from crm.testing.snapshot import all_rows as tables
from customers.models import Contact, Customer, Interaction
from customers.tests.recipes import make_contact, make_customer
from sales.models import Order, OrderLine
from sales.services.opportunities import move_stage
from sales.tests.recipes import make_opportunity, make_order

LABEL = "customers.customer"


def operation(number):
    return Operation.objects.get(number=number)


def do(actor, work, kind="page"):
    """Do something as one operation; return it."""
    with acting(kind, actor) as number:
        work()
    return operation(number)


def test_everything_is_written_down_whoever_writes(world):
    with acting("page", world.ana) as number:
        customer = make_customer(world.ana, name="Ada")
        Customer.objects.filter(pk=customer.pk).update(city="Leeds")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_customer SET city = 'York'")
        with cursor.copy(
            "COPY customers_contact (name, customer_id, job_title, phone, email,"
            " is_primary, notes, created_at, updated_at, is_demo) FROM STDIN"
        ) as copy:
            for name in ("Bo", "Cy"):
                row = (name, customer.pk, "", "", "", "f", "")
                copy.write_row((*row, "2026-01-01", "2026-01-01", "f"))
    mine = Change.objects.filter(operation__number=number).order_by("pk")
    assert [(one.verb, one.old, one.new) for one in mine] == [
        ("add", None, None),
        ("change", {"city": ""}, {"city": "Leeds"}),
    ]
    assert operation(number).actor == world.ana
    others = Change.objects.exclude(operation__number=number).filter(
        model__startswith="custo"
    )
    assert [(one.model, one.verb, one.new) for one in others.order_by("pk")] == [
        ("customers.customer", "change", {"city": "York"}),
        ("customers.contact", "add", None),
    ]
    assert {one.operation.kind for one in others} == {"database"}


def test_the_log_is_only_added_to(world):
    do(world.ana, lambda: make_customer(world.ana))
    for attempt in (
        lambda: Change.objects.update(old={}),
        lambda: Change.objects.all()._raw_delete("default"),
        lambda: Operation.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    assert Change.objects.filter(model=LABEL).count() == 1


def test_a_save_that_changes_nothing_leaves_no_trace(world):
    customer = make_customer(world.ana)
    before = Operation.objects.count()
    do_nothing = acting("page", world.ana)
    with do_nothing as number:
        customer.save()
    assert Operation.objects.count() == before
    assert not Change.objects.filter(operation__number=number).exists()


def test_adding_changing_and_deleting_are_taken_back_and_done_again(world):
    kept = make_customer(world.ana, name="Kept")
    gone = make_customer(world.ana, name="Gone", annual_income="1234.50")
    make_contact(customer=gone)
    referred = make_customer(world.ana, name="Referred", referred_by=gone)
    gone_id, before = gone.pk, tables()

    def work():
        new = make_customer(world.ana, name="New")
        make_contact(customer=new)
        Customer.objects.filter(pk=kept.pk).update(city="Leeds")
        Customer.objects.filter(pk=kept.pk).update(city="York", name="Kept too")
        gone.delete()

    done = do(world.ben, work)
    after = tables()
    assert after != before
    back = undo(done, world.ben)
    assert not back.left
    assert tables() == before
    referred.refresh_from_db()
    assert referred.referred_by_id == gone_id
    again = undo(back.operation, world.ben)
    assert not again.left
    assert tables() == after
    undo(again.operation, world.ben)
    assert tables() == before


def test_an_order_comes_back_with_its_lines(world):
    order = make_order(world.ana)
    assert order.lines.exists()
    before = tables()
    done = do(world.ben, order.delete)
    assert not OrderLine.objects.exists()
    assert not undo(done, world.ben).left
    assert tables() == before
    assert not DeletedRow.objects.filter(model="sales.order").exists()


def test_a_moved_opportunity_goes_back_with_its_stage_history(world):
    deal = make_opportunity(world.ana)
    target = deal.stage.pipeline.stages.exclude(pk=deal.stage_id).first()
    before = tables()
    done = do(
        world.ana,
        lambda: move_stage(opportunity=deal, stage=target, actor=world.ana),
    )
    assert not undo(done, world.ana).left
    assert tables() == before


def test_a_later_change_is_left_and_can_be_overruled(world):
    first, second = make_customer(world.ana), make_customer(world.ana)
    done = do(world.ana, lambda: Customer.objects.update(city="Leeds"))
    Customer.objects.filter(pk=first.pk).update(city="York")
    seen = preview(done, world.ana)
    assert [(one.object_id, one.reason) for one in seen.left] == [(first.pk, "changed")]
    assert Customer.objects.get(pk=second.pk).city == "Leeds"
    result = undo(done, world.ana)
    assert [one.key for one in result.left] == [f"{LABEL}:{first.pk}"]
    assert Customer.objects.get(pk=first.pk).city == "York"
    assert Customer.objects.get(pk=second.pk).city == ""
    undo(result.operation, world.ana)
    done = do(world.ana, lambda: Customer.objects.update(city="Bath"))
    Customer.objects.filter(pk=first.pk).update(city="York")
    result = undo(done, world.ana, overrule=[f"{LABEL}:{first.pk}"])
    assert not result.left
    assert Customer.objects.get(pk=first.pk).city == "York"
    assert Customer.objects.get(pk=second.pk).city == "Leeds"


def test_what_others_need_is_not_taken_away(world):
    def work():
        return [make_customer(world.ana, name="New") for _ in range(2)]

    done = do(world.ana, work)
    needed, free = Customer.objects.order_by("pk")
    make_order(world.ana, customer=needed)
    result = undo(done, world.ana)
    assert [(one.object_id, one.reason) for one in result.left] == [
        (needed.pk, "needed")
    ]
    assert not Customer.objects.filter(pk=free.pk).exists()


def test_a_place_that_is_taken_stays_taken(world):
    mine = make_customer(world.ana, external_system="x", external_id="1")
    make_contact(customer=mine)
    done = do(world.ben, mine.delete)
    make_customer(world.ana, external_system="x", external_id="1")
    with pytest.raises(UserVisibleError):
        undo(done, world.ben)
    assert Customer.objects.count() == 1
    assert not Contact.objects.exists()
    assert not Operation.objects.filter(undo_of=done).exists()


def test_nobody_undoes_beyond_their_rights(world):
    theirs = make_customer(world.cleo)
    mine = make_customer(world.ana)
    with acting("page", world.ana) as number:
        Customer.objects.update(city="Leeds")
    result = undo(operation(number), world.ana)
    assert [(one.object_id, one.reason) for one in result.left] == [
        (theirs.pk, "reach")
    ]
    assert Customer.objects.get(pk=mine.pk).city == ""
    assert Customer.objects.get(pk=theirs.pk).city == "Leeds"


def test_a_right_that_is_lost_is_lost_for_undoing_too(world):
    customer = make_customer(world.ana)
    done = do(world.ana, customer.delete)
    with pytest.raises(UserVisibleError):
        undo(done, world.ana)
    assert not Customer.objects.exists()
    assert DeletedRow.objects.filter(model=LABEL).count() == 1


def test_who_gave_a_customer_away_may_take_it_back(world):
    mine = make_customer(world.ana)
    done = do(world.ana, lambda: Customer.objects.update(owner=world.cleo))
    assert not undo(done, world.ana).left
    mine.refresh_from_db()
    assert mine.owner == world.ana


def test_an_undone_operation_is_not_undone_again(world):
    done = do(world.ana, lambda: make_customer(world.ana))
    undo(done, world.ana)
    with pytest.raises(UserVisibleError):
        undo(done, world.ana)
    assert Operation.objects.filter(undo_of=done).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_undos_at_once_one_is_done(world):
    customer = make_customer(world.ana)
    done = do(world.ben, customer.delete)
    outcomes = []
    barrier = threading.Barrier(2)

    def attempt():
        try:
            barrier.wait()
            outcomes.append(undo(done, world.ben).number)
        except UserVisibleError as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(map(str, outcomes)) == ["1", "This was undone already."]
    assert Customer.objects.count() == 1


def test_one_of_many_deleted_rows_comes_back_with_its_own(world):
    first, second = make_customer(world.ana), make_customer(world.ana)
    wanted = make_contact(customer=first)
    make_contact(customer=second)
    Interaction.objects.create(
        customer=first, contact=wanted, owner=world.ana, subject="Call"
    )
    before = tables()
    done = do(world.ben, lambda: Customer.objects.all().delete())
    restore(done, world.ben, (LABEL, first.pk))
    assert list(Customer.objects.values_list("pk", flat=True)) == [first.pk]
    assert list(Contact.objects.values_list("pk", flat=True)) == [wanted.pk]
    assert Interaction.objects.get().contact == wanted
    undo(done, world.ben)
    assert tables() == before


def test_ten_thousand_rows_come_back_as_they_were(world):
    owner = world.ben
    Customer.objects.bulk_create(
        Customer(name=f"Customer {number}", owner=owner) for number in range(10_000)
    )
    first = Customer.objects.order_by("pk").first().pk
    Contact.objects.bulk_create(
        Contact(name=f"Contact {number}", customer_id=first + number)
        for number in range(0, 10_000, 2)
    )
    before = tables()
    edited = do(owner, lambda: Customer.objects.update(city="Leeds"), "bulk")
    undo(edited, owner)
    assert tables() == before
    deleted = do(owner, lambda: Customer.objects.all().delete(), "bulk")
    assert not Contact.objects.exists()
    undo(deleted, owner)
    assert tables() == before
    assert not Order.objects.exists()


def test_what_came_and_went_in_one_operation_is_in_the_trash_as_it_went(world):
    """Undo leads back to before the operation, the trash to the moment of deletion."""
    old = make_customer(world.ana, name="Old")
    before = tables()

    def work():
        new = make_customer(world.ana, name="Draft")
        make_contact(customer=new, name="Kim")
        Customer.objects.filter(pk=new.pk).update(name="Final", city="York")
        Customer.objects.filter(pk=old.pk).update(name="Older")
        new.delete()
        old.delete()

    done = do(world.ben, work)
    gone = {
        row.row["name"]: row.object_id for row in DeletedRow.objects.filter(model=LABEL)
    }
    assert set(gone) == {"Final", "Older"}
    back = restore(done, world.ben, (LABEL, gone["Final"]))
    found = Customer.objects.get()
    assert (found.name, found.city) == ("Final", "York")
    assert Contact.objects.get().customer == found
    undo(back.operation, world.ben)
    assert not Customer.objects.exists()
    # Taken back as a whole it leaves no trace of what it only passed through.
    undo(done, world.ben)
    assert tables() == before

    def change_and_delete():
        Customer.objects.update(name="Older")
        Customer.objects.all().delete()

    again = do(world.ben, change_and_delete)
    restore(again, world.ben, (LABEL, gone["Older"]))
    assert Customer.objects.get().name == "Older"
