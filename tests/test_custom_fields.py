"""Fields that an administrator adds: at once everywhere, renamed and retired safely."""

import json

import pytest

from crm.models import CustomField
from crm.testing.imports import import_by_pages
from customers.models import Customer
from customers.tests.recipes import make_customer

HTMX = {"HX-Request": "true"}
FIELDS = "/settings/fields/"


@pytest.fixture
def dev(world):
    return world.client("dev")


def make_field(client, kind="text", label="Nickname", **values):
    """Make a field of customers as an administrator does."""
    data = {
        "model": "customers.customer",
        "kind": kind,
        "label": label,
        "position": 0,
        "state": "active",
        **values,
    }
    answer = client.post(f"{FIELDS}new/", data)
    assert answer.status_code == 302, answer.context["form"].errors
    return CustomField.objects.get(label=label)


CHOICES = {"options": "Small\nLarge"}
# kind: (more for the definition, typed, stored, shown)
KINDS = {
    "text": ({}, "Bo", "Bo", "Bo"),
    "number": ({}, "12.5", 12.5, "12.5"),
    "money": ({}, "1234.5", 1234.5, "1,234.50"),
    "date": ({}, "2024-02-29", "2024-02-29", "29"),
    "choice": (CHOICES, "2", "2", "Large"),
    "choices": (CHOICES, ["1", "2"], ["1", "2"], "Small, Large"),
    "boolean": ({}, "False", False, "No"),
    "link": ({}, "https://example.com/a", "https://example.com/a", "example.com/a"),
}


def condition(*parts):
    return {"group": json.dumps([list(parts)])}


def names_in(response):
    return {row.object.name for row in response.context["rows"]}


def save(client, row, **values):
    """Send the row's form as the browser has it, with some values."""
    form = client.get(f"/customers/{row.pk}/edit/").context["form"]
    data = {}
    for bound in form:
        value = bound.value()
        data[bound.html_name] = "" if value is None else value
    data |= values
    return client.post(f"/customers/{row.pk}/edit/", data)


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_is_at_once_everywhere(dev, world, kind):
    more, typed, stored, shown = KINDS[kind]
    field = make_field(dev, kind, "Extra <b>", **more)
    row, other = make_customer(world.ana, name="Ada"), make_customer(world.ana)
    assert save(dev, row, **{field.name: typed}).status_code == 302
    row.refresh_from_db()
    assert row.custom == {field.key: stored}
    # Detail with its history, and the list's column.
    page = dev.get(row.get_absolute_url()).text
    assert shown in page
    assert "Extra &lt;b&gt;" in page
    assert "Extra <b>" not in page
    panel = dev.get(f"/customers/{row.pk}/panel/history/").text
    assert "Extra &lt;b&gt;" in panel
    assert shown in panel
    columns = {"columns": f"name,{field.name}"}
    assert shown in dev.get("/customers/", columns).text
    # Filter.
    found = dev.get("/customers/", condition(field.name, "filled"))
    assert names_in(found) == {"Ada"}
    assert names_in(dev.get("/customers/", condition(field.name, "empty"))) == {
        other.name
    }
    # Files: written by the database as Python would write them.
    text = b"".join(dev.get("/customers/export/", columns).streaming_content).decode()
    line = next(one for one in text.splitlines() if one.startswith("Ada"))
    assert line.split(",", 1)[1].strip('"') == {
        "choice": "Large",
        "choices": "Small, Large",
        "boolean": "False",
        "number": "12.5",
        "money": "1234.5",
    }.get(kind, str(stored))
    assert (
        dev.get("/customers/export/", {**columns, "format": "xlsx"}).status_code == 200
    )
    # Import of what was exported, for the other row.
    content = text.replace("Ada", other.name)
    run = import_by_pages(dev, "customers.customer", content.encode())
    other.refresh_from_db()
    assert other.custom == {field.key: stored}, run.rejected
    # The cell where it stands.
    address = f"/customers/{row.pk}/cell/{field.name}/"
    assert dev.get(address, headers=HTMX).status_code == 200
    answer = dev.post(address, {field.name: ""}, headers=HTMX)
    assert answer.status_code == 200, answer.text
    row.refresh_from_db()
    assert row.custom == {}
