"""One record shared with a person or a team: seen at once, never wider, taken back."""

import pytest
from django.db.models import ForeignKey

from crm.history.tables import tracked_models
from crm.history.undo import undo
from crm.models import AuditEntry, Grant, Operation, Role, SecurityEvent, Share, User
from crm.shared import ways_to_wholes
from crm.testing.rights import grant
from crm.testing.snapshot import unchanged
from customers.models import Contact, Customer, Interaction
from customers.tests.recipes import make_contact, make_customer, make_interaction
from sales.models import Opportunity, Order, OrderLine, StageChange
from sales.tests.recipes import make_opportunity, make_order
from service.models import Message, Ticket
from service.tests.recipes import make_ticket

pytestmark = pytest.mark.django_db
LIST = "/customers/"
PARTS = (
    *(Contact, Interaction, Order, OrderLine),
    *(Opportunity, StageChange, Ticket, Message),
)
WHOLE = tuple(model._meta.label_lower for model in PARTS)


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


# --- With everything that belongs to it -----------------------------------------------


@pytest.fixture
def whole(world, row):
    """Return {kind of page: row} of what belongs to Cleo's customer, or below that."""
    Customer.objects.filter(pk=row.pk).update(kind="company")
    order = make_order(world.cleo, customer=row)
    ticket = make_ticket(world.cleo, customer=row)
    Message.objects.create(
        ticket=ticket, author=world.cleo, body="Leaks", direction="in"
    )
    verbs = ("view", "change", "delete", "export", "add")
    grant("representative", WHOLE, verbs, "team")
    return {
        "contacts": make_contact(customer=row, name="Kim of cleo"),
        "interactions": make_interaction(world.cleo, customer=row),
        "orders": order,
        "opportunities": make_opportunity(world.cleo, customer=row),
        "tickets": ticket,
    }


def seen(person):
    """Return how many rows of each kind the person sees, asked as pages ask."""
    person = User.objects.get(pk=person.pk)
    return {model: model.objects.visible_to(person).count() for model in PARTS}


def test_a_whole_is_shared_and_taken_back_with_what_belongs_to_it(world, row, whole):
    ana = world.client("ana")
    urls = [one.get_absolute_url() for one in whole.values()]
    share(world, row, person=world.ana.pk)
    assert {ana.get(url).status_code for url in urls} == {404}
    assert set(seen(world.ana).values()) == {0}
    share(world, row, person=world.ana.pk, is_whole="on")
    assert {ana.get(url).status_code for url in urls} == {200}
    assert set(seen(world.ana).values()) == {1}
    # In lists, their counts, search, panels of the customer, and pickers.
    for kind, one in whole.items():
        page = ana.get(f"/{kind}/")
        assert [line.object for line in page.context["rows"]] == [one], kind
        assert page.context["count"].number == 1, kind
    assert "Kim of cleo" in ana.get("/search/?q=Kim").text
    assert [one.object for one in ana.get("/contacts/?q=Kim").context["rows"]]
    panel = ana.get(f"{LIST}{row.pk}/panel/contacts/", HTTP_HX_REQUEST="true")
    assert "Kim of cleo" in panel.text
    # What comes later belongs to it, what moves away does not, and others see nothing.
    later = make_contact(customer=row)
    assert ana.get(later.get_absolute_url()).status_code == 200
    later.customer = make_customer(world.cleo)
    later.save()
    assert ana.get(later.get_absolute_url()).status_code == 404
    assert set(seen(world.abe).values()) == {0}
    world.client("cleo").post(
        f"{LIST}{row.pk}/share/", {"remove": Share.objects.get().pk}
    )
    assert {ana.get(url).status_code for url in urls} == {404}
    assert set(seen(world.ana).values()) == {0}


def test_a_whole_to_view_lets_do_nothing_else(world, row, whole):
    share(world, row, person=world.ana.pk, is_whole="on")
    ana = world.client("ana")
    for kind, one in whole.items():
        for page in ("edit", "delete", "share"):
            url = f"/{kind}/{one.pk}/{page}/"
            with unchanged(type(one), Share):
                assert ana.get(url).status_code in (403, 404), url
                assert ana.post(url).status_code in (403, 404), url
    export = b"".join(ana.get("/contacts/export/").streaming_content)
    assert b"Kim of cleo" not in export


def test_a_whole_to_change_lets_edit_and_undo_the_parts(world, row, whole):
    share(world, row, person=world.ana.pk, verb="change", is_whole="on")
    ana, contact = world.client("ana"), whole["contacts"]
    url = f"/contacts/{contact.pk}/cell/name/"
    version = {"row_version": contact.updated_at.isoformat()}
    answer = ana.post(url, {"name": "Kim the Second", **version})
    assert answer.status_code == 200, answer.text
    contact.refresh_from_db()
    assert contact.name == "Kim the Second"
    done = Operation.objects.latest("pk")
    assert not undo(done, User.objects.get(pk=world.ana.pk)).left
    contact.refresh_from_db()
    assert contact.name == "Kim of cleo"
    for page in ("delete", "share"):
        with unchanged(Contact, Share):
            answer = ana.post(f"/contacts/{contact.pk}/{page}/", {"sure": "1"})
            assert answer.status_code in (403, 404)
    # Nothing is carried off to where she could not put it, nor added below it.
    away = make_customer(world.cleo)
    with unchanged(Contact):
        data = {"name": "New", "customer": row.pk}
        assert ana.post("/contacts/new/", data).status_code != 302
        data = {"name": contact.name, "customer": away.pk}
        ana.post(f"/contacts/{contact.pk}/edit/", data | version)


def test_a_whole_opens_nothing_to_a_role_without_the_right(world, row, whole):
    Grant.objects.filter(role__code="representative", model="sales.order").delete()
    share(world, row, person=world.ana.pk, is_whole="on")
    ana = world.client("ana")
    assert ana.get(whole["contacts"].get_absolute_url()).status_code == 200
    assert ana.get(whole["orders"].get_absolute_url()).status_code == 403


def test_the_preview_says_that_its_whole_is_shared(world, row, whole):
    share(world, row, person=world.ana.pk, is_whole="on")
    asked = {"person": world.ana.pk, "kind": "customers.contact", "record": "Kim"}
    page = world.client("dev").get("/settings/rights/representative/", asked)
    (answer,) = page.context["answers"]
    assert answer.sees
    assert "What it belongs to is shared" in answer.why


def test_only_rows_with_parts_are_shared_as_wholes(world, row, whole):
    cleo = world.client("cleo")
    assert 'name="is_whole"' in cleo.get(f"{LIST}{row.pk}/share/").text
    url = f"/contacts/{whole['contacts'].pk}/share/"
    assert 'name="is_whole"' not in cleo.get(url).text


def test_every_part_leads_to_rows_that_can_be_shared():
    """``belongs_to`` names foreign keys, so that no row is met twice in a list."""
    for model in tracked_models().values():
        for name in getattr(model, "belongs_to", ()):
            assert isinstance(model._meta.get_field(name), ForeignKey), model
    assert ways_to_wholes(OrderLine) == {
        "order": "sales.order",
        "order__customer": "customers.customer",
    }
