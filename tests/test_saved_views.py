"""Saved views of lists: who sees them, who changes them, what they stand for."""

import pytest

from crm.models import Grant, Role, SavedView, User
from crm.testing.world import make_person
from customers.models import Customer
from sales.tests.recipes import make_opportunity

LIST = "/customers/"
KEY = "customers.customer"


def shown(response):
    """Return the names on a page of the list."""
    assert response.status_code == 200
    return [row.object.name for row in response.context["rows"]]


def offered(world, name):
    """Return the names of the views that a person is offered."""
    response = world.client(name).get(LIST)
    return {view.name for view in response.context["listing"].kept.views}


def view_of(owner, **values):
    """Return a saved view."""
    roles = values.pop("roles", ())
    values = {"list_key": KEY, "name": "View", "query": "city=Bonn"} | values
    if values.get("sharing") == "team":
        values["team"] = owner.team
    view = SavedView.objects.create(owner=owner, **values)
    view.default_for.set(Role.objects.filter(code__in=roles))
    return view


@pytest.fixture
def rows(world):
    """Return customers of several people."""
    values = [
        ("Ana in Bonn", "Bonn", world.ana),
        ("Ana in Ulm", "Ulm", world.ana),
        ("Cleo in Bonn", "Bonn", world.cleo),
    ]
    return [
        Customer.objects.create(name=name, city=city, owner=owner)
        for name, city, owner in values
    ]


def save(client, **values):
    """Send the form of a new view."""
    data = {"list_key": KEY, "name": "Mine", "sharing": "private", "query": "city=Bonn"}
    return client.post("/views/new/", data | values)


def test_a_view_stands_for_filters_order_and_columns(world, rows):
    client = world.client("ana")
    query = "?city=Bonn&sort=-name&columns=name%2Ccity&page=x&kind="
    answer = save(client, query=query, is_pinned="on")
    view = SavedView.objects.get()
    assert view.query == "city=Bonn&sort=-name&columns=name%2Ccity"
    assert answer.url == f"{LIST}?view={view.pk}"
    page = client.get(answer.url)
    assert shown(page) == ["Ana in Bonn"]
    assert [one.key for one in page.context["headings"]] == ["name", "city"]
    assert 'aria-current="page">Mine' in page.text


def test_a_view_with_the_layout_of_a_board_opens_as_one(world):
    make_opportunity(world.ana, name="Hedge")
    view = view_of(world.ana, list_key="sales.opportunity", query="layout=board")
    page = world.client("ana").get("/opportunities/", {"view": view.pk})
    cards = [card.object for lane in page.context["lanes"] for card in lane.cards]
    assert [card.name for card in cards] == ["Hedge"]
    assert "rows" not in page.context
    table = world.client("ana").get("/opportunities/", {"view": "all"})
    assert "lanes" not in table.context


def test_only_pinned_views_are_tabs_the_others_are_in_the_menu(world, rows):
    pinned = view_of(world.ana, name="Pinned")
    loose = view_of(world.ana, name="Loose", is_pinned=False)
    page = world.client("ana").get(LIST)
    assert [one.pk for one in page.context["view_tabs"]] == [pinned.pk]
    assert [one.pk for one in page.context["view_menu"]] == [loose.pk]
    # The one that is open stands beside the pinned ones.
    page = world.client("ana").get(LIST, {"view": loose.pk})
    tabs = {one.pk for one in page.context["view_tabs"]}
    assert (tabs, page.context["view_menu"]) == ({pinned.pk, loose.pk}, [])


def test_beside_anything_else_the_view_is_only_marked(world, rows):
    view = view_of(world.ana)
    client = world.client("ana")
    marked = client.get(LIST, {"view": view.pk, "city": "Ulm"})
    assert shown(marked) == ["Ana in Ulm"]
    assert "Update “View”" in marked.text
    client.post(f"/views/{view.pk}/update/", {"query": "city=Ulm&view=3"})
    assert shown(client.get(LIST, {"view": view.pk})) == ["Ana in Ulm"]


def test_taking_the_last_filter_away_does_not_bring_the_view_back(world, rows):
    view = view_of(world.ana)
    client = world.client("ana")
    page = client.get(LIST, {"view": view.pk})
    (chip,) = page.context["chips"]
    assert shown(client.get(LIST + chip.url)) == ["Ana in Bonn", "Ana in Ulm"]
    # Pages of the view keep its address short.
    assert page.context["listing"].url(page="x") == f"?view={view.pk}&page=x"
    assert "city=Bonn" in page.context["headings"][0].url


