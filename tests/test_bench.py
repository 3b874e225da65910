"""The bench runs from nothing to its table; the figures themselves are never tested."""

import json
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from crm.bench.registry import measures
from crm.bench.scratch import LOCK
from crm.testing.workers import child_environment

SIZE = 400
# One of each kind; the jobs have tests of their own.
SOME = ("web process", "page weight", "customer list, first page", "create")
SOME += ("throughput", "export CSV", "export XLSX", "saved view", "import of")


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

    again = bench("--requests", "2", "--only", "order list, first")
    assert again.returncode == 0, again.stderr
    assert "rows in" not in again.stderr

    assert databases()
    bench("--drop")
    assert databases() == []


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
