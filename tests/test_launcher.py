"""The commands in bin/: servers of a checkout, and what goes wrong at the start."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
from pathlib import Path

import psycopg
import pytest
import redis
from launcher import LaunchError, check, testing
from launcher.demo import open_port
from launcher.dotenv import load
from launcher.paths import SOCKET_PATH_BYTES, Paths, socket_folder
from launcher.processes import Record, is_alive, start_mark

from tests.launcher_copy import Copy, plain_environment, python

pytestmark = pytest.mark.process

SLEEP = "import time; time.sleep(600)"


@pytest.fixture
def place():
    place = testing.make_place()
    yield place
    testing.postgres_in(place).stop()
    testing.valkey_in(place).stop()
    subprocess.run(["rm", "-rf", str(place)], check=True)


@pytest.fixture
def copy():
    """A checkout in a path with a space, readable by the database's own user."""
    place = testing.make_place()
    place.chmod(0o755)
    copy = Copy(place / "my copy")
    yield copy
    copy.run("bin/stop")
    left = copy.processes()
    subprocess.run(["rm", "-rf", str(place)], check=True)
    assert left == {}


def one_sentence(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.endswith((".", ")", "venv"))
    return line


# --- Database and broker ------------------------------------------------------


def test_a_killed_database_starts_again_with_its_rows(place):
    server = testing.start_postgres(place)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    first = server.pid()
    server.kill()
    assert server.pid() is None

    assert server.start()

    assert server.pid() != first
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
    assert not server.start()


def test_a_number_left_by_a_dead_database_is_not_taken_for_it(place):
    server = testing.start_postgres(place)
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")

    assert server.pid() is None
    server.stop()
    assert server.start()
    assert server.pid() != os.getpid()


def test_the_database_sorts_and_folds_chinese_and_trigrams(place):
    server = testing.start_postgres(place)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        row = connection.execute(
            "SELECT 'ÄPFEL' ILIKE 'äpfel', similarity('上海公司', '上海') > 0"
        ).fetchone()
    assert row == (True, True)


def test_a_killed_broker_keeps_its_messages(place):
    server = testing.start_valkey(place)
    client = redis.from_url(server.url())
    client.rpush("queue", *range(200))
    client.execute_command("WAITAOF", 1, 0, 5000)
    client.close()
    server.kill()
    assert not server.answers()

    assert server.start()

    client = redis.from_url(server.url())
    assert client.llen("queue") == 200
    client.close()


def test_sockets_fit_whatever_the_path():
    long = Path("/var") / ("x" * 120)
    with_space = Path("/var/with a space")
    for base in (long, with_space):
        folder = socket_folder(base, f"test-{os.getpid()}")
        try:
            assert len(f"{folder}/postgres/.s.PGSQL.5432") <= SOCKET_PATH_BYTES
            assert " " not in str(folder)
            assert folder.stat().st_uid == os.geteuid()
        finally:
            folder.rmdir()


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path):
    key = f"test-{os.getpid()}-link"
    trap = Path(f"/tmp/crm-{os.geteuid()}-{key}")
    trap.symlink_to(tmp_path)
    try:
        with pytest.raises(LaunchError, match="belongs to somebody else"):
            socket_folder(Path("/var/with a space"), key)
    finally:
        trap.unlink()


# --- Processes ----------------------------------------------------------------


def test_a_record_stops_its_process(tmp_path):
    process = python(SLEEP)
    record = Record(tmp_path / "one.json")
    record.write(process.pid)

    assert record.stop(group=False)

    assert process.wait(10) == -signal.SIGTERM
    assert not record.path.exists()


def test_a_record_spares_a_later_process_with_its_number(tmp_path):
    process = python(SLEEP)
    record = Record(tmp_path / "one.json")
    record.write(process.pid)
    record.path.write_text(
        record.path.read_text().replace(start_mark(process.pid), "1")
    )
    try:
        assert not record.stop(group=False)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_a_zombie_counts_as_dead():
    process = python("pass")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(process.pid)
    process.wait()


# --- Ports --------------------------------------------------------------------


def test_a_port_in_use_is_refused_and_the_next_free_one_found():
    with open_port(None) as first, open_port(None) as second:
        taken = first.getsockname()[1]
        assert second.getsockname()[1] > taken
        with pytest.raises(LaunchError, match=f"Port {taken} is in use"):
            open_port(taken)


@pytest.mark.parametrize("port", [70000, -1])
def test_a_number_that_is_no_port_is_refused(port):
    with pytest.raises(LaunchError, match="is not a port number"):
        open_port(port)


def test_demo_says_that_its_port_is_in_use_and_starts_nothing(copy):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = copy.run("bin/demo", "--port", str(port))
    assert f"Port {port} is in use" in one_sentence(done)
    assert copy.processes() == {}


# --- Servers given by URL -----------------------------------------------------


@pytest.mark.parametrize(
    ("name", "url", "reason"),
    [
        ("DATABASE_URL", "postgres://u:s3cret@127.0.0.1:1/crm", "refused"),
        ("DATABASE_URL", "postgres://u:s3cret@nowhere.invalid/crm", "resolve"),
        ("DATABASE_URL", "mysql://u:s3cret@127.0.0.1/crm", "postgres://"),
        ("DATABASE_URL", "s3cret nonsense", "postgres://"),
        ("REDIS_URL", "redis://u:s3cret@127.0.0.1:1/0", "refused"),
        ("REDIS_URL", "http://u:s3cret@127.0.0.1/0", "schemes"),
    ],
)
def test_a_wrong_url_gets_one_sentence_without_the_password(copy, name, url, reason):
    done = copy.run("bin/manage", "check", **{name: url})
    line = one_sentence(done)
    assert name in line
    assert reason in line
    assert "s3cret" not in done.stdout + done.stderr
    assert copy.processes() == {}


