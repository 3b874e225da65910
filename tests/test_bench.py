"""The bench runs from nothing to its table; the figures themselves are never tested."""

import json
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from crm.bench.measures import Process, Weight
from crm.bench.registry import measures
from crm.bench.scratch import LOCK
from crm.testing.workers import child_environment

SIZE = 400
# One of each kind; the jobs have tests of their own.
A_LIST = "customer list, first page"
SOME = ("web process", "page weight", A_LIST, "create")
SOME += ("throughput", "export CSV", "export XLSX", "saved view", "import of")
# What the product promises a budget for.
BUDGETS = ("customer list, first page", "customer list, last page", "search, name")
BUDGETS += ("customer list, by city", "customer list, by owner", "search, phone")
BUDGETS += ("customer list, sorted by", "search, mail", "customer, usual")
BUDGETS += ("customer, create", "opportunity board", "sales report", "start page")
BUDGETS += ("throughput", "import of", "export CSV", "job segmentation", "job ltv")
BUDGETS += ("ticket classification", "web process", "page weight of a list")


@pytest.fixture
def bench(transactional_db, tmp_path):
    def run(*args):
        return subprocess.run(
            [sys.executable, "manage.py", "bench", "--customers", str(SIZE), *args],
            cwd=settings.BASE_DIR,
            env=child_environment() | {"CRM_VAR_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    yield run
    run("--drop")


def databases():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE '%%_bench_%%'"
        )
        return [name for (name,) in cursor.fetchall()]


def test_it_fills_measures_and_can_be_dropped(bench, tmp_path):
    """Every line is there, and a second run finds the data of the first."""
    figures = tmp_path / "figures.json"
    words = [part for word in SOME for part in ("--only", word)]
    done = bench("--requests", "2", "--json", str(figures), *words)
    assert done.returncode == 0, done.stderr
    assert "customers: 400 rows" in done.stderr
    found = json.loads(figures.read_text())
    wanted = [one.name for one in measures() if any(word in one.name for word in SOME)]
    for name in wanted:
        assert f"measuring: {name}\n" in done.stderr
        lines = [one for one in found["results"] if one["name"].startswith(name)]
        assert lines, name
        assert not any(one["value"].startswith("failed") for one in lines), lines
        assert f"| {name}" in done.stdout
    assert found["filled"]["orders"] == SIZE * 2.5
    assert found["size"] == SIZE
    (row,) = [one for one in found["results"] if one["name"] == A_LIST]
    assert row["queries"] > 0
    assert row["bytes"] > 0

    again = bench("--requests", "2", "--only", "order list, first")
    assert again.returncode == 0, again.stderr
    assert "rows in" not in again.stderr

    assert databases()
    bench("--drop")
    assert databases() == []


def test_every_line_of_the_written_table_has_a_measure():
    """Process and Weight write several lines each, named after them."""
    text = (settings.BASE_DIR / "docs" / "performance.md").read_text("utf-8")
    _before, figures = text.split("\n## Figures\n")
    table = figures.split("\n|---|")[1].split("\n\n")[0]
    lines = [line.split("|")[1].strip() for line in table.splitlines()[1:]]
    assert len(lines) > 50
    names = {one.name for one in measures()}
    many = [one.name for one in measures() if isinstance(one, Process | Weight)]
    for name in lines:
        assert name in names or name.startswith(tuple(f"{one}, " for one in many)), name
    for budget in BUDGETS:
        assert any(name.startswith(budget) for name in names), budget


def test_a_name_that_nothing_has_lists_those_there_are(bench):
    done = bench("--only", "xyzzy")
    assert done.returncode != 0
    assert "customer list, first page" in done.stderr
    assert databases() == []


def test_two_do_not_work_with_one_database(bench):
    """A fill at work would look interrupted, and be thrown away by the second."""
    bench("--only", "order list, first", "--requests", "2")
    (name,) = databases()
    settings_of = connection.get_connection_params() | {"dbname": name}
    settings_of.pop("cursor_factory", None)
    settings_of.pop("context", None)
    with psycopg.connect(**settings_of, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        refused = bench("--fill")
    assert refused.returncode != 0
    assert "Another bench is at work" in refused.stderr
    assert databases() == [name]
    assert bench("--fill").returncode == 0
