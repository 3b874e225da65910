"""Give the test run a PostgreSQL and a Valkey of its own, and tests the same."""

import gc
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "bin"))

from launcher import browser, testing  # noqa: E402

NO_BROWSER = "no Chromium was found (apt install chromium fonts-noto-cjk)"

# What the end of the report says loudly, by the reason of the tests left out.
LEFT_OUT = {
    NO_BROWSER: f"BROWSER TESTS DID NOT RUN: {NO_BROWSER}",
    "CRM_DATA_DIR": "TESTS ON PUBLIC DATA DID NOT RUN: set CRM_DATA_DIR to its folder",
}

# Tests that share nothing; they fill what the files leave free.
ALONE = ("tests/test_access_matrix.py::test_each_role",)

# The URLs are known before the servers run, so the settings can load now and
# every conftest.py below may import models at its top.
services = testing.Services()
os.environ.update(services.environment())
for _name, _value in {
    "DJANGO_SETTINGS_MODULE": "crm.settings",
    "DEBUG": "0",
    "SECRET_KEY": "only-for-tests-" + "x" * 40,
    "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
    "CRM_INSECURE_HTTP": "1",
    # The example of docs/adding-a-model.md takes part in every general test.
    "EXTRA_APPS": "tests.machines",
    "STATICFILES_BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
    # Playwright runs an event loop in the thread that also asks the database.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}.items():
    os.environ[_name] = _value

import django  # noqa: E402
from django.core.cache import caches  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone, translation  # noqa: E402

django.setup()

from crm.testing.emptying import empty_by_deleting  # noqa: E402
from crm.testing.world import world  # noqa: E402, F401  (a fixture for all tests)

if services.postgres:
    empty_by_deleting()


def pytest_configure(config):
    """Start the servers in each process that runs tests, not in xdist's controller.

    The controller has the migrations applied once for all of its workers, which
    meanwhile collect the tests and then start from a copy.
    """
    is_worker = hasattr(config, "workerinput")
    distributes = bool(getattr(config.option, "numprocesses", None))
    if not is_worker:
        testing.sweep()
    if distributes and not is_worker:
        environment = dict(os.environ)
        # The workers inherit these; they have to make their own before Django loads.
        for name in ("DJANGO_SETTINGS_MODULE", *services.environment()):
            os.environ.pop(name, None)
        if services.postgres:
            testing.Pattern(services.place).make(environment)
    elif not pattern_for(config):
        services.start()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tell a worker of xdist where the database is that it copies."""
    node.workerinput["pattern"] = str(services.place) if services.postgres else ""


def pattern_for(config):
    """Return what a worker of xdist copies, None for any other process."""
    place = getattr(config, "workerinput", {}).get("pattern")
    return testing.Pattern(Path(place)) if place else None


def pytest_unconfigure(config):
    services.stop()


def pytest_runtest_setup(item):
    """Without a browser a browser test is left out, loudly; in CI it fails."""
    if item.get_closest_marker("browser") and browser.find() is None:
        if browser.in_ci():
            pytest.fail(NO_BROWSER)
        pytest.skip(NO_BROWSER)


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [str(report.longrepr) for report in skipped]
    for text, line in LEFT_OUT.items():
        count = sum(text in reason for reason in reasons)
        if count:
            terminalreporter.write_sep("!", f"{line} ({count})", red=True, bold=True)


def pytest_collection_modifyitems(items):
    """Begin with what takes longest, so that no process is left alone with it."""
    items.sort(key=_turn)


def pytest_collection_finish(session):
    """Leave what is imported by now out of garbage collection; look less often.

    A tenth of all processor time went into looking through it again and again.
    Workers of xdist start their servers only now: see `pytest_configure`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    pattern = pattern_for(session.config)
    if pattern:
        services.start(pattern)
        connection.settings_dict["TEST"]["TEMPLATE"] = "crm"


def _turn(item):
    if item.nodeid.startswith(ALONE):
        return 2
    is_long = item.get_closest_marker("process") or item.get_closest_marker("browser")
    return 0 if is_long else 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep the tests of a file or class together: what they share is dear to make."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return nodeid if nodeid.startswith(ALONE) else super()._split_scope(nodeid)

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.fixture(autouse=True)
def _fresh_process():
    """Start in English and UTC, remembering nothing of the tests before."""
    translation.activate("en")
    timezone.deactivate()
    caches["process"].clear()


@pytest.fixture
def media(tmp_path, settings):
    """Keep uploaded files in a folder of the test's own; return it."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture(scope="session")
def launcher():
    """Return start_postgres(place), start_valkey(place) and make_place()."""
    return testing


@pytest.fixture(scope="session")
def test_services():
    """Return the run's own servers: `.postgres` and `.valkey`, None where given."""
    return services


@pytest.fixture(scope="session")
def chromium():
    """Return the path of the browser for tests marked `browser`."""
    return browser.find()
