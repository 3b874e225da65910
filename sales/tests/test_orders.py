"""Rules of orders and returns."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from crm.exceptions import UserVisibleError
from crm.models import AuditEntry
from crm.testing.world import make_person
from customers.tests.recipes import make_customer
from sales import services
from sales.choices import BOOKED_STATES, ORDER_MOVES, OrderKind, OrderState
from sales.models import Order, OrderLine
from sales.services.orders import returnable
from sales.signals import order_saved
from sales.tests.recipes import make_order, make_product


@pytest.fixture
def actor(db):
    return make_person("ana", None, "administrator")


@pytest.fixture
def heard():
    """Return the ids that were announced."""
    ids = []

    def hear(sender, order_id, **kwargs):
        ids.append(order_id)

    order_saved.connect(hear)
    yield ids
    order_saved.disconnect(hear)


def new_order(actor, **values):
    return Order(customer=make_customer(actor), owner=actor, **values)


def line(quantity, price, **values):
    values.setdefault("description", "Thing")
    return OrderLine(quantity=Decimal(quantity), unit_price=Decimal(price), **values)


def test_a_saved_order_is_a_numbered_draft_with_the_exact_total(
    actor, heard, django_capture_on_commit_callbacks
):
    lines = [line("3", "0.1"), line("0.333", "9.99"), line("1", "0.0001")]
    with django_capture_on_commit_callbacks(execute=True):
        order = services.save_order(
            order=new_order(actor, state=OrderState.COMPLETED), actor=actor, lines=lines
        )
    order.refresh_from_db()
    assert order.number
    assert order.state == OrderState.DRAFT
    assert order.total == Decimal("3.6267700")
    assert [one.line_no for one in order.lines.order_by("line_no")] == [1, 2, 3]
    assert heard == [order.pk]
    assert AuditEntry.objects.get().verb == "added"


def test_two_new_orders_get_two_numbers(actor):
    numbers = {
        services.save_order(order=new_order(actor), actor=actor).number
        for _number in range(3)
    }
    assert len(numbers) == 3


def test_a_number_that_an_import_brought_is_left_out(actor):
    first = services.save_order(order=new_order(actor), actor=actor)
    following = f"S{int(first.number[1:]) + 1:06d}"
    make_order(actor, number=following)
    second = services.save_order(order=new_order(actor), actor=actor)
    assert second.number not in (first.number, following)


def test_lines_of_a_draft_are_added_changed_and_removed(actor):
    order = make_order(actor, lines=[("1", "10"), ("1", "20")])
    first, second = order.lines.order_by("line_no")
    first.quantity = Decimal(5)
    services.save_order(
        order=order, actor=actor, lines=[first, line("1", "7")], removed=[second]
    )
    order.refresh_from_db()
    assert order.total == Decimal(57)
    assert [one.line_no for one in order.lines.order_by("line_no")] == [1, 2]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (line("-1", "5"), "quantity"),
        (line("0", "5"), "quantity"),
        (line("1", "-5"), "unit_price"),
        (line("1", "5", description=""), "description"),
    ],
)
def test_a_line_that_cannot_be_meant_undoes_everything(actor, wrong, field):
    with pytest.raises(ValidationError) as caught:
        services.save_order(
            order=new_order(actor), actor=actor, lines=[line("1", "1"), wrong]
        )
    assert field in caught.value.error_dict
    assert not Order.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("old", OrderState.values)
@pytest.mark.parametrize("new", OrderState.values)
def test_only_the_moves_of_the_table_go_through(actor, old, new):
    order = make_order(actor, state=old)
    allowed = new in ORDER_MOVES[OrderState(old)]
    if allowed:
        services.move_order(order=order, actor=actor, state=new)
    else:
        with pytest.raises(UserVisibleError):
            services.move_order(order=order, actor=actor, state=new)
    order.refresh_from_db()
    assert order.state == (new if allowed else old)
    assert AuditEntry.objects.exists() == allowed


def test_an_order_without_lines_cannot_be_confirmed(actor):
    order = make_order(actor, lines=[])
    with pytest.raises(UserVisibleError):
        services.confirm_order(order=order, actor=actor)
    order.refresh_from_db()
    assert order.state == OrderState.DRAFT


def test_what_was_confirmed_keeps_its_money(actor):
    order = make_order(actor, state=OrderState.CONFIRMED)
    with pytest.raises(UserVisibleError):
        services.save_order(order=order, actor=actor, lines=[line("1", "99")])
    order.country = "France"
    with pytest.raises(UserVisibleError):
        services.save_order(order=order, actor=actor)
    order.refresh_from_db()
    assert (order.total, order.country, order.lines.count()) == (Decimal(20), "", 1)
    order.notes = "Leave it at the door"
    services.save_order(order=order, actor=actor)
    order.refresh_from_db()
    assert order.notes == "Leave it at the door"


def test_a_price_comes_from_the_product_only_in_the_form(actor):
    product = make_product(unit_price=Decimal("4.20"))
    order = services.save_order(
        order=new_order(actor), actor=actor, lines=[line("2", "3.00", product=product)]
    )
    assert order.total == Decimal(6)


def test_a_new_order_is_of_the_customer_s_country_unless_it_says_otherwise(actor):
    customer = make_customer(actor, country="Ireland")
    first = services.save_order(order=Order(customer=customer), actor=actor)
    second = services.save_order(
        order=Order(customer=customer, country="France"), actor=actor
    )
    assert (first.country, second.country) == ("Ireland", "France")


@pytest.mark.parametrize("state", OrderState.values)
def test_what_counts_as_revenue_is_not_deleted(actor, state):
    order = make_order(actor, state=state)
    if state in BOOKED_STATES:
        with pytest.raises(UserVisibleError):
            services.delete_order(order=order, actor=actor)
    else:
        services.delete_order(order=order, actor=actor)
    kept = state in BOOKED_STATES
    assert Order.objects.exists() == OrderLine.objects.exists() == kept
    assert AuditEntry.objects.exists() != kept


# --- Returns --------------------------------------------------------------------------


def test_a_return_takes_back_lines_at_the_price_that_was_paid(actor, heard):
    sale = make_order(
        actor, lines=[("5", "9.99"), ("2", "100")], state=OrderState.COMPLETED
    )
    first, _second = sale.lines.order_by("line_no")
    back = services.make_return(
        order=sale, quantities={first.pk: Decimal(2)}, actor=actor, notes="Broken"
    )
    back.refresh_from_db()
    assert (back.kind, back.state) == (OrderKind.RETURN, OrderState.DRAFT)
    assert (back.return_of, back.customer) == (sale, sale.customer)
    assert back.total == Decimal("-19.98")
    only = back.lines.get()
    assert (only.quantity, only.return_of) == (Decimal(-2), first)
    sale.refresh_from_db()
    assert sale.total == Decimal("249.95")
    assert returnable(sale) == {first.pk: Decimal(3), _second.pk: Decimal(2)}


def test_nothing_comes_back_twice_unless_the_return_was_cancelled(actor):
    sale = make_order(actor, lines=[("5", "1")], state=OrderState.SHIPPED)
    only = sale.lines.get()
    back = services.make_return(
        order=sale, quantities={only.pk: Decimal(4)}, actor=actor
    )
    with pytest.raises(UserVisibleError):
        services.make_return(order=sale, quantities={only.pk: Decimal(2)}, actor=actor)
    assert Order.objects.filter(return_of=sale).count() == 1
    services.cancel_order(order=back, actor=actor)
    services.make_return(order=sale, quantities={only.pk: Decimal(5)}, actor=actor)


@pytest.mark.parametrize("state", ["draft", "confirmed", "cancelled"])
def test_only_what_was_shipped_comes_back(actor, state):
    sale = make_order(actor, state=state)
    only = sale.lines.get()
    with pytest.raises(UserVisibleError):
        services.make_return(order=sale, quantities={only.pk: Decimal(1)}, actor=actor)
    assert not Order.objects.filter(return_of=sale).exists()


@pytest.mark.parametrize("quantity", ["0", "-1", "2.001"])
def test_a_return_of_what_was_not_sold_is_refused(actor, quantity):
    sale = make_order(actor, lines=[("2", "10")], state=OrderState.COMPLETED)
    only = sale.lines.get()
    with pytest.raises(UserVisibleError):
        services.make_return(
            order=sale, quantities={only.pk: Decimal(quantity)}, actor=actor
        )
    other = make_order(actor, state=OrderState.COMPLETED).lines.get()
    with pytest.raises(UserVisibleError):
        services.make_return(order=sale, quantities={other.pk: Decimal(1)}, actor=actor)
    assert not Order.objects.filter(return_of=sale).exists()


def test_a_draft_return_cannot_be_edited_into_something_else(actor):
    sale = make_order(actor, lines=[("2", "10")], state=OrderState.COMPLETED)
    back = services.make_return(
        order=sale, quantities={sale.lines.get().pk: Decimal(1)}, actor=actor
    )
    with pytest.raises(UserVisibleError):
        services.save_order(order=back, actor=actor, lines=[line("-9", "10")])
    back.refresh_from_db()
    assert back.total == Decimal(-10)


# --- Two at once ----------------------------------------------------------------------


def together(*acts):
    """Run functions at the same time, each in a transaction of its own."""
    start = Barrier(len(acts))

    def run(act):
        try:
            start.wait(timeout=10)
            act()
        except UserVisibleError:
            return "refused"
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(run, acts))


@pytest.mark.django_db(transaction=True)
def test_of_confirm_and_cancel_at_once_one_wins_and_both_know():
    actor = make_person("ana", None, "administrator")
    order = make_order(actor, state=OrderState.CONFIRMED)
    outcome = together(
        lambda: services.ship_order(order=order, actor=actor),
        lambda: services.cancel_order(order=order, actor=actor),
    )
    assert outcome == ["done", "refused"]
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_returns_at_once_do_not_take_the_same_goods():
    actor = make_person("ana", None, "administrator")
    sale = make_order(actor, lines=[("3", "10")], state=OrderState.COMPLETED)
    quantities = {sale.lines.get().pk: Decimal(2)}
    outcome = together(
        *[lambda: services.make_return(order=sale, quantities=quantities, actor=actor)]
        * 2
    )
    assert outcome == ["done", "refused"]
    assert Order.objects.filter(return_of=sale).count() == 1


@pytest.mark.django_db(transaction=True)
def test_lines_added_at_once_all_count():
    actor = make_person("ana", None, "administrator")
    order = make_order(actor, lines=[("1", "10")])
    outcome = together(
        *[
            lambda: services.save_order(
                order=Order.objects.get(pk=order.pk),
                actor=actor,
                lines=[line("1", "5")],
            )
        ]
        * 2
    )
    order.refresh_from_db()
    assert outcome == ["done", "done"]
    assert order.total == Decimal(20)
    assert sorted(order.lines.values_list("line_no", flat=True)) == [1, 2, 3]
