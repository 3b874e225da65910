"""Run the web server, the worker and the scheduler, and stop all of them."""

import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import LaunchError, interrupts
from .console import say
from .paths import Paths
from .processes import Record, send

LOG_BYTES = 10_000_000
CHILDREN = ("web", "worker", "analyst", "scheduler")
# A child that dies this soon after its start, this often in a row, stays down.
SOON_SECONDS = 20
TRIES = 3
STOP_SECONDS = 10


@dataclass
class Child:
    """Describe one process that the supervisor keeps running."""

    name: str
    args: list[str]
    keep_open: tuple[int, ...] = ()
    process: subprocess.Popen | None = None
    started_at: float = 0.0
    early_deaths: int = 0
    log_begins: int = 0


@dataclass
class Supervisor:
    """Start children in groups of their own, restart the dead, stop them all."""

    paths: Paths
    environment: dict[str, str]
    children: list[Child] = field(default_factory=list)

    def start(self, child: Child) -> None:
        with interrupts.held():
            self.children.append(child)
            self._launch(child)

    def record(self, name: str) -> Record:
        return Record(self.paths.run / f"{name}.json")

    def _launch(self, child: Child) -> None:
        log = self.paths.log / f"{child.name}.log"
        shorten(log)
        with log.open("ab") as handle:
            child.log_begins = handle.tell()
            # A group of its own: Ctrl-C reaches the supervisor alone, which then
            # stops the children in order, and their own children with them.
            child.process = subprocess.Popen(
                child.args,
                cwd=self.paths.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=subprocess.STDOUT,
                pass_fds=child.keep_open,
                start_new_session=True,
            )
        child.started_at = time.monotonic()
        self.record(child.name).write(child.process.pid)

    def has_logged(self, name: str, text: str) -> bool:
        """Say whether a child has written a text since its start."""
        child = next(c for c in self.children if c.name == name)
        with (self.paths.log / f"{name}.log").open(errors="replace") as handle:
            handle.seek(child.log_begins)
            return text in handle.read()

    def look_after(self) -> None:
        """Say which child died and start it again; give up on one that keeps dying."""
        for child in self.children:
            code = child.process.poll()
            if code is None:
                continue
            send(child.process.pid, signal.SIGKILL, group=True)
            log = self.paths.log / f"{child.name}.log"
            soon = time.monotonic() - child.started_at < SOON_SECONDS
            child.early_deaths = child.early_deaths + 1 if soon else 0
            if child.early_deaths >= TRIES:
                raise LaunchError(
                    f"The {child.name} stops again and again; the reason is in {log}."
                )
            say(
                f"The {child.name} ended ({ending(code)}); starting it again. See {log}"
            )
            with interrupts.held():
                self._launch(child)

    def stop(self) -> None:
        """Stop all children: kindly first, then surely, with all they started."""
        running = [c for c in self.children if c.process]
        for number, seconds in (
            (signal.SIGTERM, STOP_SECONDS),
            # Celery's way to stop without waiting; the jobs are taken up again later.
            (signal.SIGQUIT, 3),
        ):
            for child in running:
                if child.process.poll() is None:
                    send(child.process.pid, number)
            wait_all(running, seconds)
        for child in running:
            send(child.process.pid, signal.SIGKILL, group=True)
            child.process.wait()
            self.record(child.name).clear()
        self.children.clear()


def wait_all(children: list[Child], seconds: float) -> None:
    end = time.monotonic() + seconds
    while any(c.process.poll() is None for c in children):
        if time.monotonic() > end:
            return
        time.sleep(0.05)


def ending(code: int) -> str:
    if code >= 0:
        return f"exit {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def shorten(log: Path) -> None:
    """Set a log that has grown large aside, keeping one older one."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))


def stop_leftovers(paths: Paths) -> list[str]:
    """Stop children whose supervisor was killed; return their names."""
    stopped = []
    for name in CHILDREN:
        record = Record(paths.run / f"{name}.json")
        if record.stop(STOP_SECONDS):
            stopped.append(name)
    return stopped
