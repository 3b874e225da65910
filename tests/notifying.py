"""Whom tests of notifications tell, what they do at a row, what they look at."""

import pytest
from django.urls import reverse

from crm.models import Grant, Notification, Role
from crm.testing.world import World, make_world


def open_to_managers(scope="subtree"):
    """Let managers do everything with machines."""
    role = Role.objects.get(code="sales_manager")
    for verb in ("view", "change", "delete", "import"):
        Grant.objects.create(
            role=role, model="machines.machine", verb=verb, scope=scope
        )


@pytest.fixture
def world(db: None) -> World:
    """Return the cast, with managers who may do everything with machines below."""
    made = make_world()
    open_to_managers()
    return made


def hand(client, row, person):
    """Make somebody the owner of a row on its form."""
    data = {
        "serial": row.serial,
        "name": row.name,
        "state": row.state,
        "owner": person.pk,
    }
    return client.post(f"/machines/{row.pk}/edit/", data)


def note(client, row, text="Look at this.", **data):
    url = reverse("crm:note_add", args=["machines.machine", row.pk])
    return client.post(url, {"text": text, **data})


def follow(client, row, stance="followed"):
    url = reverse("crm:follow", args=["machines.machine", row.pk])
    return client.post(url, {"stance": stance})


def unread(client):
    return client.get("/notifications/count/").json()["unread"]


def lines(person):
    rows = Notification.objects.filter(recipient=person).order_by("pk")
    return [(one.kind, one.object_id, one.count) for one in rows]
