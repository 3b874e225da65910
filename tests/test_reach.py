"""Rights told from the rows that a page has read are those that would be asked."""

import pytest

from crm.access import Scope
from crm.models import Grant, Role, Share, User
from crm.reach import held, reachable_now
from crm.testing.world import OWNERS, REACH
from customers.models import Contact, Customer


@pytest.fixture
def role(world):
    """Return a role that everybody holds alone; it grants nothing yet."""
    role = Role.objects.create(code="tester")
    for name in OWNERS:
        world.owners()[name].roles.set([role])
    return role


def fresh(user):
    """Return the person as the next request would load it."""
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize("scope", Scope.values)
def test_what_a_row_tells_of_rights_is_what_would_be_asked(
    world, role, scope, django_assert_num_queries
):
    """Also by way of another row, and where the row alone does not tell."""
    for model in ("customers.customer", "customers.contact"):
        Grant.objects.create(role=role, model=model, verb="change", scope=scope)
    customers = {
        owner: Customer.objects.create(name=owner, owner=world.owners()[owner])
        for owner in OWNERS
    }
    contacts = {
        Contact.objects.create(name=owner, customer=one).pk: owner
        for owner, one in customers.items()
    }
    alone = list(Contact.objects.order_by("pk"))
    known = list(Contact.objects.select_related("customer").order_by("pk"))
    for name in OWNERS:
        user = fresh(world.owners()[name])
        asked = reachable_now(user, "change", Contact, contacts)
        assert {contacts[pk] for pk in asked} == set(REACH[scope][name])
        assert held(user, "change", Contact, alone) == asked
        # Whose rows the scope reaches is asked once per request.
        assert held(user, "change", Contact, known) == asked
        with django_assert_num_queries(0):
            assert held(user, "change", Contact, known) == asked
            mine = held(user, "change", Customer, customers.values())
        assert {one.name for one in customers.values() if one.pk in mine} == set(
            REACH[scope][name]
        )
        assert not held(user, "delete", Contact, known)


def test_what_is_shared_is_held_though_the_row_does_not_tell(world, role):
    label = "customers.customer"
    Grant.objects.create(role=role, model=label, verb="view", scope="own")
    theirs = Customer.objects.create(name="theirs", owner=world.cleo)
    assert not held(fresh(world.ana), "view", Customer, [theirs])
    Share.objects.create(
        model=label, object_id=theirs.pk, person=world.ana, verb="view"
    )
    assert held(fresh(world.ana), "view", Customer, [theirs]) == {theirs.pk}
