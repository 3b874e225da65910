"""Demo data: believable, the same again, and gone without a trace."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.db.models import DecimalField, F, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.test import Client

from crm.models import (
    AuditEntry,
    Change,
    Operation,
    SearchEntry,
    SecurityEvent,
    SeededModel,
    Tag,
    Team,
    User,
)
from crm.seed import LOGINS
from crm.seeding import REMOVED, Demo, parts
from crm.unseeding import demo_models, remove_all
from customers.models import Contact, Customer, Interaction
from sales.choices import LeadState, OrderKind
from sales.models import (
    Category,
    ChangedDay,
    Lead,
    Opportunity,
    Order,
    OrderLine,
    OrderSum,
    Product,
    StageChange,
)
from sales.rollups import refresh
from sales.seed_orders import pause
from sales.services import save_order
from service.models import Message, Ticket

TODAY = date(2025, 8, 20)
SCALE = 0.02


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """Hash quickly: a strong hash of eight logins takes longer than all the rest."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def seed(**options):
    """Run the command; return what its last line says."""
    out = io.StringIO()
    options = {"as_of": TODAY, "scale": SCALE} | options
    call_command("seed_demo", stdout=out, **options)
    return json.loads(out.getvalue().strip().splitlines()[-1])


def remove():
    """Run the command with --remove; return (all lines, what the last one says)."""
    out = io.StringIO()
    call_command("seed_demo", remove=True, stdout=out)
    return out.getvalue(), json.loads(out.getvalue().strip().splitlines()[-1])


