"""Writes around orders, returns and their lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import DecimalField, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.access import Verb, require_in_reach
from crm.audit import record
from crm.exceptions import UserVisibleError
from crm.models import User
from sales.choices import BOOKED_STATES, ORDER_MOVES, OrderKind, OrderState
from sales.models import Order, OrderLine
from sales.signals import announce, order_saved

EXACT = DecimalField(max_digits=28, decimal_places=7)
# What decides about money; a return has it from the sale that it returns.
FIXED_FIELDS = ("customer_id", "kind", "currency", "placed_at", "country")


def next_order_number() -> str:
    """Return a number from the database's own sequence: no two people get the same."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT nextval('sales_order_number')")
            number = f"S{cursor.fetchone()[0]:06d}"
            # An import may have brought a number that looks like ours.
            if not Order.objects.filter(number=number).exists():
                return number


@transaction.atomic
def save_order(
    *,
    order: Order,
    actor: User,
    lines: Sequence[OrderLine] | None = None,
    removed: Sequence[OrderLine] = (),
    changes: dict[str, Any] | None = None,
) -> Order:
    """Save an order with the lines that were added, changed and removed.

    The total is the exact sum of all its lines afterwards. Only a draft takes changes
    of lines or of what decides about money; later ones are made by a return.
    """
    is_new = order.pk is None
    if is_new:
        order.number = order.number or next_order_number()
        order.state = OrderState.DRAFT
        if order.customer is not None:
            order.country = order.country or order.customer.country
    else:
        stored = Order.objects.select_for_update().get(pk=order.pk)
        order.state, order.kind = stored.state, stored.kind
        refuse_changes_of_fixed(order, stored, bool(lines or removed))
    order.full_clean(exclude=["total"])
    order.save()
    write_lines(order, lines or (), removed)
    update_total(order)
    record(actor, "added" if is_new else "changed", order, changes)
    announce(order_saved, order)
    return order


def is_fixed(order: Order) -> bool:
    """Tell whether lines and money of the order can no longer be edited."""
    return order.pk is not None and (
        order.state != OrderState.DRAFT or order.return_of_id is not None
    )


def refuse_changes_of_fixed(order: Order, stored: Order, has_lines: bool) -> None:
    """Refuse to change what was confirmed."""
    changed = has_lines or any(
        getattr(order, name) != getattr(stored, name) for name in FIXED_FIELDS
    )
    if is_fixed(stored) and changed:
        raise UserVisibleError(
            _("Only a draft can be changed. Cancel the order, or make a return.")
        )


def write_lines(
    order: Order, lines: Sequence[OrderLine], removed: Sequence[OrderLine]
) -> None:
    """Delete, change and add lines; new ones are numbered after the last one."""
    for line in removed:
        order.lines.filter(pk=line.pk).delete()
    last = order.lines.order_by("-line_no").values_list("line_no", flat=True).first()
    for line in lines:
        line.order = order
        if line.line_no is None:
            last = (last or 0) + 1
            line.line_no = last
        require_sane(order, line)
        line.full_clean(exclude=["order"])
        line.save()


def require_sane(order: Order, line: OrderLine) -> None:
    """Refuse a line that cannot be meant; imported ones are taken as they are."""
    errors = {}
    if order.kind == OrderKind.SALE and line.quantity is not None:
        if line.quantity <= 0:
            errors["quantity"] = _("A sale has quantities above zero.")
        if line.unit_price is not None and line.unit_price < 0:
            errors["unit_price"] = _("A price is not negative.")
    if line.product_id is None and not line.description:
        errors["description"] = _("Choose a product or describe what is sold.")
    if errors:
        raise ValidationError(errors)


def update_total(order: Order) -> None:
    """Write the exact sum of the lines into the order."""
    total = OrderLine.objects.filter(order=order).aggregate(
        total=Coalesce(Sum("amount"), Value(Decimal(0)), output_field=EXACT)
    )["total"]
    # Refused in words before the database would do so without any.
    order._meta.get_field("total").run_validators(total)
    Order.objects.filter(pk=order.pk).update(total=total)
    order.total = total


