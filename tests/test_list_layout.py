"""A person's own layout of a list, and what can be sorted."""

import pytest

from crm.generic.registry import registry
from crm.models import Grant, ListLayout, SavedView
from customers.models import Customer

LIST, LAYOUT = "/customers/", "/customers/layout/"
# The menu of columns, as it comes when it is opened.
MENU = {"panel": "columns"}


@pytest.fixture
def ana(world):
    Customer.objects.create(name="A", city="Bonn", owner=world.ana)
    return world.client("ana")


def columns(response):
    """Return the keys of the shown columns."""
    return [one.key for one in response.context["headings"]]


def test_columns_stand_in_the_chosen_order_for_this_person(world, ana):
    answer = ana.post(LAYOUT, {"column": ["name", "country", "city"], "address": "q=A"})
    assert answer.url == f"{LIST}?q=A"
    assert columns(ana.get(LIST)) == ["name", "country", "city"]
    assert "country" not in columns(world.client("ben").get(LIST))
    # The address wins, so that a link shows the same list to everyone.
    assert columns(ana.get(LIST, {"columns": "city,name"})) == ["city", "name"]
    answer = ana.post(
        LAYOUT, {"column": ["name"], "address": "?columns=city,name&page=x"}
    )
    assert answer.url == f"{LIST}?columns=name"
    ana.post(LAYOUT, {"reset": ""})
    assert "country" not in columns(ana.get(LIST))


def test_a_choice_of_columns_stands_beside_a_view_that_holds_others(world, ana):
    view = SavedView.objects.create(
        list_key="customers.customer",
        name="x",
        query="q=A&columns=name,city",
        owner=world.ana,
    )
    sent = {"column": ["country"], "address": f"?view={view.pk}"}
    page = ana.get(ana.post(LAYOUT, sent).url)
    assert columns(page) == ["country"]
    assert page.context["listing"].search_text == "A"
    assert page.context["listing"].kept.view.name == "x"


def test_the_file_has_the_columns_of_the_page(world, ana):
    ana.post(LAYOUT, {"column": ["city", "name"]})
    assert ana.get("/customers/export/").getvalue().decode().split() == [
        "\ufeffCity,Name",
        "Bonn,A",
    ]


def test_a_column_that_is_gone_leaves_the_others_in_order(world, ana):
    ListLayout.objects.create(
        person=world.ana,
        list_key="customers.customer",
        columns=["city", "removed_by_an_upgrade", "name"],
        widths={"removed_by_an_upgrade": 200},
    )
    assert columns(ana.get(LIST)) == ["city", "name"]
    every = {one.key for one in ana.get(LIST, MENU).context["column_choices"]}
    assert {"city", "name", "country"} <= every


def test_width_and_density_are_remembered(world, ana):
    assert ana.post(LAYOUT, {"key": "city", "width": "240"}).status_code == 204
    assert ana.post(LAYOUT, {"key": "name", "width": "99999999"}).status_code == 204
    ana.post(LAYOUT, {"density": "compact"})
    text = ana.get(LIST).text
    assert 'data-col="city" data-width="240"' in text
    assert 'data-col="name" data-width="900"' in text
    assert "table-compact" in text
    assert "table-compact" not in world.client("ben").get(LIST).text


def test_nonsense_is_not_kept(world, ana):
    for data in (
        {"column": ["no_such"]},
        {"key": "no_such", "width": "5"},
        {"key": "city", "width": "wide"},
        {"density": "huge"},
        {"column": ["\x00"], "address": "\x00"},
    ):
        assert ana.post(LAYOUT, data).status_code in (204, 302)
    assert not ListLayout.objects.exists()
    Grant.objects.filter(model="customers.customer").delete()
    assert ana.post(LAYOUT, {"density": "compact"}).status_code == 403
    assert not ListLayout.objects.exists()


def test_a_heading_that_cannot_be_sorted_says_why(world, ana):
    by_key = {one.key: one for one in ana.get(LIST).context["headings"]}
    assert by_key["name"].url
    assert not by_key["kind"].url
    assert "no index" in str(by_key["kind"].reason)


# Tables of some hundred rows are sorted at once without an index.
SMALL = {
    "crm.Tag",
    "crm.User",
    "sales.Category",
    "service.TicketCategory",
    "marketing.Campaign",
    "performance.Target",
}
# Figures of the analyses: see "Sorting" in docs/lists.md.
COMPUTED = {
    ("customers.Customer", "lifetime_value"),
    ("customers.Customer", "still_buying"),
    ("sales.Lead", "chance"),
}


def is_indexed(model, path):
    """Tell whether an index holds the rows in the order of a field, then the key."""
    field = model._meta.get_field(path)
    orders = [
        [name.removeprefix("-") for name in index.fields]
        for index in model._meta.indexes
        if index.condition is None
    ]
    return field.unique or [path, "id"] in [order[:2] for order in orders]


@pytest.mark.django_db
def test_every_sort_that_is_offered_is_read_from_an_index():
    offered = {
        (model._meta.label, str(column.sort).removeprefix("-")): model
        for model, pages in registry.pages.items()
        for column in pages.make_table().all_columns
        if column.sort and model._meta.label not in SMALL
    }
    missing = [
        f"{label}: {path}"
        for (label, path), model in offered.items()
        if (label, path) not in COMPUTED and not is_indexed(model, path)
    ]
    assert not missing, missing