def counts():
    """Return the number of rows of every table, those without a model too."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608
            found[table] = cursor.fetchone()[0]
    return found


def real_rows():
    """Return every row that is no demo row, of every model, field by field."""
    found = {}
    for model in apps.get_models():
        # What the search knows of a row goes with the row, what sums do, too. The
        # history and the log of security are about what happens; both are kept.
        passing = (Session, SearchEntry, OrderSum, ChangedDay)
        if model in (*passing, Change, Operation, SecurityEvent):
            continue
        rows = model._base_manager.all()
        if model in demo_models():
            rows = rows.filter(is_demo=False)
        if model is SeededModel:
            rows = rows.exclude(model=REMOVED)
        found[model._meta.label] = list(rows.order_by("pk").values())
    return found


def contents(model, *without):
    """Return the demo rows of a model as one can compare them between databases."""
    hidden = {"id", "password", *without}
    fields = [
        one.name
        for one in model._meta.concrete_fields
        if one.name not in hidden and not one.is_relation
    ]
    return list(model._base_manager.filter(is_demo=True).order_by("pk").values(*fields))


# --- Adding ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_role_gets_a_login_that_works():
    result = seed()
    assert result["seeded"] is True
    assert {one["role"] for one in result["logins"]} == set(LOGINS)
    assert User.objects.filter(is_demo=True).count() == 25
    for one in result["logins"]:
        browser = Client()
        assert browser.login(username=one["username"], password=one["password"]), one
        assert browser.get("/").status_code == 200
        person = User.objects.get(username=one["username"])
        assert person.role_codes == {one["role"]}
        assert person.email.endswith("@demo.example")


@pytest.mark.django_db
def test_the_second_time_nothing_is_added():
    seed()
    before = counts()
    again = seed(as_of=TODAY + timedelta(days=3))
    assert again["seeded"] is False
    assert len(again["logins"]) == len(LOGINS)
    assert counts() == before


@pytest.mark.django_db
def test_the_same_day_and_seed_tell_the_same_story():
    models = (Customer, Contact, Interaction, Order, OrderLine, Lead, Ticket, Message)
    seed()
    first = {model: contents(model) for model in models}
    remove_all()
    seed()
    for model in models:
        assert contents(model) == first[model], model
    remove_all()
    seed(seed=7)
    assert contents(Customer) != first[Customer]
    assert contents(Order) != first[Order]


@pytest.mark.django_db
def test_every_app_has_its_part():
    assert [label for label, _add in parts()] == [
        "crm",
        "customers",
        "sales",
        "marketing",
        "service",
        "performance",
    ]


@pytest.mark.django_db
def test_rows_are_whole_and_right():
    seed()
    now = datetime(2025, 8, 20, tzinfo=UTC)
    for model in (Customer, Order, Lead, Opportunity, Interaction, Ticket):
        rows = model._base_manager.all()
        assert rows.exists(), model
        assert not rows.filter(created_at__gt=now).exists(), model
    for model in demo_models():
        for row in model._base_manager.filter(is_demo=True).order_by("?")[:20]:
            try:
                row.full_clean(exclude=["password"])
            except ValidationError as error:
                pytest.fail(f"{model._meta.label} {row.pk}: {error}")
    people = Customer.objects.people()
    companies = Customer.objects.companies()
    assert people.exists()
    assert companies.exists()
    assert Customer.objects.filter(country="China", name__regex="[一-鿿]").exists()
    assert Customer.objects.filter(name__regex="^[A-Z][a-z]+ [A-Z]").exists()


@pytest.mark.django_db
def test_money_adds_up():
    seed(scale=0.1)
    exact = DecimalField(max_digits=28, decimal_places=7)
    lines = OrderLine.objects.filter(order=OuterRef("pk")).order_by().values("order")
    summed = Coalesce(
        Subquery(lines.annotate(sum=Sum("amount")).values("sum")),
        Value(Decimal(0)),
        output_field=exact,
    )
    orders = Order.objects.annotate(summed=summed)
    assert orders.count() > 500
    assert not orders.exclude(total=F("summed")).exists()
    returns = OrderLine.objects.filter(order__kind=OrderKind.RETURN)
    assert returns.exists()
    assert not returns.filter(quantity__gte=0).exists()
    assert not returns.exclude(return_of__order=F("order__return_of")).exists()
    for sold in OrderLine.objects.filter(returns__isnull=False).distinct():
        back = sold.returns.aggregate(sum=Sum("quantity"))["sum"]
        assert sold.quantity + back >= 0


@pytest.mark.django_db
def test_leads_and_opportunities_tell_how_they_got_where_they_are():
    seed(scale=0.1)
    converted = Lead.objects.filter(state=LeadState.CONVERTED)
    assert converted.exists()
    assert not converted.filter(customer=None).exists()
    assert not converted.filter(closed_at=None).exists()
    assert not Lead.objects.open().exclude(closed_at=None).exists()
    for opportunity in Opportunity.objects.prefetch_related("stage_changes"):
        changes = list(opportunity.stage_changes.order_by("at", "pk"))
        assert changes[0].from_stage_id is None
        assert changes[-1].to_stage_id == opportunity.stage_id
        for old, new in zip(changes, changes[1:], strict=False):
            assert old.to_stage_id == new.from_stage_id
            assert old.at < new.at
    assert StageChange.objects.count() > Opportunity.objects.count()


@pytest.mark.django_db
def test_where_a_lead_came_from_tells_whether_it_converts():
    seed(scale=0.4)
    decided = Lead.objects.exclude(closed_at=None)

    def share(*sources):
        some = decided.filter(source__in=sources)
        return some.filter(state=LeadState.CONVERTED).count() / some.count()

    assert share("referral", "event", "email") > share("display", "social") + 0.15


# --- Beside real rows -----------------------------------------------------------------


@pytest.mark.django_db
def test_real_rows_with_the_same_names_are_no_hindrance():
    User.objects.create(username="rep", email="rep@demo.example", password="!")
    Team.objects.create(name="Sales")
    Tag.objects.create(name="VIP")
    Category.objects.create(name="Kitchen")
    Product.objects.create(sku="HP-1001", name="Real thing")
    Order.objects.create(number="D100001")
    # A demo ticket that stayed when the others were taken away has such a number too.
    Ticket.objects.create(number="D-T00001", subject="Real thing")
    before = real_rows()
    result = seed()
    login = next(one for one in result["logins"] if one["role"] == "representative")
    assert login["username"] != "rep"
    assert Client().login(username=login["username"], password=login["password"])
    assert not Client().login(username="rep", password="demo-rep")
    assert Product.objects.filter(category__name="Kitchen", is_demo=True).exists()
    remove_all()
    after = real_rows()
    for label, rows in before.items():
        assert after[label] == rows, label


# --- Removing -------------------------------------------------------------------------


@pytest.mark.django_db
def test_seeding_and_removing_leaves_every_table_as_it_was():
    before = counts()
    seed()
    during = counts()
    assert during["sales_orderline"] > 0
    assert during["customers_customer_tags"] > 0
    _lines, result = remove()
    # All but the note that it was removed.
    before["crm_seededmodel"] += 1
    # Words that the search once learned say nothing about any row.
    before["crm_searchword"] = during["crm_searchword"]
    # That rows came and went stays in the history; none of them is kept for it.
    for table in ("crm_change", "crm_operation"):
        before[table] = counts()[table]
    # The days of the orders that went are summed up within a minute.
    refresh()
    assert counts() == before
    assert result["kept"] == 0
    assert result["removed"] > 500


@pytest.mark.django_db
def test_demo_data_that_was_removed_comes_back_only_when_asked_for():
    seed(unless_removed=True)
    assert User.objects.filter(is_demo=True).exists()
    remove()
    before = counts()
    assert seed(unless_removed=True) == {"seeded": False, "logins": []}
    assert counts() == before
    assert seed()["seeded"] is True
    assert seed(unless_removed=True)["seeded"] is False


@pytest.mark.django_db
def test_removing_what_is_not_there_does_nothing():
    before = counts()
    assert remove()[1] == {"removed": 0, "kept": 0}
    assert counts() == before


@pytest.mark.django_db
def test_no_real_row_changes_and_what_it_needs_stays():
    seed()
    owner = User.objects.get(username="jack.doyle")
    login = User.objects.get(username="rep")
    needed = Customer.objects.filter(is_demo=True, owner=owner).first()
    referrer = Customer.objects.filter(is_demo=True).exclude(pk=needed.pk).last()
    sold = Order.objects.filter(is_demo=True, kind="sale").first()
    tag = Tag.objects.get(name="VIP")

    real = Customer.objects.create(name="Real Ltd", owner=login, referred_by=referrer)
    real.tags.add(tag)
    order = save_order(
        order=Order(customer=needed, owner=login),
        actor=login,
        lines=[OrderLine(description="Thing", quantity=2, unit_price=Decimal("3.50"))],
    )
    back = Order.objects.create(number="R1", kind="return", return_of=sold)
    before = real_rows()

    lines, result = remove()

    after = real_rows()
    for label, rows in before.items():
        assert after[label] == rows, label
    assert Customer.objects.filter(pk__in=[needed.pk, referrer.pk]).count() == 2
    assert list(real.tags.all()) == [tag]
    # What stays is whole: an order with its lines, a customer with its owner.
    kept = Order.objects.get(pk=sold.pk)
    total = kept.lines.aggregate(sum=Sum("amount"))["sum"]
    assert total == kept.total == sold.total
    assert User.objects.filter(pk=owner.pk).exists()
    assert result["kept"] > 0
    assert f"customer {needed.pk} ({needed}) stays: order {order.pk}" in lines
    assert f"order {sold.pk} ({sold}) stays: order {back.pk} refers to it" in lines
    # Most of it is gone nevertheless.
    assert Customer.objects.filter(is_demo=True).count() < 20
    assert not Ticket.objects.filter(is_demo=True).exists()


@pytest.mark.django_db
def test_a_login_that_stays_can_no_longer_sign_in():
    seed()
    login = User.objects.get(username="rep")
    Customer.objects.create(name="Real Ltd", owner=login)
    remove()
    login.refresh_from_db()
    assert login.is_active is False
    assert not Client().login(username="rep", password="demo-rep")
    again = seed()
    assert again["seeded"] is True
    assert "rep" not in {one["username"] for one in again["logins"]}


@pytest.mark.django_db
def test_the_log_of_demo_rows_goes_and_the_log_of_real_rows_stays():
    seed()
    rep = User.objects.get(username="rep")
    save_order(order=Order(owner=rep, is_demo=True), actor=rep)
    assert AuditEntry.objects.filter(actor=rep).count() == 1
    remove()
    assert not AuditEntry.objects.exists()
    assert not User.objects.filter(username="rep").exists()


@pytest.mark.django_db
def test_a_changed_password_of_a_real_person_is_not_touched():
    person = User.objects.create(
        username="real", email="real@example.com", password=make_password("secret-1")
    )
    seed()
    remove()
    person.refresh_from_db()
    assert person.check_password("secret-1")


@pytest.mark.django_db
def test_times_are_told_from_the_given_day():
    demo = Demo(today=TODAY)
    assert demo.now == datetime(2025, 8, 20, tzinfo=UTC)
    seed()
    newest = Order.objects.latest("placed_at").placed_at
    assert demo.now - timedelta(days=30) < newest < demo.now
    assert Order.objects.earliest("placed_at").placed_at >= demo.start


def test_who_hardly_ever_buys_does_not_lead_past_the_last_date():
    """One in some thousand customers draws a rate near zero."""
    for rate in (1e-5, 1e-9, 1e-15):
        assert timedelta(0) <= pause(Random(1), rate) <= timedelta(days=3650)