def test_private_team_and_everyone(world):
    view_of(world.ana, name="Private")
    view_of(world.ana, name="Desk", sharing="team")
    view_of(world.ben, name="North", sharing="team")
    view_of(world.ana, name="All", sharing="everyone")
    view_of(world.ana, name="Other list", list_key="crm.tag", sharing="everyone")
    assert offered(world, "ana") == {"Private", "Desk", "North", "All"}
    assert offered(world, "abe") == {"Desk", "North", "All"}
    assert offered(world, "ben") == {"North", "All"}
    assert offered(world, "cleo") == {"All"}
    # Those who come later see them, too.
    make_person("new", world.teams["desk"], "representative")
    world.new = User.objects.get(username="new")
    assert offered(world, "new") == {"Desk", "North", "All"}


def test_a_view_shows_nobody_more_than_they_may_see(world, rows):
    view = view_of(world.dev, sharing="everyone")
    pages = {
        name: world.client(name).get(LIST, {"view": view.pk}) for name in ("ana", "dev")
    }
    assert shown(pages["ana"]) == ["Ana in Bonn"]
    assert shown(pages["dev"]) == ["Ana in Bonn", "Cleo in Bonn"]


def test_a_view_that_is_not_mine_does_not_exist(world, rows):
    view = view_of(world.cleo, name="Secret")
    client = world.client("ana")
    for name in (view.pk, 987654, "x", "1" * 300, "\x00", "-1"):
        page = client.get(LIST, {"view": name})
        assert shown(page) == ["Ana in Bonn", "Ana in Ulm"]
        assert "That view is not there" in page.text
        assert "Secret" not in page.text
    for part in ("", "update/", "delete/"):
        assert client.post(f"/views/{view.pk}/{part}", {"name": "x"}).status_code == 404
    view.refresh_from_db()
    assert view.name == "Secret"


def test_who_may_open_a_view_may_not_change_it(world):
    view = view_of(world.ana, sharing="everyone")
    form = {"name": "Renamed", "sharing": "everyone", "position": "0"}
    for name in ("abe", "ben"):
        assert world.client(name).post(f"/views/{view.pk}/", form).status_code == 404
    for name in ("ana", "dev"):
        answer = world.client(name).post(f"/views/{view.pk}/", form | {"name": name})
        assert answer.status_code == 302
        view.refresh_from_db()
        assert (view.name, view.owner) == (name, world.ana)
    world.client("dev").post(f"/views/{view.pk}/delete/")
    assert not SavedView.objects.exists()


def test_the_default_of_a_role_opens_first(world, rows):
    view_of(world.dev, name="First", roles=["representative"])
    client = world.client("ana")
    page = client.get(LIST)
    assert shown(page) == ["Ana in Bonn"]
    assert shown(client.get(LIST, {"view": "all"})) == ["Ana in Bonn", "Ana in Ulm"]
    assert shown(client.get(LIST, {"city": "Ulm"})) == ["Ana in Ulm"]
    (chip,) = page.context["chips"]
    assert "view=all" in chip.url
    assert len(shown(world.client("ben").get(LIST))) == 2
    # The file of the page is the file of the view.
    text = client.get(page.context["export_url"]).getvalue().decode()
    assert "Ana in Bonn" in text
    assert "Ulm" not in text


def test_only_administrators_say_which_view_opens_first(world):
    role = Role.objects.get(code="representative")
    for name, count in (("ana", 0), ("dev", 1)):
        save(world.client(name), default_for=[role.pk])
        view = SavedView.objects.latest("pk")
        assert view.default_for.count() == count


def test_a_shared_view_outlives_its_author(world, rows):
    gone = make_person("gone", world.teams["desk"], "representative")
    view = view_of(gone, sharing="everyone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assert shown(world.client("ana").get(LIST, {"view": view.pk})) == ["Ana in Bonn"]
    view_of(gone, name="Private of one who left")
    gone.delete()
    assert offered(world, "ana") == {"View"}


def test_what_cannot_be_saved_is_said(world):
    client = world.client("ana")
    assert save(client, name="").status_code == 422
    assert save(client, name="x" * 90).status_code == 422
    assert save(client, sharing="world").status_code == 422
    assert save(client, list_key="no.list").status_code == 404
    assert save(client, list_key="crm.grant").status_code == 404
    assert save(client, query="q=" + "x" * 30_000).status_code == 302
    User.objects.filter(pk=world.ana.pk).update(team=None)
    answer = save(client, sharing="team")
    assert answer.status_code == 422
    assert "no team" in answer.text
    assert not SavedView.objects.exists()


def test_a_list_that_one_may_not_open_takes_no_views(world):
    Grant.objects.filter(model=KEY, role__code="representative").delete()
    assert save(world.client("ana")).status_code == 404
    assert save(world.client("fay")).status_code == 403
