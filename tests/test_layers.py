"""Rules of the house that no linter knows."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
# Left to right: a package may know those before it. Equals do not know each other.
ARROW = {
    "crm": 0,
    "customers": 1,
    "sales": 2,
    "marketing": 3,
    "service": 3,
    "analytics": 4,
    "performance": 5,
}
BUSINESS = re.compile(
    r"\b(customers?|contacts?|orders?|opportunit(?:y|ies)|leads?|tickets?|campaigns?|quotes?)\b",
    re.IGNORECASE,
)
# "order" also means a sequence, "contact" and "lead" are verbs, "quote" is a sign: the
# words below are those uses.
INNOCENT = re.compile(
    r"order_by|\borders?\b|\bquotes?\b"
    r"|\bleads? (?:to|here|on|back|it|the|a|from|bytes?)\b",
    re.IGNORECASE,
)
# The composition root and what has to name the apps as strings.
MAY_NAME_APPS = {"settings.py", "urls.py"}


def python_files(package: str) -> list[Path]:
    """Return the package's own source files."""
    return [
        path
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in path.parts and "__pycache__" not in path.parts
    ]


def test_the_framework_knows_no_business_word():
    """A business word in crm/ means that something belongs in an app."""
    found = []
    for path in python_files("crm"):
        if path.name in MAY_NAME_APPS and path.parent.name == "crm":
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if BUSINESS.search(INNOCENT.sub("", line)):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not found, "\n".join(found)


def test_foreign_keys_point_left_only():
    """Import-linter sees imports; a foreign key by name would slip past it."""
    wrong = []
    for model in apps.get_models():
        here = ARROW.get(model._meta.app_label)
        if here is None:
            continue
        for field in [*model._meta.fields, *model._meta.many_to_many]:
            target = field.related_model
            if target is None or target._meta.app_label not in ARROW:
                continue
            there = ARROW[target._meta.app_label]
            same_app = target._meta.app_label == model._meta.app_label
            if there > here or (there == here and not same_app):
                wrong.append(f"{model._meta.label}.{field.name} → {target._meta.label}")
    assert not wrong, wrong


def doors() -> list[Path]:
    """Return the files that answer people."""
    names = re.compile(r"(views|pages|panels|tiles)(_\w+)?\.py$")
    return [
        path
        for package in {label for label in ARROW if label != "performance"}
        for path in python_files(package)
        if (
            names.fullmatch(path.name)
            or path.parent.name in ("views", "panels", "tiles")
        )
        and not {"tests", "testing"} & set(path.parts)
    ]


def unguarded_reads(source: str) -> list[int]:
    """Return the lines that start from ``Model.objects`` without ``visible_to``.

    ``Model.objects.visible_to(…)`` is the rule itself; writing rows is no reading.
    """
    tree = ast.parse(source)
    guarded = {id(node) for node in guarded_nodes(tree)}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in ("objects", "_default_manager", "_base_manager")
        and id(node) not in guarded
    ]


def guarded_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what the access rule is applied to, in place or by way of a variable."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "visible_to":
            parts = [node.value]
        elif isinstance(node, ast.Call) and "get_visible_or_404" in ast.dump(node.func):
            parts = node.args
        else:
            continue
        for part in parts:
            yield from ast.walk(part)
            if isinstance(part, ast.Name):
                names.add(part.id)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in names:
            yield from ast.walk(node.value)


# Framework code that defines the rule, or reads what carries the right of its row.
EXEMPT = {
    "crm/generic/pages.py": "defines where every page starts; views narrow it",
}


def test_doors_read_rows_through_the_access_rule():
    """Views, pages, panels and tiles must not start from all rows."""
    wrong = []
    for path in doors():
        name = str(path.relative_to(ROOT))
        if name in EXEMPT:
            continue
        lines = unguarded_reads(path.read_text("utf-8"))
        wrong += [f"{name}:{line}" for line in lines]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("rows = Thing.objects.all()", 1),
        ("rows = Thing.objects.filter(a=1).visible_to(user)", 0),
        ("rows = Thing._base_manager.get(pk=1)", 1),
        ("rows = Thing.objects.all()\none = get_visible_or_404(rows, user, 1)", 0),
        ("rows = Thing.objects.all()\none = others.visible_to(user)", 1),
        ("one = access.get_visible_or_404(Thing.objects.all(), user, 1)", 0),
    ],
)
def test_the_walk_finds_unguarded_reads(source, count):
    assert len(unguarded_reads(source)) == count


def test_exemptions_are_still_needed():
    for name in EXEMPT:
        assert unguarded_reads((ROOT / name).read_text("utf-8")), name


def test_the_web_process_never_imports_pandas():
    """Analyses run in workers; the web process stays small and quick to start."""
    program = (
        "import sys, crm.wsgi, crm.urls;"
        "heavy = {'pandas', 'sklearn', 'scipy', 'numpy'} & set(sys.modules);"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
