"""A backup is restored as it was, or refused in a sentence with nothing touched."""

import fcntl
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.test import override_settings

from crm.backup import database
from crm.backup.archive import read_manifest
from crm.backup.create import write_backup
from crm.backup.jobs import kept_backups
from crm.backup.restore import restore
from crm.exceptions import UserVisibleError
from crm.jobs import enqueue
from crm.models import Job, SearchEntry, Tag
from crm.testing.workers import child_environment, run_jobs
from customers.models import Customer

pytestmark = pytest.mark.process

ODD = ("张三 \\N \\. tab\there", "two\nlines\r\n", "quote ' \" and {json}", "🙂 é ½")


@pytest.fixture
def media(tmp_path, settings):
    """Attachments in a folder of the test's own: {name: content}."""
    settings.MEDIA_ROOT = tmp_path / "media"
    files = {"one.txt": b"first", "imports/deep/er.bin": os.urandom(70_000)}
    for name, content in files.items():
        path = settings.MEDIA_ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return files


@pytest.fixture
def rows(transactional_db, world, media):
    """Some rows whose text is hard to carry."""
    for number, text in enumerate(ODD):
        Tag.objects.create(name=text)
        Customer.objects.create(
            name=f"{text} {number}", owner=world.ana, custom={"text": text}
        )
    yield
    with psycopg.connect(url_of("postgres"), autocommit=True) as link:
        asked = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        for (name,) in link.execute(asked, [f"{live()}_"]).fetchall():
            link.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def live():
    return connection.settings_dict["NAME"]


def url_of(name, user=""):
    url = urlsplit(os.environ["DATABASE_URL"])
    given, _at, host = url.netloc.rpartition("@")
    return urlunsplit(url._replace(netloc=f"{user or given}@{host}", path=f"/{name}"))


def databases():
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


def state(name=""):
    """Return {table: what all its rows are}, asked otherwise than the product asks."""
    with database.connect(name or live()) as link:
        listed = link.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace"
        )
        ask = """SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text))
                 FROM "{}" t"""
        return {
            table: link.execute(ask.format(table)).fetchone()
            for (table,) in listed.fetchall()
        }


def shape(name):
    """Return what keeps a database right: triggers, constraints, indexes, sequences."""
    asked = (
        "SELECT tgrelid::regclass::text, tgname, tgenabled::text FROM pg_trigger"
        " WHERE NOT tgisinternal",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid),"
        " convalidated FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace",
        "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT sequencename::text, last_value FROM pg_sequences",
    )
    with database.connect(name) as link:
        return [sorted(link.execute(one).fetchall(), key=repr) for one in asked]


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.relative_to(folder).parts[0].startswith(".")
    }


def run(*args):
    """Run a command in this process; return its last line, which is JSON."""
    output = io.StringIO()
    call_command(*map(str, args), stdout=output, stderr=io.StringIO())
    return json.loads(output.getvalue().splitlines()[-1])


def refused(*args):
    """Run a command that must be refused; return the sentence."""
    before = state(), databases()
    with pytest.raises(CommandError) as refusal:
        run(*args)
    assert (state(), databases()) == before
    return str(refusal.value)


def command(*args, **environment):
    """Return how to start a command in a process of its own."""
    return {
        "args": [sys.executable, "manage.py", *map(str, args)],
        "cwd": settings.BASE_DIR,
        "env": child_environment()
        | {"MEDIA_ROOT": str(settings.MEDIA_ROOT)}
        | environment,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "start_new_session": True,
    }