@transaction.atomic
def move_order(*, order: Order, actor: User, state: str) -> Order:
    """Move an order on; raises UserVisibleError for a move that is not allowed."""
    order = Order.objects.select_for_update().get(pk=order.pk)
    new = OrderState(state)
    if new not in ORDER_MOVES[OrderState(order.state)]:
        raise UserVisibleError(
            _("An order that is “%(old)s” cannot become “%(new)s”.")
            % {"old": order.get_state_display(), "new": new.label}
        )
    if new == OrderState.CONFIRMED and not order.lines.exists():
        raise UserVisibleError(_("An order without lines cannot be confirmed."))
    old, order.state = order.state, new
    order.full_clean(exclude=["total"])
    order.save(update_fields=["state", "updated_at"])
    record(actor, "state", order, {"state": [old, order.state]})
    announce(order_saved, order)
    return order


@transaction.atomic
def delete_order(*, order: Order, actor: User) -> None:
    """Delete a draft or a cancelled order; what counts as revenue is kept."""
    order = Order.objects.select_for_update().get(pk=order.pk)
    if order.state in BOOKED_STATES:
        raise UserVisibleError(
            _(
                "This order counts as revenue, so it is kept. Cancel it, or make a "
                "return."
            )
        )
    record(actor, "deleted", order)
    order.delete()


def confirm_order(*, order: Order, actor: User) -> Order:
    """Confirm a draft: from now on it counts as revenue."""
    return move_order(order=order, actor=actor, state=OrderState.CONFIRMED)


def ship_order(*, order: Order, actor: User) -> Order:
    """Note that the goods have left (or, of a return, have arrived)."""
    return move_order(order=order, actor=actor, state=OrderState.SHIPPED)


def complete_order(*, order: Order, actor: User) -> Order:
    """Close an order that was delivered."""
    return move_order(order=order, actor=actor, state=OrderState.COMPLETED)


def cancel_order(*, order: Order, actor: User) -> Order:
    """Cancel an order that has not been shipped."""
    return move_order(order=order, actor=actor, state=OrderState.CANCELLED)


def returnable(order: Order) -> dict[int, Decimal]:
    """Return {line id: quantity that has not come back yet}, without what is nil."""
    # By way of the returns, which are few and indexed, not of all lines.
    back = dict(
        OrderLine.objects.filter(order__return_of=order, return_of__isnull=False)
        .exclude(order__state=OrderState.CANCELLED)
        .values_list("return_of")
        .annotate(total=Sum("quantity"))
        .order_by()
    )
    left = {
        pk: quantity + back.get(pk, Decimal(0))
        for pk, quantity in order.lines.values_list("pk", "quantity")
    }
    return {pk: quantity for pk, quantity in left.items() if quantity > 0}


@transaction.atomic
def make_return(
    *, order: Order, quantities: Mapping[int, Decimal], actor: User, notes: str = ""
) -> Order:
    """Make a return of so much of each line, at the price that was paid.

    The return is a draft with negative quantities; it counts when it is confirmed.
    """
    # The sale is locked, so two returns at once cannot take the same goods.
    order = Order.objects.select_for_update().get(pk=order.pk)
    require_returnable(order, quantities)
    back = Order(
        number=next_order_number(),
        customer=order.customer,
        owner=order.owner,
        kind=OrderKind.RETURN,
        placed_at=timezone.now(),
        country=order.country,
        currency=order.currency,
        return_of=order,
        notes=notes,
    )
    back.full_clean(exclude=["total"])
    back.save()
    chosen = order.lines.filter(pk__in=quantities).order_by("line_no")
    for number, line in enumerate(chosen, start=1):
        new = OrderLine(
            order=back,
            line_no=number,
            product=line.product,
            description=line.description,
            quantity=-quantities[line.pk],
            unit_price=line.unit_price,
            return_of=line,
        )
        new.full_clean()
        new.save()
    update_total(back)
    require_in_reach(actor, Verb.ADD, back)
    record(actor, "added", back, {"return_of": [None, order.number]})
    announce(order_saved, back)
    return back


def require_returnable(order: Order, quantities: Mapping[int, Decimal]) -> None:
    """Refuse a return of something that was not sold or came back already."""
    if order.kind != OrderKind.SALE or order.state not in (
        OrderState.SHIPPED,
        OrderState.COMPLETED,
    ):
        raise UserVisibleError(_("Only goods that were shipped can be returned."))
    if not quantities:
        raise UserVisibleError(_("Choose at least one line to return."))
    left = returnable(order)
    for pk, quantity in quantities.items():
        if quantity <= 0 or quantity > left.get(pk, Decimal(0)):
            raise UserVisibleError(
                _("A line has less left to return than was asked for.")
            )
