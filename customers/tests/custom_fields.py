"""Short ways to make custom fields in tests."""

import json
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.test import Client

from crm.custom.indexes import filter_index
from crm.models import CustomField

FIELDS = "/settings/fields/"
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
# kind, operator and values, who is found.
COMPARED = [
    ("number", ("gte", "9"), {"Nine", "Ten"}),
    ("number", ("between", ["2", "9.5"]), {"Nine"}),
    ("number", ("eq", "10"), {"Ten"}),
    ("money", ("lte", "9"), {"Nine"}),
    ("date", ("before", "2024-03-01"), {"Nine"}),
    ("date", ("on", "2024-03-01"), {"Ten"}),
    ("date", ("between", ["2024-02-29", "2024-02-29"]), {"Nine"}),
    ("choice", ("any", ["2"]), {"Ten"}),
    ("choice", ("none", ["2"]), {"Nine", "None"}),
    ("choices", ("any", ["1"]), {"Nine", "Ten"}),
    ("choices", ("all", ["1", "2"]), {"Ten"}),
    ("choices", ("none", ["2"]), {"Nine", "None"}),
    ("boolean", ("is", "yes"), {"Ten"}),
    ("text", ("is", "b%"), {"Ten"}),
    ("text", ("not", "b%"), {"Nine", "None"}),
    ("text", ("contains", "A"), {"Nine"}),
    ("text", ("begins", "B"), {"Ten"}),
]
VALUES = {
    "number": (9, 10),
    "money": (9, 10.5),
    "date": ("2024-02-29", "2024-03-01"),
    "choice": ("1", "2"),
    "choices": (["1"], ["1", "2"]),
    "boolean": (False, True),
    "text": ("a_", "b%"),
}


def make_field(
    client: Client, kind: str = "text", label: str = "Nickname", **values: Any
) -> CustomField:
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


def condition(*parts: Any) -> dict[str, str]:
    """Return the address of a list with one condition."""
    return {"group": json.dumps([list(parts)])}


def names_in(response: HttpResponse) -> set[str]:
    """Return the names of the rows that a list shows."""
    return {row.object.name for row in response.context["rows"]}


def edit_field(client: Client, field: CustomField, **values: Any) -> HttpResponse:
    """Send the administrator's form of a field, with some values."""
    form = client.get(f"{FIELDS}{field.pk}/edit/").context["form"]
    data = {bound.html_name: bound.value() for bound in form} | values
    return client.post(f"{FIELDS}{field.pk}/edit/", data)


def has_index(field: CustomField, name: Callable[[int], str] = filter_index) -> bool:
    """Tell whether the database has an index of a field."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name(field.pk)])
        return cursor.fetchone()[0]
