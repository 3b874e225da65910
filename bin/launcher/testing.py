"""Give a test run, or one test, servers of its own that are thrown away."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from . import LaunchError
from .paths import Paths
from .postgres import Postgres
from .processes import is_alive
from .valkey import Valkey

PREFIX = "crm-test-"


def make_place() -> Path:
    """Make a short folder in /tmp, named after the process that will remove it."""
    place = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir="/tmp"))
    place.chmod(0o711)
    return place


def postgres_in(place: Path) -> Postgres:
    """Describe a throw-away database server in a folder; start() starts it."""
    site_packages = Paths().site_packages
    folder = place / "postgres"
    sockets = place / "postgres-socket"
    return Postgres(folder, sockets, site_packages, throw_away=True)


def valkey_in(place: Path) -> Valkey:
    """Describe a throw-away broker in a folder; start() starts it."""
    return Valkey(place / "valkey", place / "valkey-socket", Paths().site_packages)


def start_postgres(place: Path) -> Postgres:
    """Start a database server in a folder with a short path without blanks."""
    server = postgres_in(place)
    server.start()
    return server


def start_valkey(place: Path) -> Valkey:
    """Start a broker in a folder with a short path without blanks."""
    server = valkey_in(place)
    server.start()
    return server


class Pattern:
    """A server's data with all migrations, made once and copied by test processes.

    Making them takes longer than everything else before the first test, so one
    process makes it while the others still collect their tests.
    """

    # Generous, for a busy machine.
    PATIENCE = 600

    def __init__(self, place: Path):
        self.place = place
        self.server = postgres_in(place)
        self.ready = place / "pattern-ready"
        self.log = place / "pattern.log"

    def make(self, environment: dict[str, str]) -> None:
        """Begin to make it; the environment names it as the database."""
        threading.Thread(target=self._make, args=[environment], daemon=True).start()

    def _make(self, environment: dict[str, str]) -> None:
        outcome = "failed"
        try:
            self.server.start()
            with self.log.open("wb") as log:
                done = subprocess.run(
                    [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
                    cwd=Paths().root,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            self.server.stop(cleanly=True)
            outcome = "made" if done.returncode == 0 else outcome
        finally:
            part = self.ready.with_suffix(".part")
            part.write_text(outcome)
            part.replace(self.ready)

    def copy_to(self, server: Postgres) -> None:
        """Give a server that is yet without data a copy, as soon as it is there."""
        end = time.monotonic() + self.PATIENCE
        while not self.ready.exists():
            if time.monotonic() > end:
                raise LaunchError(f"The database of {self.place} is never made.")
            time.sleep(0.05)
        if self.ready.read_text() != "made":
            log = self.log.read_text(errors="replace") if self.log.exists() else ""
            raise LaunchError(f"The migrations cannot be applied: {log}")
        server.copy_data(self.server)


class Services:
    """Hold the servers of one test process; those given by URL are left alone."""

    def __init__(self):
        self.place = make_place()
        self.postgres = None if os.environ.get("DATABASE_URL") else self._postgres()
        self.valkey = None if os.environ.get("REDIS_URL") else self._valkey()
        self.owner = os.getpid()

    def _postgres(self) -> Postgres:
        return postgres_in(self.place)

    def _valkey(self) -> Valkey:
        return valkey_in(self.place)

    def environment(self) -> dict[str, str]:
        """Return the settings for Django; the URLs hold before the servers run."""
        var = self.place / "var"
        # WhiteNoise warns of a missing folder, and warnings fail the tests.
        (var / "static").mkdir(parents=True, exist_ok=True)
        values = {"CRM_VAR_DIR": str(var)}
        if self.postgres:
            values["DATABASE_URL"] = self.postgres.url()
        if self.valkey:
            values["REDIS_URL"] = self.valkey.url()
        return values

    def start(self, pattern: Pattern | None = None) -> None:
        """Start the servers, the database from a copy of the pattern if there is."""
        if pattern and self.postgres:
            pattern.copy_to(self.postgres)
        for server in (self.postgres, self.valkey):
            if server:
                server.start()

    def stop(self) -> None:
        """Stop the servers and remove the folder, in the process that made it."""
        if os.getpid() != self.owner:
            return
        for server in (self.postgres, self.valkey):
            if server:
                server.stop()
        shutil.rmtree(self.place, ignore_errors=True)


def sweep() -> None:
    """Remove what a killed test run left behind, its servers included."""
    for place in Path("/tmp").glob(f"{PREFIX}*"):
        owner = place.name.removeprefix(PREFIX).partition("-")[0]
        if not owner.isdigit() or is_alive(int(owner)):
            continue
        # Another run may remove its own meanwhile.
        with contextlib.suppress(OSError):
            if place.lstat().st_uid != os.geteuid():
                continue
            postgres_in(place).stop()
            valkey_in(place).stop()
            shutil.rmtree(place, ignore_errors=True)
