"""docs/security.md names code and tests that exist, and every event with its test."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

from crm.models import EventKind

ROOT = Path(settings.BASE_DIR)
TEXT = (ROOT / "docs/security.md").read_text("utf-8")
TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
FILE = re.compile(r"`([\w./-]*(?:/[\w.-]+|\.(?:txt|json|example)))`")
IMAGE = re.compile(r"\((images/[\w.-]+)\)")
EVENT = re.compile(r"^\| `(\w+)` \| [^|]+ \| `([\w/]+\.py)::(\w+)` \|$", re.MULTILINE)
TESTS = sorted(set(TEST.findall(TEXT)))
EVENTS = {kind: (path, name) for kind, path, name in EVENT.findall(TEXT)}


def source_of(path: str, name: str) -> str:
    """Return the source of a test function; blank if there is none of the name."""
    text = (ROOT / path).read_text("utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return ast.get_source_segment(text, node) or ""
    return ""


def test_every_named_test_exists():
    assert len(TESTS) > 50
    missing = [f"{path}::{name}" for path, name in TESTS if not source_of(path, name)]
    assert not missing


def test_every_named_file_exists():
    files = {f"docs/{name}" for name in IMAGE.findall(TEXT)}
    files |= {name for name in FILE.findall(TEXT) if not name.startswith(("/", "127"))}
    assert len(files) > 30
    assert not [name for name in files if not (ROOT / name).exists()]


def test_every_event_is_in_the_table():
    assert list(EVENTS) == EventKind.values


@pytest.mark.parametrize("kind", EventKind.values)
def test_the_test_of_an_event_reads_the_event(kind):
    source = source_of(*EVENTS[kind])
    assert f"EventKind.{EventKind(kind).name}" in source or f'"{kind}"' in source


def test_every_chapter_of_the_standard_is_there():
    chapters = {int(one) for one in re.findall(r"^\| (\d+)\.\d+\.\d+", TEXT, re.M)}
    assert chapters == set(range(1, 15))
