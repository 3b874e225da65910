"""Demo orders: every customer buys at a rate of their own until they are gone.

The rate is gamma distributed and the chance to leave after a purchase beta distributed,
as the buying model of the analyses assumes; source, income and kind of customer shift
both, so that there is something to find. Seasons, growth and weekdays thin the stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from crm.seeding import Demo
from customers.choices import Kind, Source
from customers.models import Customer
from sales.choices import OrderKind, OrderState
from sales.models import Order, OrderLine, Product
from sales.seed_catalogue import CATEGORIES

DAY = 86_400
# Of all months and weekdays the busiest; a moment is kept with its share of that.
SEASON = (0.78, 0.76, 0.9, 0.95, 1.0, 0.92, 0.86, 0.82, 0.95, 1.05, 1.4, 1.5)
SEASON_CHINA = (1.25, 0.6, 0.85, 0.9, 0.95, 1.1, 0.85, 0.85, 1.1, 0.95, 1.5, 1.05)
WEEKDAYS_COMPANY = (1.0, 1.0, 0.95, 0.9, 0.75, 0.08, 0.03)
WEEKDAYS_PERSON = (0.7, 0.65, 0.65, 0.7, 0.8, 1.0, 0.95)
# source → how much sooner such customers leave
LEAVING = {
    Source.PAID: 1.35,
    Source.DISPLAY: 1.7,
    Source.SOCIAL: 1.2,
    Source.REFERRAL: 0.6,
    Source.ORGANIC: 0.85,
    Source.EVENT: 0.7,
}
RETURNED = 0.075
CANCELLED = 0.015
PENNY = Decimal("0.01")


@dataclass
class Buyer:
    """How one customer buys."""

    customer: Customer
    per_day: float
    leaving: float
    spend: float
    discount: Decimal
    likes: list[float]


@dataclass
class Draft:
    """An order with its lines, before it has a number."""

    order: Order
    lines: list[OrderLine]


def add_orders(demo: Demo) -> list[Order]:
    """Add sales and returns of the last two years, oldest first."""
    shelf = Shelf(demo.made(Product))
    drafts = [
        draft
        for customer in demo.made(Customer)
        for draft in orders_of(customer, shelf, demo)
    ]
    drafts.sort(key=lambda draft: draft.order.placed_at)
    number(drafts)
    for draft in drafts:
        sum_up(draft)
    # Numbered together: a return names the order and the lines that it returns.
    orders = [draft.order for draft in drafts]
    lines = [line for draft in drafts for line in draft.lines]
    demo.give_ids(orders)
    demo.give_ids(lines)
    for row in (*orders, *lines):
        if row.return_of is not None:
            row.return_of_id = row.return_of.pk
    for line in lines:
        line.order_id = line.order.pk
    demo.add(orders)
    demo.add(lines)
    return orders


class Shelf:
    """The products, by category, with what sells when."""

    def __init__(self, products: list[Product]) -> None:
        self.by_category: dict[str, list[Product]] = {name: [] for name in CATEGORIES}
        for product in products:
            self.by_category[product.category.name].append(product)
        self.names = list(self.by_category)

    def pick(self, likes: list[float], month: int, chance: Random) -> Product:
        """Return a product that the customer likes and that is in season."""
        weights = [
            like * CATEGORIES[name][1][month - 1]
            for like, name in zip(likes, self.names, strict=True)
        ]
        goods = self.by_category[chance.choices(self.names, weights)[0]]
        # The first ones of a category sell best.
        return goods[min(int(chance.expovariate(0.32)), len(goods) - 1)]


# --- How one customer buys ------------------------------------------------------------


def buyer_for(customer: Customer, chance: Random) -> Buyer:
    """Draw how a customer buys."""
    is_company = customer.kind == Kind.COMPANY
    shape, mean = (1.6, 9.0) if is_company else (0.9, 5.2)
    rate = chance.gammavariate(shape, mean / shape)
    income = float(customer.annual_income or 36_000)
    spend = (income / 36_000) ** 0.55 * chance.lognormvariate(0, 0.3)
    leaving = chance.betavariate(0.9, 7.5) * LEAVING.get(customer.source, 1.0)
    return Buyer(
        customer=customer,
        per_day=rate / 365,
        leaving=min(leaving * (0.6 if is_company else 1.0), 0.95),
        spend=3.2 * spend if is_company else spend,
        discount=Decimal("0.88") if is_company else Decimal(1),
        likes=[chance.gammavariate(0.45, 1.0) + 0.02 for _name in CATEGORIES],
    )


def orders_of(customer: Customer, shelf: Shelf, demo: Demo) -> Iterator[Draft]:
    """Yield what one customer bought and returned."""
    chance = demo.random(f"sales.order/{customer.email}/{customer.name}")
    buyer = buyer_for(customer, chance)
    start = demo.start
    at = customer.created_at
    if at < start:
        # An old customer may have left before the two years that are told.
        years = (start - at).days / 365
        if chance.random() > (1 - buyer.leaving) ** (buyer.per_day * 200 * years):
            return
        at = start + pause(chance, buyer.per_day)
    else:
        at += timedelta(days=min(chance.expovariate(0.3), 20))
    while at < demo.now:
        if chance.random() < busy(at, customer, demo):
            draft = make_order(buyer, office_hour(at, customer, chance), shelf, chance)
            if draft.order.placed_at < demo.now:
                settle(draft, demo, chance)
                yield draft
                yield from returns_of(draft, demo, chance)
            if chance.random() < buyer.leaving:
                return
        # Faster than the rate, because quiet moments are thrown away.
        at += pause(chance, buyer.per_day * 2.1) + timedelta(days=0.5)


def pause(chance: Random, per_day: float) -> timedelta:
    """Return the time until somebody buys again; of the rarest buyers, ten years."""
    # Without a bound a very small rate leads past the last date that there is.
    return timedelta(days=min(chance.expovariate(per_day), 3650))


def busy(at: datetime, customer: Customer, demo: Demo) -> float:
    """Return how busy a moment is, from 0 to 1."""
    season = SEASON_CHINA if customer.country == "China" else SEASON
    weekdays = WEEKDAYS_PERSON if customer.kind == Kind.PERSON else WEEKDAYS_COMPANY
    growth = 0.75 + 0.25 * (at - demo.start) / (demo.now - demo.start)
    peak = 1.5
    sale = 1.0
    if customer.country == "China" and (at.month, at.day) in ((11, 11), (6, 18)):
        sale = 3.0
    share = season[at.month - 1] * weekdays[at.weekday()] * growth * sale / peak
    return min(share, 1.0)


def office_hour(at: datetime, customer: Customer, chance: Random) -> datetime:
    """Return a moment of the same day: companies by day, people also in the evening."""
    hour = (
        chance.gauss(11.5, 2.2)
        if customer.kind == Kind.COMPANY
        else chance.gauss(16, 4)
    )
    hour = min(max(hour, 7), 22.9)
    if customer.country == "China":
        hour -= 7
    day = datetime(at.year, at.month, at.day, tzinfo=UTC)
    return max(day + timedelta(hours=hour), customer.created_at)


def make_order(buyer: Buyer, at: datetime, shelf: Shelf, chance: Random) -> Draft:
    """Return one sale with its lines."""
    customer = buyer.customer
    order = Order(
        customer=customer,
        owner=customer.owner,
        placed_at=at,
        country=customer.country,
        created_at=at,
    )
    is_company = customer.kind == Kind.COMPANY
    count = 1 + min(int(chance.expovariate(0.42 if is_company else 0.75)), 11)
    chosen: dict[int, Product] = {}
    for _number in range(count):
        product = shelf.pick(buyer.likes, at.month, chance)
        chosen[product.pk] = product
    lines = []
    for line_no, product in enumerate(chosen.values(), start=1):
        mean = buyer.spend * (2.6 if product.unit_price < 30 else 1.15)
        quantity = 1 + min(int(chance.expovariate(1 / mean)), 480)
        price = (product.unit_price * buyer.discount).quantize(PENNY)
        lines.append(make_line(order, line_no, product, Decimal(quantity), price))
    return Draft(order, lines)


def make_line(
    order: Order, line_no: int, product: Product, quantity: Decimal, price: Decimal
) -> OrderLine:
    """Return a line; the description is the product's name as it was sold."""
    return OrderLine(
        order=order,
        line_no=line_no,
        product=product,
        description=product.name,
        quantity=quantity,
        unit_price=price,
        created_at=order.placed_at,
    )


