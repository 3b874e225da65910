"""Rules of customers."""

import pytest
from django.core.exceptions import ValidationError

from crm.access import OutOfReachError
from crm.models import AuditEntry
from crm.testing.world import make_world
from customers.choices import Direction
from customers.models import Interaction
from customers.services import log_interaction, save_contact
from customers.tests.recipes import make_contact, make_customer


@pytest.fixture
def world(db):
    return make_world()


def test_a_logged_call_belongs_to_who_made_it_and_is_noted(world):
    customer = make_customer(world.ana)
    interaction = log_interaction(
        customer=customer, actor=world.ana, kind="call", subject="Called back"
    )
    assert (interaction.owner, interaction.direction) == (world.ana, Direction.OUT)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.object_id) == (world.ana, interaction.pk)


def test_a_note_has_no_direction(world):
    interaction = log_interaction(
        customer=make_customer(world.ana),
        actor=world.ana,
        kind="note",
        subject="Opens a second shop",
        direction=Direction.IN,
    )
    assert interaction.direction == Direction.NONE


def test_nobody_logs_on_a_customer_out_of_reach(world):
    # Ana sees her team's customers, but adds to her own alone.
    customer = make_customer(world.abe)
    with pytest.raises(OutOfReachError):
        log_interaction(
            customer=customer, actor=world.ana, kind="call", subject="Called"
        )
    assert not Interaction.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_log_needs_words(world):
    with pytest.raises(ValidationError):
        log_interaction(
            customer=make_customer(world.ana), actor=world.ana, kind="call", subject=""
        )
    assert not Interaction.objects.exists()


def test_a_customer_has_one_first_contact_and_the_latest_choice_counts(world):
    customer = make_customer(world.ana, kind="company")
    first = make_contact(customer=customer, is_primary=True)
    elsewhere = make_contact(is_primary=True)
    second = make_contact(customer=customer)
    second.is_primary = True
    save_contact(contact=second)
    first.refresh_from_db()
    elsewhere.refresh_from_db()
    assert (first.is_primary, second.is_primary, elsewhere.is_primary) == (
        False,
        True,
        True,
    )
