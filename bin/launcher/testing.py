"""Give a test run, or one test, servers of its own that are thrown away."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

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

    def start(self) -> None:
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
        if place.lstat().st_uid != os.geteuid():
            continue
        with contextlib.suppress(OSError):
            postgres_in(place).stop()
            valkey_in(place).stop()
            shutil.rmtree(place, ignore_errors=True)