def test_a_killed_restore_leaves_the_old_state_and_the_next_one_restores(
    rows, media, tmp_path
):
    """Also: other connections, what was written meanwhile, and the old state kept."""
    file = tmp_path / "one.backup"
    saved, saved_shape = state(), shape(live())
    with database.connect(live()) as other:

        def meanwhile(done, total, message):
            if done:
                other.execute(
                    "INSERT INTO crm_tag"
                    " (name, colour, created_at, updated_at, is_demo)"
                    " VALUES (gen_random_uuid(), 'red', now(), now(), false)"
                )

        write_backup(file, progress=meanwhile)
    assert file.stat().st_mode & 0o777 == 0o600
    assert Tag.objects.count() > len(ODD)
    Customer.objects.all().delete()
    changed = state()

    connections.close_all()
    started = subprocess.Popen(**command("restore", file))
    name = f"{live()}_restore"
    with psycopg.connect(url_of("postgres"), autocommit=True) as link:
        there = "SELECT 1 FROM pg_database WHERE datname = %s"
        while not link.execute(there, [name]).fetchone():
            assert started.poll() is None, started.communicate()
            time.sleep(0.05)
    os.killpg(started.pid, signal.SIGKILL)
    started.communicate()
    assert state() == changed
    assert name in databases()

    (settings.MEDIA_ROOT / "later.txt").write_text("not in the backup")
    with database.connect(live()):
        assert "connections: 1" in refused("restore", file)
        done = run("restore", file, "--force")
    restored = state()
    assert {key for key in saved if saved[key] != restored[key]} == set()
    assert shape(live())[:3] == saved_shape[:3]
    numbers = dict(shape(live())[3])
    assert all(value is None or numbers[key] >= value for key, value in saved_shape[3])
    assert files_of(settings.MEDIA_ROOT) == media
    assert name not in databases()
    # What was there before the restore is kept, and the triggers work again.
    assert state(done["old_database"]) == changed
    assert list(settings.MEDIA_ROOT.glob(".before-*/later.txt"))
    Customer.objects.create(name="after the restore")
    assert SearchEntry.objects.count() == restored["crm_searchentry"][0] + 1


