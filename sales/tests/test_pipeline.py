"""Rules of leads and opportunities."""

from decimal import Decimal

import pytest

from crm.access import OutOfReachError
from crm.exceptions import UserVisibleError
from crm.models import AuditEntry
from crm.testing.world import make_person, make_world
from customers.models import Contact, Customer
from customers.tests.recipes import make_customer
from sales import services
from sales.choices import LEAD_MOVES, STAGE_MOVES, LeadState, StageKind
from sales.models import Lead, Opportunity, Pipeline, Stage, StageChange
from sales.signals import lead_saved, opportunity_moved
from sales.tests.recipes import make_lead, make_opportunity, stage
from sales.tests.test_orders import together


@pytest.fixture
def actor(db):
    return make_person("ana", None, "administrator")


@pytest.fixture
def heard():
    """Return what was announced."""
    found = []

    def hear(sender, signal, **kwargs):
        found.append(kwargs)

    lead_saved.connect(hear)
    opportunity_moved.connect(hear)
    yield found
    lead_saved.disconnect(hear)
    opportunity_moved.disconnect(hear)


# --- Leads ----------------------------------------------------------------------------


def test_a_saved_lead_is_announced_once_it_is_committed(
    actor, heard, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        lead = services.save_lead(lead=Lead(name="Ivy", owner=actor), actor=actor)
        assert heard == []
    assert heard == [{"lead_id": lead.pk}]


@pytest.mark.parametrize("old", LeadState.values)
@pytest.mark.parametrize("new", [LeadState.NEW, LeadState.WORKING, LeadState.LOST])
def test_only_the_moves_of_the_table_go_through(actor, old, new):
    lead = make_lead(actor, state=old)
    allowed = new in LEAD_MOVES[LeadState(old)]
    if allowed:
        services.move_lead(lead=lead, actor=actor, state=new, reason="Price")
    else:
        with pytest.raises(UserVisibleError):
            services.move_lead(lead=lead, actor=actor, state=new, reason="Price")
    lead.refresh_from_db()
    assert lead.state == (new if allowed else old)
    assert AuditEntry.objects.exists() == allowed


def test_a_lost_lead_keeps_why_and_a_reopened_one_forgets(actor):
    lead = make_lead(actor)
    services.lose_lead(lead=lead, actor=actor, reason="Too dear")
    lead.refresh_from_db()
    assert (lead.lost_reason, lead.closed_at is not None) == ("Too dear", True)
    services.move_lead(lead=lead, actor=actor, state=LeadState.WORKING)
    lead.refresh_from_db()
    assert (lead.lost_reason, lead.closed_at) == ("", None)


def test_losing_needs_a_reason(actor):
    lead = make_lead(actor)
    with pytest.raises(UserVisibleError):
        services.lose_lead(lead=lead, actor=actor, reason="  ")
    lead.refresh_from_db()
    assert lead.state == LeadState.NEW


def test_a_company_lead_becomes_company_contact_and_opportunity(actor):
    lead = make_lead(
        actor,
        name="Rose Mercer",
        company="Larkspur Gifts Ltd",
        email="rose@larkspur.example",
        phone="+44 161 496 0123",
        source="event",
        notes="Do not tell the customer",
    )
    done = services.convert_lead(
        lead=lead,
        actor=actor,
        opportunity_name="Christmas range",
        amount=Decimal("1200"),
        currency="GBP",
    )
    customer = Customer.objects.get()
    assert (customer.kind, customer.name, customer.source) == (
        "company",
        "Larkspur Gifts Ltd",
        "event",
    )
    contact = Contact.objects.get()
    assert (contact.name, contact.is_primary) == ("Rose Mercer", True)
    opportunity = Opportunity.objects.get()
    assert (opportunity.customer, opportunity.lead) == (customer, lead)
    assert (opportunity.amount, opportunity.currency) == (Decimal(1200), "GBP")
    assert opportunity.stage == stage("new")
    assert opportunity.stage_changes.count() == 1
    assert done.lead.customer == customer
    assert done.lead.state == LeadState.CONVERTED
    assert done.lead.closed_at is not None


def test_a_lead_can_be_tied_to_a_known_customer(actor):
    known = make_customer(actor, name="Known")
    done = services.convert_lead(lead=make_lead(actor), actor=actor, customer=known)
    assert (done.customer, done.opportunity) == (known, None)
    assert Customer.objects.count() == 1


def test_a_lead_is_converted_once(actor):
    lead = make_lead(actor)
    services.convert_lead(lead=lead, actor=actor)
    with pytest.raises(UserVisibleError):
        services.convert_lead(lead=lead, actor=actor)
    assert Customer.objects.count() == 1


def test_nobody_makes_customers_for_somebody_else(db):
    world = make_world()
    lead = make_lead(world.abe)
    with pytest.raises(OutOfReachError):
        services.convert_lead(lead=lead, actor=world.ana)
    lead.refresh_from_db()
    assert lead.state == LeadState.NEW
    assert not Customer.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_conversions_at_once_make_one_customer():
    actor = make_person("ana", None, "administrator")
    lead = make_lead(actor)
    outcome = together(*[lambda: services.convert_lead(lead=lead, actor=actor)] * 2)
    assert outcome == ["done", "refused"]
    assert Customer.objects.count() == 1


# --- Opportunities --------------------------------------------------------------------


def test_a_new_opportunity_begins_its_history(
    actor, heard, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        opportunity = services.save_opportunity(
            opportunity=Opportunity(name="Kitchen", stage=stage("qualified")),
            actor=actor,
        )
    change = StageChange.objects.get()
    assert (change.from_stage, change.to_stage) == (None, stage("qualified"))
    assert change.actor == actor
    assert heard == [{"opportunity_id": opportunity.pk}]


def test_an_opportunity_does_not_begin_at_its_end(actor):
    with pytest.raises(UserVisibleError):
        services.save_opportunity(
            opportunity=Opportunity(name="Kitchen", stage=stage("won")), actor=actor
        )
    assert not Opportunity.objects.exists()


def test_saving_does_not_move_the_stage(actor):
    opportunity = make_opportunity(actor)
    opportunity.stage = stage("won")
    opportunity.name = "Renamed"
    services.save_opportunity(opportunity=opportunity, actor=actor)
    opportunity.refresh_from_db()
    assert (opportunity.name, opportunity.stage) == ("Renamed", stage("new"))
    assert StageChange.objects.count() == 1


def kinds():
    return {
        StageKind.OPEN: stage("proposal"),
        StageKind.WON: stage("won"),
        StageKind.LOST: stage("lost"),
    }


@pytest.mark.parametrize("old", StageKind.values)
@pytest.mark.parametrize("new", StageKind.values)
def test_only_the_moves_of_the_stage_table_go_through(actor, old, new):
    start = stage("new") if old == StageKind.OPEN else kinds()[StageKind(old)]
    opportunity = make_opportunity(actor, stage=start)
    target = kinds()[StageKind(new)]
    allowed = StageKind(new) in STAGE_MOVES[StageKind(old)]
    if allowed:
        services.move_stage(opportunity=opportunity, stage=target, actor=actor)
    else:
        with pytest.raises(UserVisibleError):
            services.move_stage(opportunity=opportunity, stage=target, actor=actor)
    opportunity.refresh_from_db()
    assert opportunity.stage == (target if allowed else start)
    assert StageChange.objects.count() == 1 + allowed
    assert AuditEntry.objects.exists() == allowed


def test_a_way_through_the_stages_is_written_down(actor):
    opportunity = make_opportunity(actor)
    services.move_stage(opportunity=opportunity, stage=stage("proposal"), actor=actor)
    services.lose_opportunity(opportunity=opportunity, actor=actor, reason="Price")
    opportunity.refresh_from_db()
    assert (opportunity.lost_reason, opportunity.closed_at is not None) == (
        "Price",
        True,
    )
    services.reopen_opportunity(opportunity=opportunity, actor=actor)
    opportunity.refresh_from_db()
    assert (opportunity.lost_reason, opportunity.closed_at) == ("", None)
    services.win_opportunity(opportunity=opportunity, actor=actor)
    way = StageChange.objects.values_list("from_stage__code", "to_stage__code")
    assert list(way) == [
        (None, "new"),
        ("new", "proposal"),
        ("proposal", "lost"),
        ("lost", "new"),
        ("new", "won"),
    ]


def test_a_stage_of_another_pipeline_is_refused(actor):
    other = Stage.objects.create(
        pipeline=Pipeline.objects.create(name="Partners"),
        code="new",
        name="New",
        position=1,
    )
    opportunity = make_opportunity(actor)
    with pytest.raises(UserVisibleError):
        services.move_stage(opportunity=opportunity, stage=other, actor=actor)
    opportunity.refresh_from_db()
    assert opportunity.stage == stage("new")


@pytest.mark.django_db(transaction=True)
def test_of_win_and_lose_at_once_one_counts():
    actor = make_person("ana", None, "administrator")
    opportunity = make_opportunity(actor, code="negotiation")
    outcome = together(
        lambda: services.win_opportunity(opportunity=opportunity, actor=actor),
        lambda: services.move_stage(
            opportunity=opportunity, stage=stage("won"), actor=actor
        ),
    )
    assert outcome == ["done", "refused"]
    assert StageChange.objects.count() == 2