def test_given_servers_are_used_and_none_is_started(copy, place):
    database, broker = testing.start_postgres(place), testing.start_valkey(place)
    code = (
        "from django.conf import settings as s;"
        "print(s.DATABASES['default']['HOST'], s.REDIS_URL)"
    )
    given = {"DATABASE_URL": database.url(), "REDIS_URL": broker.url()}
    done = copy.run("bin/manage", "shell", "--no-imports", "-c", code, **given)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == [str(database.sockets), broker.url()]
    assert copy.processes() == {}


def test_the_file_dotenv_counts_as_given(tmp_path, monkeypatch):
    for name in ("DATABASE_URL", "QUOTED", "KEPT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KEPT", "shell")
    path = tmp_path / ".env"
    path.write_text("# a note\nDATABASE_URL=postgres://h/d\nQUOTED='a b'\nKEPT=file\n")
    load(path)
    found = [os.environ.pop(n) for n in ("DATABASE_URL", "QUOTED", "KEPT")]
    assert found == ["postgres://h/d", "a b", "shell"]


# --- bin/manage and bin/stop ----------------------------------------------------


def test_manage_starts_the_servers_once_for_two_callers_and_stop_ends_them(copy):
    results = []

    def call():
        results.append(copy.run("bin/manage", "check", "--database", "default"))

    callers = [threading.Thread(target=call) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert [r.returncode for r in results] == [0, 0], results
    servers = [c for c in copy.processes().values() if "-server --port" in c]
    assert len(servers) == 1
    key = copy.folder / "var" / "secret_key"
    assert key.stat().st_mode & 0o777 == 0o600

    assert copy.run("bin/stop").stdout == "Stopped: broker, database.\n"
    assert copy.processes() == {}
    assert copy.run("bin/stop").stdout == "Nothing of this copy is running.\n"


def test_stop_leaves_another_copy_alone(copy, place):
    other = testing.start_postgres(place)
    assert copy.run("bin/stop").returncode == 0
    assert other.pid() is not None


# --- Installing -----------------------------------------------------------------


def test_no_network_at_the_first_start_gets_one_sentence():
    place = testing.make_place()
    copy = Copy(place / "my copy", installed=False)
    nowhere = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_FIND_LINKS": "",
    }
    try:
        line = one_sentence(copy.run("bin/demo", **nowhere))
        assert "needs a network connection" in line
        assert (copy.folder / "var/log/install.log").stat().st_size > 0
    finally:
        subprocess.run(["rm", "-rf", str(place)], check=True)


def test_a_python_that_is_too_old_gets_one_sentence(tmp_path):
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for tool in ("sh", "dirname", "readlink"):
        (tmp_path / tool).symlink_to(f"/bin/{tool}")
    copy = Copy(tmp_path / "my copy", installed=False)
    done = copy.run("bin/demo", PATH=str(tmp_path))
    assert "Python 3.11 or newer" in one_sentence(done)


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """The folder of static files as a deployment collects them."""
    paths, var = Paths(), tmp_path_factory.mktemp("collected")
    environment = plain_environment(
        SECRET_KEY="x" * 60,
        DATABASE_URL="postgres://127.0.0.1:1/none",
        REDIS_URL="redis://127.0.0.1:1/0",
        CRM_VAR_DIR=str(var),
    )
    args = [str(paths.python), "manage.py", "collectstatic", "--noinput"]
    done = subprocess.run(
        args, cwd=paths.root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return var / "static"


def test_static_files_are_collected_by_content_and_only_those_used(collected):
    assert list(collected.glob("tabler/css/tabler.min.*.css.gz"))
    assert list(collected.glob("echarts/echarts.min.*.js.gz"))
    assert not list(collected.glob("echarts/*.esm*"))
    assert not list(collected.rglob("*.map"))


@pytest.mark.parametrize("sheet", ["base", "components", "overlays"])
def test_a_style_sheet_is_sent_as_one_file_with_its_parts_in_order(collected, sheet):
    css = Paths().root / "static/css"
    names = json.loads((collected / "staticfiles.json").read_text())["paths"]
    sent = (collected / names[f"css/{sheet}.css"]).read_text()
    parts = re.findall('@import "(.+)";', (css / f"{sheet}.css").read_text())
    assert sorted(parts) == sorted(f"{sheet}/{p.name}" for p in (css / sheet).iterdir())
    rules = [re.sub(r"(?s)/\*.*?\*/\n?", "", (css / p).read_text()) for p in parts]
    places = [sent.index(one.strip()) for one in rules]
    assert places == sorted(places)
    assert "@import" not in sent


# --- The check over HTTP --------------------------------------------------------


def test_the_check_reports_a_login_that_fails(live_server):
    login = {"role": "administrator", "username": "nobody", "password": "wrong"}
    said = []
    found = check.problems(live_server.url, [login], said.append)
    assert any("nobody cannot log in" in problem for problem in found)
    assert any("no result was checked" in problem for problem in found)
    assert said == []


def test_the_check_reports_a_page_without_rows(live_server, admin_user):
    admin_user.set_password("right-Pass-1")
    admin_user.save()
    browser = check.Browser(live_server.url)
    assert browser.log_in(admin_user.get_username(), "right-Pass-1") is None
    found = check.missing(browser, check.Page("/customers/", (r"/customers/\d+/",), 20))
    assert found == [r"/customers/ shows 0 of at least 20 /customers/\d+/"]