def test_a_file_with_any_byte_changed_cut_off_or_longer_is_refused(rows, tmp_path):
    good, bad = tmp_path / "good", tmp_path / "bad"
    for key, flips in ("", 36), ("a long secret", 16):
        with override_settings(BACKUP_KEY=key):
            run("backup", good, "--force")
            content = good.read_bytes()
            assert run("restore", good, "--check")["rows"] > len(ODD)
            places = {0, 7, 8, 9, 25, 41, 42, 46, len(content) - 1, len(content) - 33}
            step = len(content) // (flips - len(places))
            for place in sorted(places | set(range(50, len(content), step))):
                changed = bytearray(content)
                changed[place] ^= 1 << (place % 8)
                bad.write_bytes(changed)
                with pytest.raises(UserVisibleError):
                    restore(bad, key=key)
            for short in (0, 5, 40, 44, len(content) // 2, len(content) - 1):
                bad.write_bytes(content[:short])
                with pytest.raises(UserVisibleError):
                    restore(bad, key=key)
            bad.write_bytes(content[: len(content) // 2])
            assert "end of the backup is missing" in refused("restore", bad)
            bad.write_bytes(content + b"\n")
            assert "changed or damaged" in refused("restore", bad)
    bad.write_text("PK something else, but long enough to be read")
    assert "not a backup" in refused("restore", bad)


def test_an_encrypted_backup_opens_with_its_key_alone(rows, tmp_path):
    file = tmp_path / "secret"
    with override_settings(BACKUP_KEY="correct horse"):
        assert run("backup", file)["encrypted"]
    content = file.read_bytes()
    assert b"crm_tag" not in content
    assert "CRM_BACKUP_KEY" in refused("restore", file)
    with override_settings(BACKUP_KEY="wrong horse"):
        assert "does not open" in refused("restore", file)
    with override_settings(BACKUP_KEY="correct horse"):
        assert run("restore", file, "--check")["tables"] > 40


def test_a_backup_overwrites_nothing_unless_it_is_told_to(rows, tmp_path):
    file = tmp_path / "kept"
    file.write_text("precious")
    assert "--force" in refused("backup", file)
    assert file.read_text() == "precious"
    run("backup", file, "--force")
    run("restore", file, "--check")
    with file.with_name("kept.part").open("w") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        assert "Another backup" in refused("backup", file, "--force")
    run("restore", file, "--check")
    missing = refused("backup", tmp_path / "no folder" / "file")
    assert "No such file" in missing


def test_a_full_disk_leaves_a_sentence_and_no_half_file(rows, tmp_path):
    file = tmp_path / "full" / "big"
    file.parent.mkdir()
    limit = 40_000

    def small_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    (settings.MEDIA_ROOT / "more.bin").write_bytes(os.urandom(4 * limit))
    done = subprocess.run(**command("backup", file), preexec_fn=small_disk, check=False)
    assert done.returncode == 1
    assert "is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(file.parent.iterdir()) == []


def test_the_database_going_away_leaves_no_file(rows, tmp_path):
    file = tmp_path / "gone"

    def end_it(done, total, message):
        if str(message) == "Writing tables":
            with psycopg.connect(url_of("postgres"), autocommit=True) as link:
                link.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = %s",
                    [live()],
                )

    with pytest.raises(psycopg.OperationalError):
        write_backup(file, progress=end_it)
    connection.close()
    assert list(tmp_path.glob("gone*")) == []


def test_a_connection_lost_while_loading_leaves_the_old_state(rows, media, tmp_path):
    file = tmp_path / "one"
    run("backup", file)
    Customer.objects.all().delete()
    before = state(), databases()
    connections.close_all()

    def end_it(done, total, message):
        if str(message) == "Loading tables":
            with psycopg.connect(url_of("postgres"), autocommit=True) as link:
                link.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = %s",
                    [f"{live()}_restore"],
                )

    with pytest.raises(psycopg.OperationalError):
        restore(file, progress=end_it)
    assert (state(), databases()) == before
    assert files_of(settings.MEDIA_ROOT) == media


def test_an_older_backup_is_brought_up_to_this_version_by_an_ordinary_owner(
    rows, tmp_path
):
    """The role owns its databases and may make some; it is no superuser."""
    file = tmp_path / "older"
    MigrationExecutor(connection).migrate([("machines", None)])
    try:
        run("backup", file)
    finally:
        call_command("migrate", verbosity=0)
    applied = {tuple(one) for one in read_manifest(file)["migrations"]}
    assert not any(app == "machines" for app, _name in applied)
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS plain")
        cursor.execute("CREATE ROLE plain LOGIN PASSWORD 'plain'")
    try:
        environment = {"DATABASE_URL": url_of(live(), "plain:plain")}
        side = f"{live()}_side"
        into = command("restore", file, "--into", side, **environment)
        done = subprocess.run(**into, check=False)
        assert done.returncode == 1
        assert "may not create databases" in done.stderr
        with connection.cursor() as cursor:
            cursor.execute("ALTER ROLE plain CREATEDB")
        done = subprocess.run(**into, check=False)
        assert done.returncode == 0, done.stderr
        restored, here = state(side), state()
        assert restored.keys() == here.keys()
        for table in ("crm_tag", "customers_customer", "crm_searchentry", "crm_user"):
            assert restored[table] == here[table]
        assert shape(side)[:3] == shape(live())[:3]
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{side}" WITH (FORCE)')
            cursor.execute("DROP ROLE plain")


def test_the_jobs_write_try_out_and_keep_the_newest(rows, world, tmp_path, settings):
    settings.BACKUP_DIR, settings.BACKUP_KEEP = tmp_path / "backups", 2
    settings.BACKUP_DIR.mkdir()
    for day in (1, 2, 3):
        (settings.BACKUP_DIR / f"crm-2020010{day}-010000.crmbackup").touch()
    enqueue("backup")
    enqueue("verify-backup")
    assert run_jobs() == ["done", "done"]
    kept = [path.name for path in kept_backups()]
    assert len(kept) == 2
    assert kept[1] == "crm-20200103-010000.crmbackup"
    trial = Job.objects.get(kind="verify-backup")
    assert trial.result["file"] == kept[0]
    for language, title in (("zh-hans", "试恢复最新"), ("en", "Trial of the newest")):
        page = world.client("dev").get("/jobs/", headers={"accept-language": language})
        assert title in page.content.decode()
    assert not [name for name in databases() if name.endswith("_verify")]

    kept_backups()[0].write_bytes(b"CRMBAK1\n" + bytes(100))
    job = enqueue("verify-backup")
    assert run_jobs() == ["failed"]
    job.refresh_from_db()
    assert "changed or damaged" in job.error
