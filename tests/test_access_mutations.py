"""Proof that the access matrix can fail: each door is opened, and it must be noticed.

One call that guards a door is taken away, as a careless edit would; then the matrix
judges the address as it always does and must find fault with it.
"""

from __future__ import annotations

from itertools import product

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import Http404

from crm.access import Verb, VisibleQuerySet
from crm.generic import base, listing
from crm.search import finding
from crm.testing.access_matrix import declared_rules, routes, rule_of
from crm.testing.world import OWNERS, PEOPLE, REACH, ROLE_OF, cases, make_world
from customers.models import Customer
from tests.test_access_matrix import faults

pytestmark = pytest.mark.django_db
RULES = declared_rules()
ROUTES = {route.name: route for route in routes()}


def any_row(source, user, pk, verb=Verb.VIEW):
    """Stand in for ``get_visible_or_404`` as a plain look-up."""
    rows = source if hasattr(source, "filter") else source.objects.all()
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def open_the_rows(patch):
    """Let every row be visible."""
    patch.setattr(VisibleQuerySet, "visible_to", lambda rows, user, verb="view": rows)


def open_the_look_up(patch):
    """Let a page find a row without asking whose it is."""
    patch.setattr(base, "get_visible_or_404", any_row)


def open_the_model(patch):
    """Let a page begin without asking for the verb."""
    patch.setattr(base, "require", lambda user, verb, model: None)


# Address → what is taken away there.
DOORS = {
    "customers:customer_list": open_the_model,
    "customers:customer_choices": open_the_model,
    "customers:customer_export": open_the_model,
    "customers:customer_add": open_the_model,
    "customers:customer_bulk-edit": open_the_model,
    "customers:customer_bulk-delete": open_the_model,
    "customers:customer_bulk-export": open_the_model,
    "customers:customer_detail": open_the_look_up,
    "customers:customer_peek": open_the_look_up,
    "customers:customer_panel": open_the_look_up,
    "customers:customer_cell": open_the_look_up,
    "customers:customer_edit": open_the_look_up,
    "customers:customer_delete": open_the_look_up,
}


@pytest.mark.parametrize("name", DOORS)
def test_the_matrix_notices_an_open_door(monkeypatch, name):
    route = ROUTES[name]
    with monkeypatch.context() as patch:
        DOORS[name](patch)
        assert faults(route, rule_of(route, RULES))


def write_file():
    default_storage.save("imports/early.csv", ContentFile(b"name\nSecret\n"))


def write_backup():
    settings.BACKUP_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.BACKUP_DIR / "early.crmbackup").open("ab") as file:
        file.write(b"x")


def write_over():
    """Write as many bytes into a file that is there."""
    path = settings.MEDIA_ROOT / "kept.txt"
    path.write_bytes(b"old" if path.read_bytes() == b"new" else b"new")


def take_away():
    """Delete a file; the next request finds the next one."""
    next(settings.MEDIA_ROOT.glob("gone-*")).unlink()


@pytest.mark.parametrize("write", [write_file, write_backup, write_over, take_away])
@pytest.mark.parametrize(
    ("name", "guard"),
    [
        ("customers:customer_import", "require"),
        ("customers:customer_edit", "get_visible_or_404"),
    ],
)
def test_the_matrix_notices_a_file_that_is_written_before_refusing(
    monkeypatch, settings, tmp_path, name, guard, write
):
    """The guard stands where it stood, but behind the writing."""
    settings.MEDIA_ROOT, settings.BACKUP_DIR = tmp_path / "media", tmp_path / "backups"
    settings.MEDIA_ROOT.mkdir()
    (settings.MEDIA_ROOT / "kept.txt").write_bytes(b"old")
    for number in range(200):
        (settings.MEDIA_ROOT / f"gone-{number}").touch()
    real = getattr(base, guard)

    def late(*args):
        write()
        return real(*args)

    route = ROUTES[name]
    with monkeypatch.context() as patch:
        patch.setattr(base, guard, late)
        found = faults(route, rule_of(route, RULES))
    assert any("changed something though it was refused" in one for one in found)
    assert any(one.startswith("get ") for one in found)


def test_the_matrix_finds_no_fault_with_a_guarded_door():
    route = ROUTES["customers:customer_cell"]
    assert not faults(route, rule_of(route, RULES))


@pytest.mark.parametrize(
    "url",
    [
        "/customers/",
        "/customers/choices/?q=Of+cleo",
        "/customers/export/",
        "/search/?q=Of+cleo",
        "/search/suggest/?q=Of+cleo",
    ],
)
def test_a_page_without_a_row_hides_the_rows_of_others(monkeypatch, url):
    """Of such pages the matrix asks the answer only; here is whose rows they show."""
    world = make_world()
    Customer.objects.create(name="Of cleo", owner=world.cleo, source="other")
    ana = world.client("ana")

    def shown():
        response = ana.get(url)
        parts = response.streaming_content if response.streaming else [response.content]
        text = b"".join(parts).decode()
        # What was asked for is repeated in the field of the search.
        return "Of cleo" in text.replace('value="Of cleo"', "")

    assert not shown()
    with monkeypatch.context() as patch:
        open_the_rows(patch)
        for module in (finding, listing):
            patch.setattr(module, "owners_in_reach", lambda *args: None)
        patch.setattr(finding, "sees_all", lambda *args: True)
        assert shown()


def test_the_standard_tests_ask_for_all_that_a_scope_gives_and_refuses():
    """Of people and owners that are alike they ask once; no outcome is left out."""

    def outcomes(pairs):
        return {
            (ROLE_OF.get(name, name), scope, owner in REACH[scope].get(name, ()))
            for name, owner in pairs
            for scope in REACH
        }

    assert outcomes(cases()) == outcomes(product(PEOPLE, OWNERS))
