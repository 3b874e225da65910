"""Whom most tests across apps act as, and the row that they act on."""

import pytest
from django.test import Client

from crm.testing.world import World
from tests.machines.models import Machine


@pytest.fixture
def ana(world: World) -> Client:
    """Return the browser of Ana, who works with rows of her own and her team's."""
    return world.client("ana")


@pytest.fixture
def dev(world: World) -> Client:
    """Return the browser of Dev, an administrator."""
    return world.client("dev")


@pytest.fixture
def row(world: World) -> Machine:
    """Return a machine of Ana's."""
    return Machine.objects.create(serial="S1", name="Lathe", owner=world.ana)
