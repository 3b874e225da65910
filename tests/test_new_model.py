"""A new model gets everything from one short declaration; the docs show this one."""

from __future__ import annotations

import ast
from io import StringIO
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.management import call_command

from crm.generic.registry import registry
from crm.models import Grant
from crm.testing.imports import import_by_pages
from customers.models import Customer
from tests.machines.models import Machine

APP = Path(__file__).parent / "machines"
DECLARED = ("models.py", "pages.py", "grants.py", "tests/test_pages.py")
DOCS = Path(__file__).parents[1] / "docs" / "adding-a-model.md"
MOST_LINES = 40


def lines_beyond_fields(source: str) -> int:
    """Count the lines that are neither blank nor part of a model's field."""
    fields: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and "models." in ast.unparse(node.value)[:7]:
            fields.update(range(node.lineno, node.end_lineno + 1))
    lines = enumerate(source.splitlines(), start=1)
    return sum(bool(line.strip()) and number not in fields for number, line in lines)


def test_the_example_is_short_and_the_docs_show_it():
    docs = DOCS.read_text("utf-8")
    total = 0
    for name in DECLARED:
        source = (APP / name).read_text("utf-8")
        assert source.strip() in docs, name
        total += lines_beyond_fields(source)
    assert total <= MOST_LINES


def test_the_counter_counts():
    source = (
        "class A(models.Model):\n    a = models.X(\n        1\n    )\n\n    b = 2\n"
    )
    assert lines_beyond_fields(source) == 2


def test_its_migration_is_up_to_date(db):
    call_command("makemigrations", "machines", check=True, dry_run=True, verbosity=0)


def test_it_has_every_page_and_its_grants(db):
    pages = registry.pages_of(Machine)
    assert {"list", "detail", "add", "edit", "delete", "import", "export"} <= set(
        pages.routes()
    )
    assert Grant.objects.filter(model="machines.machine").count() == 3


def test_it_is_found_filtered_and_exported(world):
    for number, state in enumerate(("running", "broken", "broken")):
        Machine.objects.create(
            serial=f"S{number}", name=f"Lathe {number}", state=state, owner=world.ana
        )
    ana, dev = world.client("ana"), world.client("dev")
    page = ana.get("/machines/?state=broken")
    assert {row.object.serial for row in page.context["rows"]} == {"S1", "S2"}
    page = ana.get("/machines/?q=lathe 2")
    assert {row.object.serial for row in page.context["rows"]} == {"S2"}
    text = dev.get("/machines/export/?state=running").getvalue().decode("utf-8-sig")
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == ["Lathe 0"]


def test_files_fill_it(world, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    content = "Serial number,Name,State,Installed\nA1,Press,broken,2026-03-01\n,No,,\n"
    run = import_by_pages(world.client("dev"), "machines.machine", content.encode())
    assert (run.created, run.rejected) == (1, 1)
    machine = Machine.objects.get()
    assert (machine.state, machine.owner) == ("broken", world.dev)


@pytest.mark.parametrize("page", ["machines/", "machines/new/"])
def test_it_speaks_chinese(world, page):
    client = world.client("dev")
    text = client.get(f"/{page}", headers={"Accept-Language": "zh-hans"}).text
    assert "设备" in text
    assert "Machines" not in text


def test_its_admin_opens(world):
    world.dev.is_staff = world.dev.is_superuser = True
    world.dev.save()
    Machine.objects.create(serial="S9", name="Drill", owner=world.ana)
    text = world.client("dev").get("/admin/machines/machine/?q=drill").text
    assert "Drill" in text
    output = StringIO()
    call_command("check", stdout=output)
    assert "no issues" in output.getvalue()


SIX = ("kind", "name", "phone", "email", "city", "country")


@pytest.mark.parametrize(
    ("fields", "is_wrong"),
    [
        (SIX[:2], True),
        (SIX[:3], False),
        (SIX[:5], False),
        (SIX, True),
        (("kind", "phone", "email"), True),
        (("name", "phone", "nothing"), True),
    ],
)
def test_a_short_form_has_three_to_five_fields_with_those_required(
    monkeypatch, fields, is_wrong
):
    pages = registry.pages_of(Customer)
    monkeypatch.setattr(pages, "quick_fields", fields)
    found = [check.id for check in run_checks() if check.obj is Customer]
    assert found == (["crm.E003"] if is_wrong else [])
