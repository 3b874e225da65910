"""bin/demo as a whole, in a copy of the checkout whose path has a space."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.request

import pytest
from launcher import testing

from tests.launcher_copy import Copy

pytestmark = pytest.mark.process

READY = "Ctrl-C stops everything"


@pytest.fixture(scope="module")
def copy():
    place = testing.make_place()
    place.chmod(0o755)
    copy = Copy(place / "my copy")
    yield copy
    copy.run("bin/stop")
    subprocess.run(["rm", "-rf", str(place)], check=True)


@pytest.fixture(scope="module")
def checked(copy):
    """The first start, from an empty database; later tests start from its data."""
    return copy.run("bin/demo", "--check")


@pytest.fixture
def running(copy, checked):
    process = copy.start("bin/demo")
    copy.wait_for(READY, process)
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()
    copy.run("bin/stop")


def pid_of(copy: Copy, name: str) -> int:
    return json.loads((copy.folder / f"var/run/{name}.json").read_text())["pid"]


def wait_until(condition, seconds: float = 60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def test_check_passes_from_nothing_and_leaves_no_process(copy, checked):
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.endswith("The check passed.\n")
    assert "Analysing: ltv" in checked.stdout
    assert copy.processes() == {}


def test_a_second_start_keeps_the_data_and_sigterm_stops_everything(copy, running):
    output = copy.output.read_text()
    assert "Analysing" not in output
    url = re.search(r"http://127\.0\.0\.1:\d+", output)[0]
    with urllib.request.urlopen(f"{url}/accounts/login/") as answer:
        assert answer.status == 200
    again = copy.run("bin/demo")
    assert again.returncode == 1
    assert again.stderr.strip() == (
        f"This copy is running already at {url}; bin/stop stops it."
    )

    running.send_signal(signal.SIGTERM)

    assert running.wait(60) == 0
    assert copy.processes() == {}


def test_a_killed_worker_and_database_are_started_again(copy, running):
    worker = pid_of(copy, "worker")
    database = int((data_folder(copy) / "postmaster.pid").read_text().split()[0])
    os.kill(worker, signal.SIGKILL)
    os.kill(database, signal.SIGKILL)
    copy.wait_for("The worker ended (SIGKILL); starting it again", running)
    copy.wait_for("The database ended; starting it again", running)
    wait_until(lambda: pid_of(copy, "worker") != worker)

    running.send_signal(signal.SIGINT)

    assert running.wait(60) == 0
    assert copy.processes() == {}


def data_folder(copy: Copy):
    return copy.folder / "var" / "postgres" / "data"


def test_stop_cleans_up_after_a_demo_that_was_killed(copy, running):
    running.kill()
    running.wait()
    assert copy.processes() != {}

    done = copy.run("bin/stop")

    stopped = "web, worker, analyst, scheduler, broker, database"
    assert done.stdout == f"Stopped: {stopped}.\n"
    assert copy.processes() == {}
