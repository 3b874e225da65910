"""Bring up the database and the broker of a checkout, given or embedded."""

import contextlib
import os
import secrets
import subprocess
from pathlib import Path

from . import LaunchError, interrupts
from .paths import Paths, socket_folder
from .postgres import Postgres, service_home
from .processes import lock
from .valkey import Valkey


class Services:
    """Hold the servers of one checkout; those given by URL are left alone."""

    def __init__(self, paths: Paths):
        self.paths = paths
        self.embedded: dict[str, Postgres | Valkey] = {}
        self.started: list[str] = []
        if not os.environ.get("DATABASE_URL"):
            self.embedded["database"] = embedded_postgres(paths)
        if not os.environ.get("REDIS_URL"):
            self.embedded["broker"] = embedded_valkey(paths)

    def start(self) -> None:
        """Start what is embedded and down; remember what this command started."""
        self._probe_given()
        waiting = "Waiting for another start of this copy to finish."
        with lock(self.paths.run / "services.lock", waiting):
            for name, server in self.embedded.items():
                if server.pid() is None:
                    # First noted, then started: an interruption leaves nothing up.
                    self.started.append(name)
                with interrupts.held():
                    server.start()

    def _probe_given(self) -> None:
        given = {"DATABASE_URL": "database", "REDIS_URL": "broker"}
        for name, what in given.items():
            if what not in self.embedded:
                probe = Path(__file__).with_name("probe.py")
                args = [str(self.paths.python), str(probe), name]
                done = subprocess.run(args, capture_output=True, text=True)
                if done.returncode != 0:
                    lines = (done.stdout or done.stderr or "no reason given").split(
                        "\n"
                    )
                    reason = [line for line in lines if line][-1]
                    raise LaunchError(
                        f"The {what} in {name} does not answer: {reason}."
                    )

    def stop_started(self) -> None:
        for name in reversed(self.started):
            self.embedded[name].stop()
            remove_sockets(self.embedded[name])
        self.started.clear()

    def environment(self) -> dict[str, str]:
        values = {}
        if database := self.embedded.get("database"):
            values["DATABASE_URL"] = database.url()
            # dbshell needs the psql that came with the server.
            path = os.environ.get("PATH", os.defpath)
            values["PATH"] = f"{database.binaries}{os.pathsep}{path}"
        if broker := self.embedded.get("broker"):
            values["REDIS_URL"] = broker.url()
        return values


def embedded_postgres(paths: Paths) -> Postgres:
    home = service_home(paths.var, paths.key)
    sockets = socket_folder(home, paths.key) / "postgres"
    return Postgres(home / "postgres", sockets, paths.site_packages)


def embedded_valkey(paths: Paths) -> Valkey:
    sockets = socket_folder(paths.var, paths.key) / "valkey"
    return Valkey(paths.var / "valkey", sockets, paths.site_packages)


def remove_sockets(server: Postgres | Valkey) -> None:
    """Remove the folders that only a running server needs, if they are empty."""
    with contextlib.suppress(OSError):
        server.sockets.rmdir()
        server.sockets.parent.rmdir()


def django_environment(paths: Paths, services: Services, port: int = 8000) -> dict:
    """Return the environment for Django; what the caller has set stays as it is."""
    hosts = ("127.0.0.1", "localhost")
    defaults = {
        "SECRET_KEY": secret_key(paths),
        "DEBUG": "0",
        "ALLOWED_HOSTS": ",".join(hosts),
        "CSRF_TRUSTED_ORIGINS": ",".join(f"http://{host}:{port}" for host in hosts),
        "CRM_INSECURE_HTTP": "1",
        "SITE_URL": f"http://{hosts[0]}:{port}",
        "CRM_VAR_DIR": str(paths.var),
    }
    values = {**defaults, **os.environ, **services.environment()}
    values["DJANGO_SETTINGS_MODULE"] = "crm.settings"
    values["CRM_VAR_DIR"] = str(paths.var)
    return values


def secret_key(paths: Paths) -> str:
    """Return this copy's key, made once and readable by its owner only."""
    path = paths.var / "secret_key"
    if not path.exists():
        part = path.with_name(f"secret_key.{os.getpid()}.part")
        with open(part, "x", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(secrets.token_urlsafe(64))
        part.rename(path)
    return path.read_text().strip()
