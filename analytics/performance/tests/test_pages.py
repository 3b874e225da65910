"""Pages of targets and what they count."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from analytics.performance.models import Kpi, Target
from analytics.performance.pages import TargetPages
from analytics.performance.presenting import rows_behind
from analytics.performance.seed import quarters
from analytics.performance.selectors import progress, reached
from crm.testing.pages import PageTests
from customers.models import Customer
from sales.models import Order
from service.tests.recipes import make_ticket

JUNE = {"starts_on": date(2026, 6, 1), "ends_on": date(2026, 6, 30)}
IN_JUNE = datetime(2026, 6, 15, 12, tzinfo=UTC)
IN_MAY = datetime(2026, 5, 15, 12, tzinfo=UTC)


class TestTargetPages(PageTests):
    """People see their own targets, managers those of their teams."""

    pages = TargetPages
    changed_value = ("value", "12.00")
    count = 0

    def make(self, owner, **values):
        type(self).count += 1
        day = date(2000, 1, 1).replace(year=2000 + self.count)
        return Target.objects.create(
            owner=owner, kpi=Kpi.REVENUE, starts_on=day, ends_on=day, value=5, **values
        )

    def form_data(self, world):
        return {
            "owner": world.ana.pk,
            "kpi": "orders",
            "starts_on": "2026-01-01",
            "ends_on": "2026-03-31",
            "value": "10",
        }

    @pytest.fixture(autouse=True)
    def fresh_days(self):
        type(self).count = 0


def test_each_figure_counts_only_its_owner_and_period(world):
    for owner in (world.ana, world.cleo):
        for at in (IN_MAY, IN_JUNE):
            Order.objects.create(
                number=f"{owner.pk}-{at:%m}",
                owner=owner,
                placed_at=at,
                state="completed",
                total=Decimal("10.50"),
            )
            Customer.objects.create(
                name="Someone", owner=owner, customer_since=at.date()
            )
            make_ticket(owner, state="solved", solved_at=at)
    Order.objects.create(
        number="draft", owner=world.ana, placed_at=IN_JUNE, total=Decimal(99)
    )
    Order.objects.create(
        number="other money",
        owner=world.ana,
        placed_at=IN_JUNE,
        kind="return",
        state="completed",
        currency="JPY",
        total=Decimal(-700),
    )
    expected = {
        Kpi.REVENUE: Decimal("10.50"),
        Kpi.ORDERS: 1,
        Kpi.NEW_CUSTOMERS: 1,
        Kpi.TICKETS_SOLVED: 1,
    }
    for kpi, value in expected.items():
        target = Target(owner=world.ana, kpi=kpi, value=2, **JUNE)
        assert reached(user=world.dev, target=target) == value, kpi


def test_progress_compares_with_the_time_that_has_passed(world):
    Order.objects.create(
        number="1", owner=world.ana, placed_at=IN_JUNE, state="shipped", total=50
    )
    target = Target(owner=world.ana, kpi=Kpi.REVENUE, value=100, **JUNE)
    half = progress(user=world.dev, target=target, today=date(2026, 6, 15))
    assert (half.share, half.time_share, half.on_track) == (0.5, 0.5, True)
    late = progress(user=world.dev, target=target, today=date(2026, 7, 15))
    assert (late.time_share, late.on_track) == (1.0, False)
    early = progress(user=world.dev, target=target, today=date(2026, 5, 1))
    assert early.time_share == 0.0


def test_quarters_go_back_from_the_running_one():
    assert quarters(date(2026, 11, 20), 3) == [
        (date(2026, 10, 1), date(2026, 12, 31)),
        (date(2026, 7, 1), date(2026, 9, 30)),
        (date(2026, 4, 1), date(2026, 6, 30)),
    ]


@pytest.mark.parametrize("kpi", Kpi.values)
def test_a_target_leads_to_exactly_the_rows_it_counts(client, world, kpi):
    for at in (IN_MAY, IN_JUNE):
        Order.objects.create(
            number=f"{at:%m}",
            owner=world.ana,
            placed_at=at,
            state="completed",
            total=Decimal(5),
        )
        Customer.objects.create(
            name="Someone", owner=world.ana, customer_since=at.date()
        )
        make_ticket(world.ana, state="solved", solved_at=at)
    target = Target.objects.create(owner=world.ana, kpi=kpi, value=10, **JUNE)
    client.force_login(world.ana)
    url = rows_behind(target)
    assert url.replace("&", "&amp;") in client.get(target.get_absolute_url()).text
    rows = client.get(url).context["rows"]
    assert len(rows) == 1
