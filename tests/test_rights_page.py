"""Rights edited in the browser: saved whole, never over others, shown beforehand."""

import json
import re
from html import unescape

import pytest
from django.urls import reverse

from crm.models import AuditEntry, FieldRule, Grant, Role, SecurityEvent, Tag, User
from crm.testing.snapshot import unchanged
from customers.models import Customer

pytestmark = pytest.mark.django_db
URL = "/settings/rights/representative/"


def page(client, url=URL):
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def seen_in(text):
    """Return what the page said it showed when it was opened."""
    return unescape(re.search(r'name="seen" value="([^"]*)"', text)[1])


def scope_of(model, verb, code="representative"):
    return (
        Grant.objects.filter(role__code=code, model=model, verb=verb)
        .values_list("scope", flat=True)
        .first()
    )


def message_of(response):
    return " ".join(str(one) for one in response.context["messages"])


def test_administrators_find_the_page_in_the_menu_and_nobody_else(world):
    assert reverse("crm:rights") in page(world.client("dev"), "/")
    for name in ("ana", "ben", "fay"):
        with unchanged(Grant, Role):
            assert world.client(name).get(URL).status_code == 403
            assert world.client(name).post(URL, {}).status_code == 403
        assert reverse("crm:rights") not in world.client(name).get("/").content.decode()
    assert world.client("dev").get("/settings/rights/no-such/").status_code == 404


def test_a_saved_scope_counts_from_the_next_request_and_is_logged(world):
    for owner in (world.ana, world.abe, world.cleo):
        Customer.objects.create(name=f"Of {owner.username}", owner=owner)
    dev, ana = world.client("dev"), world.client("ana")
    key = "r:customers.customer:view"
    seen = seen_in(page(dev))
    dev.post(URL, {"seen": seen, key: "own"})
    assert "Of abe" not in page(ana, "/customers/")
    response = dev.post(URL, {"seen": seen_in(page(dev)), key: "all"}, follow=True)
    assert "1 right changed." in message_of(response)
    assert "Of cleo" in page(ana, "/customers/")
    entry = AuditEntry.objects.filter(verb="changed").latest("pk")
    assert entry.actor == world.dev
    assert entry.changes == {"customers.customer:view": ["own", "all"]}
    event = SecurityEvent.objects.filter(kind="grant_changed").latest("pk")
    assert event.details["grant"] == [
        "view customers.customer (own)",
        "view customers.customer (all)",
    ]
    assert event.person_id == world.dev.pk


def test_an_empty_scope_takes_the_right_away(world):
    dev = world.client("dev")
    dev.post(URL, {"seen": seen_in(page(dev)), "r:customers.customer:view": ""})
    assert scope_of("customers.customer", "view") is None
    assert scope_of("customers.customer", "change") is not None
    assert world.client("ana").get("/customers/").status_code == 403


def test_two_administrators_at_once(world):
    """The second sees what changed; nothing that either typed is lost."""
    eva = User.objects.create(username="eva", email="eva@example.com", first_name="Eva")
    eva.roles.set(world.dev.roles.all())
    world.eva = eva
    first, second = world.client("dev"), world.client("eva")
    one, two = seen_in(page(first)), seen_in(page(second))
    view, add, tags = (
        f"r:{key}"
        for key in ("customers.customer:view", "customers.customer:add", "crm.tag:add")
    )
    before = json.loads(one)
    assert first.post(URL, {"seen": one, view: "all", add: ""}).status_code == 302
    stale = {
        "seen": two,
        view: "subtree",
        add: before["customers.customer:add"],
        tags: "all",
    }
    with unchanged(Grant):
        response = second.post(URL, stale)
    text = response.content.decode()
    assert response.status_code == 409
    assert "Dev Tester changed this role while you were editing" in text
    assert "you chose “team and the teams below”" in text
    # Theirs where nothing was typed, one's own where something was.
    shown = {
        cell.key: cell.value
        for section in response.context["sections"]
        for line in section.lines
        for _verb, cell in line.cells
        if cell
    }
    assert shown["customers.customer:view"] == "subtree"
    assert shown["customers.customer:add"] == ""
    assert shown["crm.tag:add"] == "all"
    again = {f"r:{key}": value for key, value in shown.items()}
    assert second.post(URL, {"seen": seen_in(text), **again}).status_code == 302
    assert scope_of("customers.customer", "view") == "subtree"
    assert scope_of("customers.customer", "add") is None
    assert scope_of("crm.tag", "add") == "all"


