"""Look at processes, remember those we started, and stop exactly them."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from .console import say

PROC = Path("/proc")


def start_mark(pid: int) -> str | None:
    """Return what tells a live process from a later one with its number.

    None for no process and for a zombie: where process 1 does not reap, a dead
    server stays in the table for ever and must not pass for a running one.
    """
    if PROC.joinpath("self", "stat").exists():
        try:
            text = PROC.joinpath(str(pid), "stat").read_text(errors="replace")
        except OSError:
            return None
        state, *fields = text.rpartition(")")[2].split()
        return None if state in "ZX" else fields[18]
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True
    ).stdout.strip()
    return None if not shown or shown.startswith("Z") else shown.partition(" ")[2]


def command_line(pid: int) -> str:
    """Return a process's command line with blanks between the words."""
    try:
        raw = PROC.joinpath(str(pid), "cmdline").read_bytes()
    except OSError:
        if PROC.joinpath("self").exists():
            return ""
        shown = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True
        )
        return shown.stdout.strip()
    return os.fsdecode(raw).replace("\0", " ").strip()


def is_alive(pid: int) -> bool:
    return start_mark(pid) is not None


def wait_gone(pid: int, seconds: float) -> bool:
    """Wait until a process is gone; False if it is still there at the end."""
    end = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def send(pid: int, number: int, *, group: bool = False) -> None:
    """Send a signal, to the whole group if asked; a process that is gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number) if group else os.kill(pid, number)


class Record:
    """Remember one process on disk, so that another command can stop it."""

    def __init__(self, path: Path):
        self.path = path

    def write(self, pid: int, **more: object) -> None:
        content = {"pid": pid, "mark": start_mark(pid), **more}
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(content))
        part.replace(self.path)

    def read(self) -> dict | None:
        """Return the record of a process that still is the one we started."""
        try:
            content = json.loads(self.path.read_text())
            pid, mark = int(content["pid"]), content["mark"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return content if mark and start_mark(pid) == mark else None

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)

    def stop(self, seconds: float = 15, *, group: bool = True) -> bool:
        """Stop the process and its group; True if there was one to stop."""
        content = self.read()
        if content is not None:
            send(content["pid"], signal.SIGTERM)
            if not wait_gone(content["pid"], seconds):
                send(content["pid"], signal.SIGKILL)
                wait_gone(content["pid"], 5)
            if group:
                send(content["pid"], signal.SIGKILL, group=True)
        self.clear()
        return content is not None


@contextlib.contextmanager
def lock(path: Path, waiting: str) -> Iterator[None]:
    """Let one command at a time through, and say when this one waits."""
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(waiting)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
