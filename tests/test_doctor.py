"""The doctor finds what is broken, and says how to mend it."""

import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.test import override_settings
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler
from model_bakery import baker

from crm.celery import app
from crm.doctor.findings import all_checks, examine
from crm.jobs.registry import QUEUES
from crm.jobs.workers import COMPANION_OF
from crm.models import Job, SearchEntry, Tag
from crm.search.triggers import definitions, keep_installed
from crm.testing.workers import child_environment, worker  # noqa: F401  (a fixture)
from sales.models import Order, OrderSum
from sales.rollups import refresh

pytestmark = pytest.mark.process


def doctor(*args):
    """Return the exit code and what the doctor says."""
    output = io.StringIO()
    code = 0
    try:
        call_command("doctor", *args, stdout=output)
    except SystemExit as end:
        code = end.code
    return code, output.getvalue()


def ask(*keys):
    """Return {check: [(level, text, mend)]} of some checks."""
    found = {}
    for one in all_checks():
        if one.key in keys:
            found[one.key] = [(f.level, f.text, f.mend) for f in one.ask()]
    return found if len(keys) > 1 else found[keys[0]]


def levels(key):
    return [level for level, _text, _mend in ask(key)]


def sql(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_every_check_says_something_in_either_language(db, monkeypatch, tmp_path):
    with override_settings(BACKUP_DIR=tmp_path, MEDIA_ROOT=tmp_path):
        said = {one.key for one, _finding in examine()}
        assert said == {one.key for one in all_checks()}
        code, text = doctor()
        assert code == 1
        assert "No worker serves the queue default." in text
        code, text = doctor("--json")
        found = json.loads(text)
        assert not found["ok"]
        assert {one["level"] for one in found["findings"]} == {"ok", "warn", "fail"}
        broken = [one for one in found["findings"] if one["level"] != "ok"]
        assert all(one["mend"] for one in broken)
        monkeypatch.setenv("LANGUAGE", "zh_CN:en")
        assert "队列 default 没有后台进程。" in doctor()[1]
    assert not list(tmp_path.iterdir())


def test_a_dropped_or_disabled_trigger_is_found_and_migrate_mends_it(db):
    assert levels("triggers") == ["ok"]
    sql("DROP TRIGGER crm_search_update ON crm_tag")
    ((level, text, mend),) = ask("triggers")
    assert (level, mend) == ("fail", "bin/manage migrate")
    assert "crm_tag" in text
    keep_installed()
    assert levels("triggers") == ["ok"]

    sql("ALTER TABLE sales_order DISABLE TRIGGER sales_note_insert")
    ((level, text, mend),) = ask("triggers")
    assert level == "fail"
    sql(mend)
    assert levels("triggers") == ["ok"]

    for table, name, key in (
        ("sales_order", "sales_note_delete", "sums"),
        ("sales_stagechange", "sales_stagechange_kept", "history"),
        ("customers_customer", "analytics_part_update", "groups"),
    ):
        assert levels(key) == ["ok"]
        sql(f"DROP TRIGGER {name} ON {table}")
        assert levels(key) == ["fail"]
        assert name in ask(key)[0][1]


def test_a_missing_migration_extension_or_index_is_found(db):
    assert levels("migrations") == levels("extensions") == levels("indexes") == ["ok"]
    graph = MigrationExecutor(connection).loader.graph
    name = max(name for app, name in graph.leaf_nodes("crm"))
    MigrationRecorder.Migration.objects.filter(app="crm", name=name).delete()
    ((level, text, mend),) = ask("migrations")
    assert (level, mend) == ("fail", "bin/manage migrate")
    assert f"crm.{name}" in text
    sql(
        "UPDATE pg_index SET indisvalid = false"
        " WHERE indexrelid = 'job_dedupe'::regclass"
    )
    ((level, text, mend),) = ask("indexes")
    assert level == "fail"
    assert mend == "REINDEX INDEX CONCURRENTLY job_dedupe;"


def test_rows_that_are_not_found_and_sums_that_are_wrong_are_found(db, world):
    tag = Tag.objects.create(name="findable")
    assert levels("search") == ["ok"]
    (kind,) = (one.search.kind for one in definitions() if one.table == "crm_tag")
    SearchEntry.objects.filter(kind=kind, object_id=tag.pk).delete()
    ((level, text, mend),) = ask("search")
    assert (level, mend) == ("fail", "bin/manage reindex_search crm.Tag")
    call_command("reindex_search", "crm.Tag", stdout=io.StringIO())
    assert levels("search") == ["ok"]

    baker.make(Order, state="confirmed", total="10", currency="EUR", _quantity=3)
    assert levels("sums") == ["ok"]
    refresh()
    assert levels("sums") == ["ok"]
    OrderSum.objects.filter(grain="day").update(sales=99)
    assert ask("sums")[0][::2] == ("fail", "bin/manage rebuild_rollups")


@pytest.fixture
def summed(world):
    """Orders of two people in two countries and two months, summed up."""
    for month in (3, 4):
        for owner, country in ((world.ana, "Spain"), (world.cleo, "France")):
            placed = datetime(2026, month, 5, tzinfo=UTC)
            order = {"state": "confirmed", "total": "10", "currency": "EUR"}
            baker.make(Order, placed_at=placed, owner=owner, country=country, **order)
    refresh()


BREAKS = {
    "another number": lambda rows: rows.filter(pk=rows.first().pk).update(sold=1),
    "a row less": lambda rows: rows.first().delete(),
    "a row twice": lambda rows: OrderSum.objects.create(
        **{name: getattr(rows.first(), name) for name in OF_A_SUM}
    ),
}
OF_A_SUM = tuple(
    one.attname for one in OrderSum._meta.concrete_fields if not one.primary_key
)


@pytest.mark.parametrize("grain", ["month", "month_country", "month_owner", "both"])
@pytest.mark.parametrize("how", BREAKS)
def test_sums_of_months_that_are_not_those_of_their_days_are_found(summed, grain, how):
    assert levels("sums") == ["ok"]
    BREAKS[how](OrderSum.objects.filter(grain=grain).order_by("pk"))
    ((level, text, mend),) = ask("sums")
    assert level == "fail"
    assert "The sums of 1 months" in text
    assert mend == "Restart every worker, then run bin/manage rebuild_rollups."
    call_command("rebuild_rollups", stdout=io.StringIO())
    assert levels("sums") == ["ok"]


def test_a_worker_that_knows_only_days_is_told_of(summed, monkeypatch):
    Order.objects.filter(placed_at__month=3).update(total="20")
    # Noted, so that the month is summed up again soon: nothing is wrong.
    assert levels("sums") == ["ok"]
    with monkeypatch.context() as older:
        older.setattr("sales.rollups.SUM_DAYS_OF_MONTHS", "SELECT 1")
        refresh()
    ((level, text, _mend),) = ask("sums")
    assert level == "fail"
    assert "perhaps a worker of an older version" in text


def test_workers_scheduler_and_stuck_jobs(worker, tmp_path):  # noqa: F811
    assert levels("workers") == ["fail"] * len(QUEUES)
    assert levels("scheduler") == ["fail"]
    worker(*QUEUES)
    assert levels("workers") == ["ok"]
    DatabaseScheduler(app=app).setup_schedule()
    tasks = PeriodicTask.objects.filter(task="crm.sweep_jobs")
    assert tasks.count() == 1
    tasks.update(last_run_at=timezone.now())
    assert levels("scheduler") == ["ok"]
    tasks.update(last_run_at=timezone.now() - timedelta(hours=1))
    assert levels("scheduler") == ["fail"]

    assert levels("jobs") == ["ok"]
    # Not sent to the worker, which would take it away from under the test.
    job = Job.objects.create(kind="test.mark", params={"word": "x"})
    long_ago = timezone.now() - timedelta(hours=2)
    Job.objects.filter(pk=job.pk).update(state="queued", created_at=long_ago)
    assert "fail" in levels("jobs")
    Job.objects.filter(pk=job.pk).update(state="running", lease_until=long_ago)
    assert "fail" in levels("jobs")
    Job.objects.filter(pk=job.pk).update(state="failed", finished_at=timezone.now())
    assert levels("jobs") == ["warn"]


def test_backups_that_are_old_or_cannot_be_restored_are_found(db, tmp_path):
    with override_settings(BACKUP_DIR=tmp_path):
        assert levels("backup") == levels("trial") == ["warn"]
        for hours, level in ((1, "ok"), (40, "warn"), (200, "fail")):
            made = timezone.now() - timedelta(hours=hours)
            file = tmp_path / made.strftime("crm-%Y%m%d-%H%M%S.crmbackup")
            file.touch()
            assert levels("backup") == [level]
            file.unlink()
        ended = {"kind": "verify-backup", "finished_at": timezone.now()}
        job = Job.objects.create(state="done", result={"file": "this one"}, **ended)
        assert "this one" in ask("trial")[0][1]
        assert levels("trial") == ["ok"]
        Job.objects.create(state="failed", error="no such file", **ended)
        job.delete()
        assert levels("trial") == ["fail"]


def test_settings_of_a_first_run_are_found_where_others_can_come_in():
    good = {
        "SECRET_KEY": "".join(map(chr, range(40, 100))),
        "ALLOWED_HOSTS": ["crm.example.com"],
        "INSECURE_HTTP": False,
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    }
    with override_settings(**good):
        assert levels("settings") == ["ok"]
    for bad in (
        {"DEBUG": True},
        {"SECRET_KEY": "short"},
        {"ALLOWED_HOSTS": ["*"]},
        {"INSECURE_HTTP": True},
    ):
        with override_settings(**(good | bad)):
            assert levels("settings") == ["fail"]


def test_a_folder_that_cannot_be_written_is_found(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with override_settings(MEDIA_ROOT=file / "media"):
        assert levels("media") == ["fail"]
    with override_settings(MEDIA_ROOT=tmp_path):
        assert levels("media") == ["ok"]


@pytest.mark.parametrize("what", ["DATABASE_URL", "REDIS_URL"])
def test_a_stopped_server_is_a_line_and_no_traceback(db, what, tmp_path):
    away = {
        "DATABASE_URL": f"postgresql://x@{str(tmp_path).replace('/', '%2F')}/crm",
        "REDIS_URL": f"unix://{tmp_path}/no.sock",
    }
    environment = child_environment() | {what: away[what]}
    environment.pop(COMPANION_OF, None)
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        env=environment | {"PYTHONWARNINGS": "ignore"},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr + done.stdout
    name = "database" if what == "DATABASE_URL" else "broker"
    assert f"The {name} does not answer" in done.stdout
