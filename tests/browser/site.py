"""The site that the browser walks through: data, analyses, a worker, a web server.

It has a database of its own, a copy of the tests' empty one, so that its rows outlive
single tests and no other test meets them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from pytest_django.live_server_helper import LiveServer

from analytics.models import AnalysisKey, Run, RunState
from analytics.services import start_analysis
from crm.models import User
from crm.seeding import Demo, seed_all
from crm.testing.workers import WorkerProcess, has_ended, wait_for

# Always the same demo data, with leads enough for a model that is published, so that
TODAY = date(2026, 6, 30)
AS_OF = datetime.combine(TODAY, time.max, tzinfo=UTC)
SEED = 2
SCALE = 0.2
# Hashed quickly: eight strong hashes take longer than everything else in the seed.
QUICK_HASHES = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.Argon2PasswordHasher",
]


@dataclass
class Site:
    """A running site with demo data."""

    url: str
    host: str

    def cookies_of(self, username: str) -> list[dict[str, str]]:
        """Return the cookies of a browser in which the person has signed in."""
        client = Client()
        client.force_login(User.objects.get(username=username))
        return [
            {"name": name, "value": morsel.value, "url": self.url}
            for name, morsel in client.cookies.items()
        ]


@contextmanager
def own_database(name: str) -> Iterator[None]:
    """Work in a copy of the current database while the block runs."""
    template = connection.settings_dict["NAME"]
    quote = connection.ops.quote_name

    def administrate(statement: str) -> None:
        connection.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(statement)

    administrate(f"DROP DATABASE IF EXISTS {quote(name)}")
    administrate(f"CREATE DATABASE {quote(name)} TEMPLATE {quote(template)}")
    connection.settings_dict["NAME"] = name
    try:
        if User._meta.db_table not in connection.introspection.table_names():
            # No other test of the run wanted a database, so the first one is empty.
            call_command("migrate", verbosity=0)
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = template
        administrate(f"DROP DATABASE IF EXISTS {quote(name)} WITH (FORCE)")


def run_analyses() -> None:
    """Have the worker compute every analysis, for somebody who reads Chinese."""
    owner = User.objects.get(username="chen.jing")
    started = [
        start_analysis(key=key, as_of=AS_OF, owner=owner) for key in AnalysisKey.values
    ]
    wait_for(lambda: has_ended(*started))
    unpublished = Run.objects.exclude(state=RunState.PUBLISHED)
    assert not unpublished, [(run.key, run.state, run.reason) for run in unpublished]


@contextmanager
def running_site(place: Path) -> Iterator[Site]:
    """Seed a database, start a worker and a web server, and run the analyses."""
    worker = server = None
    with own_database("browser"), override_settings(PASSWORD_HASHERS=QUICK_HASHES):
        try:
            # The worker takes its time to start; the seed uses it.
            worker = WorkerProcess(
                place / "worker.log", ("default", "analytics"), 1, {}
            )
            seed_all(Demo(today=TODAY, seed=SEED, scale=SCALE))
            server = LiveServer("127.0.0.1")
            worker.wait_until_ready()
            run_analyses()
            yield Site(server.url, server.thread.host)
        finally:
            if server is not None:
                server.stop()
            if worker is not None:
                worker.kill()
