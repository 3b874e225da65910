"""What the database refuses by itself."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from crm.testing.world import make_person
from sales.models import Opportunity, OrderLine, Pipeline, Stage, StageChange
from sales.services import move_stage
from sales.tests.recipes import make_opportunity, make_order, stage


def test_a_fresh_database_has_a_pipeline_with_expected_chances(db):
    pipeline = Pipeline.objects.get(is_default=True)
    rows = Stage.objects.filter(pipeline=pipeline).values_list(
        "code", "kind", "probability"
    )
    assert list(rows) == [
        ("new", "open", 10),
        ("qualified", "open", 25),
        ("proposal", "open", 50),
        ("negotiation", "open", 75),
        ("won", "won", 100),
        ("lost", "lost", 0),
    ]


def test_there_is_one_default_pipeline(db):
    with pytest.raises(IntegrityError), transaction.atomic():
        Pipeline.objects.create(name="Second", is_default=True)
    Pipeline.objects.create(name="Third")


def test_an_amount_is_computed_by_the_database_and_exact(db):
    order = make_order(lines=[("3.125", "0.0007"), ("-1", "19.99")])
    amounts = list(order.lines.values_list("amount", flat=True))
    assert amounts == [Decimal("0.0021875"), Decimal("-19.99")]
    order.refresh_from_db()
    assert order.total == Decimal("-19.9878125")


def test_a_line_of_nothing_is_refused(db):
    order = make_order(lines=[])
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderLine.objects.create(order=order, line_no=1, quantity=0, unit_price=1)
    assert not order.lines.exists()


def test_the_stage_history_cannot_be_changed(db):
    opportunity = make_opportunity()
    with pytest.raises(IntegrityError), transaction.atomic():
        StageChange.objects.filter(opportunity=opportunity).update(
            to_stage=stage("won")
        )
    assert StageChange.objects.get().to_stage == stage("new")


@pytest.mark.django_db(transaction=True)
def test_the_stage_history_cannot_be_deleted_alone():
    opportunity = make_opportunity()
    with pytest.raises(IntegrityError):
        StageChange.objects.filter(opportunity=opportunity).delete()
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM sales_stagechange")
    assert StageChange.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_deleted_opportunity_takes_its_history_along_however_it_is_deleted():
    actor = make_person("ana", None, "administrator")
    for way in ("row", "queryset"):
        opportunity = make_opportunity(actor)
        other = make_opportunity(actor)
        move_stage(opportunity=opportunity, stage=stage("proposal"), actor=actor)
        if way == "row":
            opportunity.delete()
        else:
            Opportunity.objects.filter(pk=opportunity.pk).delete()
        assert not StageChange.objects.filter(opportunity_id=opportunity.pk).exists()
        assert StageChange.objects.filter(opportunity=other).count() == 1