# --- What became of it ----------------------------------------------------------------


def settle(draft: Draft, demo: Demo, chance: Random) -> None:
    """Give an order the state that suits its age."""
    order = draft.order
    age = (demo.now - order.placed_at).total_seconds() / DAY
    if chance.random() < CANCELLED:
        order.state = OrderState.CANCELLED
    elif age > 9 + chance.random() * 5:
        order.state = OrderState.COMPLETED
    elif age > 2 + chance.random() * 2:
        order.state = OrderState.SHIPPED
    elif age < 3 and chance.random() < 0.15:
        order.state = OrderState.DRAFT
    else:
        order.state = OrderState.CONFIRMED


def returns_of(sale: Draft, demo: Demo, chance: Random) -> Iterator[Draft]:
    """Yield the return of a sale, where something came back."""
    if sale.order.state != OrderState.COMPLETED:
        return
    back = [line for line in sale.lines if comes_back(line, chance)]
    at = sale.order.placed_at + timedelta(days=4 + chance.expovariate(1 / 9))
    if not back or at >= demo.now:
        return
    order = Order(
        kind=OrderKind.RETURN,
        state=OrderState.COMPLETED,
        customer=sale.order.customer,
        owner=sale.order.owner,
        placed_at=at,
        country=sale.order.country,
        created_at=at,
        return_of=sale.order,
    )
    lines = []
    for line_no, line in enumerate(back, start=1):
        quantity = Decimal(chance.randint(1, int(line.quantity)))
        new = make_line(order, line_no, line.product, -quantity, line.unit_price)
        new.return_of = line
        lines.append(new)
    yield Draft(order, lines)


def comes_back(line: OrderLine, chance: Random) -> bool:
    """Tell whether the goods of a line came back; big lines rarely do."""
    share = CATEGORIES[line.product.category.name][0]
    return chance.random() < share * (1.0 if line.quantity < 10 else 0.4)


def sum_up(draft: Draft) -> None:
    """Write the exact sum of the lines into the order."""
    draft.order.total = sum(
        (line.quantity * line.unit_price for line in draft.lines), Decimal(0)
    )


def number(drafts: list[Draft]) -> None:
    """Number the orders; numbers that real orders have are left out."""
    taken = set(
        Order.objects.filter(number__startswith="D").values_list("number", flat=True)
    )
    last = 100_000
    for draft in drafts:
        last += 1
        while f"D{last}" in taken:
            last += 1
        draft.order.number = f"D{last}"