def test_the_last_administrator_cannot_lock_everybody_out(world):
    url = "/settings/rights/administrator/"
    dev = world.client("dev")
    seen = seen_in(page(dev, url))
    with unchanged(Grant, Role):
        response = dev.post(url, {"seen": seen, "r:*:change": "", "r:*:add": ""})
    assert response.status_code == 422
    assert "nobody could change rights" in response.content.decode()
    # What was typed is still there.
    assert response.context["is_edited"]
    data = {"seen": seen, "r:*:change": "", "r:crm.grant:change": "all"}
    assert dev.post(url, data).status_code == 302


@pytest.mark.parametrize(
    "data",
    [
        {"r:customers.customer:view": "everything"},
        {"r:customers.customer:fly": "all"},
        {"r:no.such:view": "all"},
        {"r:\x00": "all"},
        {"new_field": "customers.customer#no_such", "new_mode": "hidden"},
        {"new_field": "customers.customer#phone", "new_mode": "sideways"},
    ],
)
def test_a_right_that_does_not_exist_is_refused_in_words(world, data):
    dev = world.client("dev")
    with unchanged(Grant, FieldRule):
        response = dev.post(URL, {"seen": seen_in(page(dev)), **data})
    assert response.status_code == 422
    assert "There is no such right" in response.content.decode()


@pytest.mark.parametrize("seen", ["", "{", "[]", "[" * 5000, '{"a": 1}'])
def test_a_page_that_cannot_say_what_it_showed_saves_nothing(world, seen):
    with unchanged(Grant):
        response = world.client("dev").post(URL, {"seen": seen, "r:crm.tag:add": "all"})
    assert response.status_code == 409


def test_the_preview_tells_rows_and_roles_now_and_with_the_edit(world):
    for owner in (world.ana, world.abe, world.cleo):
        Customer.objects.create(name=f"Of {owner.username}", owner=owner)
    dev = world.client("dev")
    seen = seen_in(page(dev))
    dev.post(URL, {"seen": seen, "r:customers.customer:view": "own"})
    hidden = Customer.objects.get(name="Of abe")
    asked = {
        "seen": seen_in(page(dev)),
        "preview": "1",
        "person": world.ana.pk,
        "kind": "customers.customer",
        "record": hidden.pk,
    }
    with unchanged(Grant):
        response = dev.post(URL, {**asked, "r:customers.customer:view": "team"})
    text = response.content.decode()
    assert "would see 2 instead of 1" in text
    assert "The widest reach is “own” (Representative)" in text
    assert "its owner Abe Tester is in North desk" in text
    (answer,) = response.context["answers"]
    assert (answer.sees, answer.then_sees) == (False, True)
    # The page keeps what was typed.
    assert response.context["is_edited"]
    by_name = dev.post(URL, {**asked, "record": "abe"})
    assert [one.record for one in by_name.context["answers"]] == ["Of abe"]
    nothing = dev.post(URL, {**asked, "record": "999999999999"})
    assert "No such record was found" in nothing.content.decode()


def test_the_preview_of_a_person_counts_what_their_lists_show(world):
    for owner in (world.ana, world.abe, world.ben, world.cleo):
        Customer.objects.create(name=f"Of {owner.username}", owner=owner)
    Tag.objects.create(name="Any")
    dev = world.client("dev")
    for name in ("ana", "abe", "ben", "cleo"):
        person = getattr(world, name)
        response = dev.get(URL, {"person": person.pk})
        lines = {line.label: line.now for line in response.context["lines"]}
        listed = world.client(name).get("/customers/").context["count"].number
        assert lines["Customers"] == str(listed)
        assert lines["Tags"] == "1"


def test_moving_a_person_to_another_team_moves_what_they_see_at_once(world):
    north = Customer.objects.create(name="Of abe", owner=world.abe)
    south = Customer.objects.create(name="Of cleo", owner=world.cleo)
    Grant.objects.filter(role__code="representative", verb="view").update(scope="team")
    ana = world.client("ana")
    assert ana.get(north.get_absolute_url()).status_code == 200
    assert ana.get(south.get_absolute_url()).status_code == 404
    User.objects.filter(pk=world.ana.pk).update(team=world.teams["south"])
    # The same session, the next request.
    assert ana.get(north.get_absolute_url()).status_code == 404
    assert ana.get(south.get_absolute_url()).status_code == 200
    text = page(ana, "/customers/")
    assert "Of cleo" in text
    assert "Of abe" not in text
