"""One record shared with a person or a team: seen at once, never wider, taken back."""

import pytest

from crm.models import AuditEntry, Grant, Role, SecurityEvent, Share
from crm.testing.snapshot import unchanged
from customers.models import Customer

pytestmark = pytest.mark.django_db
LIST = "/customers/"


@pytest.fixture
def row(world):
    """Return a customer of Cleo's, whom Ana's team does not reach."""
    Customer.objects.create(name="Of ana", owner=world.ana, source="other")
    return Customer.objects.create(name="Of cleo", owner=world.cleo, source="other")


def share(world, row, by="cleo", **data):
    url = f"{LIST}{row.pk}/share/"
    return world.client(by).post(url, {"verb": "view", **data})


def names(client, url=LIST):
    return {line.object.name for line in client.get(url).context["rows"]}


def test_two_sessions_share_and_take_back(world, row):
    cleo, ana = world.client("cleo"), world.client("ana")
    url = f"{LIST}{row.pk}/share/"
    assert ana.get(row.get_absolute_url()).status_code == 404
    assert names(ana) == {"Of ana"}
    response = cleo.post(
        url, {"person": world.ana.pk, "verb": "view", "note": "Holidays"}
    )
    assert response.status_code == 302
    # In list, page, search, pickers and their counts, in the other's running session.
    assert ana.get(row.get_absolute_url()).status_code == 200
    assert names(ana) == {"Of ana", "Of cleo"}
    assert names(ana, f"{LIST}?q=cleo") == {"Of cleo"}
    assert "Of cleo" in ana.get("/search/?q=Of+cleo").content.decode()
    assert "Of cleo" in ana.get(f"{LIST}choices/?q=cleo").content.decode()
    panel = ana.get(f"{LIST}{row.pk}/panel/shares/", HTTP_HX_REQUEST="true")
    assert "Holidays" in panel.content.decode()
    # To see is not to change, to share on, to take away or to delete.
    for page in ("edit", "share", "delete"):
        with unchanged(Customer, Share):
            assert ana.get(f"{LIST}{row.pk}/{page}/").status_code in (403, 404), page
            assert ana.post(f"{LIST}{row.pk}/{page}/").status_code in (403, 404), page
    export = ana.get(f"{LIST}export/")
    assert b"Of cleo" not in b"".join(export.streaming_content)
    cleo.post(url, {"remove": Share.objects.get().pk})
    assert ana.get(row.get_absolute_url()).status_code == 404
    assert names(ana) == {"Of ana"}


def test_a_share_to_change_lets_edit_but_not_share_on(world, row):
    share(world, row, person=world.ana.pk, verb="change")
    ana = world.client("ana")
    page = ana.get(f"{LIST}{row.pk}/edit/")
    assert page.status_code == 200
    data = {
        "name": "Renamed",
        "kind": row.kind,
        "source": row.source,
        "currency": row.currency,
        "owner": world.cleo.pk,
        "row_version": page.context["version"],
    }
    assert ana.post(f"{LIST}{row.pk}/edit/", data).status_code == 302
    row.refresh_from_db()
    assert row.name == "Renamed"
    with unchanged(Share):
        again = share(world, row, by="ana", person=world.abe.pk)
    assert again.status_code == 403


def test_a_team_share_follows_the_people_of_the_team(world, row):
    share(world, row, team=world.teams["desk"].pk)
    assert names(world.client("abe")) >= {"Of cleo"}
    type(world.abe).objects.filter(pk=world.abe.pk).update(team=world.teams["north"])
    assert "Of cleo" not in names(world.client("abe"))


def test_it_opens_nothing_to_a_role_without_the_right(world, row):
    share(world, row, person=world.fay.pk, verb="change")
    assert world.client("fay").get(row.get_absolute_url()).status_code == 403
    role = Role.objects.create(code="reader")
    world.fay.roles.add(role)
    Grant.objects.create(
        role=role, model="customers.customer", verb="view", scope="own"
    )
    assert world.client("fay").get(row.get_absolute_url()).status_code == 200
    assert world.client("fay").get(f"{LIST}{row.pk}/edit/").status_code == 403


def test_bulk_actions_keep_to_what_the_share_allows(world, row):
    share(world, row, person=world.ana.pk)
    page = world.client("ana").get(LIST)
    cells = {
        line.object.name: any(cell.edit for cell in line.cells)
        for line in page.context["rows"]
    }
    assert cells == {"Of ana": True, "Of cleo": False}


def test_sharing_twice_changes_the_first_share(world, row):
    """Two sessions of the owner: the later one counts, nothing is doubled."""
    share(world, row, person=world.ana.pk)
    share(world, row, person=world.ana.pk, verb="change", note="Now")
    one = Share.objects.get()
    assert (one.verb, one.note, one.by) == ("change", "Now", world.cleo)
    gone = world.client("cleo").post(f"{LIST}{row.pk}/share/", {"remove": "999"})
    assert gone.status_code == 302


@pytest.mark.parametrize("data", [{}, {"person": "x"}, {"verb": "delete"}, "both"])
def test_bad_input_is_said_beside_the_field(world, row, data):
    if data == "both":
        data = {"person": world.ana.pk, "team": world.teams["desk"].pk}
    with unchanged(Share):
        assert share(world, row, **data).status_code == 422


def test_who_shared_what_is_logged(world, row):
    share(world, row, person=world.ana.pk)
    entry = AuditEntry.objects.get(verb="shared")
    assert (entry.actor, entry.object_id) == (world.cleo, row.pk)
    event = SecurityEvent.objects.get(kind="shared")
    assert (event.person_id, event.actor_id) == (world.ana.pk, world.cleo.pk)


def test_the_preview_says_that_a_record_is_shared(world, row):
    share(world, row, person=world.ana.pk)
    asked = {"person": world.ana.pk, "kind": "customers.customer", "record": row.pk}
    page = world.client("dev").get("/settings/rights/representative/", asked)
    (answer,) = page.context["answers"]
    assert answer.sees
    assert "shared with them" in answer.why
