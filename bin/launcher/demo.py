"""bin/demo: everything from nothing, then the CRM in the foreground."""

import argparse
import errno
import fcntl
import hashlib
import json
import os
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import LaunchError, check, dotenv, interrupts
from .console import say
from .dependencies import Stamp, install, listing_digest
from .management import Django
from .paths import Paths
from .processes import Record
from .services import Services, django_environment
from .supervisor import Child, Supervisor, stop_leftovers

HOST = "127.0.0.1"
PORT = 8000
ANALYSES = ("statistics", "segmentation", "ltv", "conversion", "ticket-class")
# Analyses take minutes; a new row's score, on the other queues, must not wait for one.
WORKERS = {"worker": ("default,mail", "2"), "analyst": ("analytics", "1")}
# Worker processes share the cores already; spinning threads made jobs 3x slower.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def main(args: list[str]) -> int:
    """Parse the options and run until a signal or, with --check, until checked."""
    parser = argparse.ArgumentParser(prog="bin/demo", description=__doc__)
    parser.add_argument("--port", type=int, help="the port of the web server")
    parser.add_argument(
        "--check", action="store_true", help="start, check over HTTP, stop"
    )
    options = parser.parse_args(args)
    interrupts.install()
    paths = Paths()
    paths.prepare()
    dotenv.load(paths.root / ".env")
    with (paths.run / "demo.lock").open("a") as handle:
        claim(handle, paths)
        return Demo(paths, options.port).run(check_only=options.check)


def claim(handle, paths: Paths) -> None:
    """Hold this copy for this process; the lock goes with the process."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        running = Record(paths.run / "demo.json").read() or {}
        where = f" at {running['url']}" if "url" in running else ""
        raise LaunchError(
            f"This copy is running already{where}; bin/stop stops it."
        ) from None


def open_port(wanted: int | None) -> socket.socket:
    """Listen on the wanted port, or on the first free one from 8000 on.

    The socket is handed to the web server open, so no other copy can take the
    port in between, and a restart of the web server refuses nobody.
    """
    for port in [wanted] if wanted is not None else range(PORT, PORT + 200):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(512)
        except (OSError, OverflowError) as error:
            listener.close()
            if wanted is not None:
                raise LaunchError(port_problem(port, error)) from None
        else:
            return listener
    raise LaunchError(f"No port from {PORT} on is free; choose one with --port.")


def port_problem(port: int, error: Exception) -> str:
    if isinstance(error, OverflowError):
        return f"{port} is not a port number."
    if getattr(error, "errno", None) == errno.EADDRINUSE:
        return f"Port {port} is in use; choose another one with --port."
    return f"Port {port} cannot be used: {error.strerror}."


class Demo:
    """Bring one copy up, keep it up, and take it down again."""

    def __init__(self, paths: Paths, port: int | None):
        self.paths = paths
        self.listener = open_port(port)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        self.record = Record(paths.run / "demo.json")
        self.services: Services | None = None
        self.supervisor: Supervisor | None = None
        self.problems: list[str] = []

    def run(self, *, check_only: bool) -> int:
        """Start, then check or stay; stop what was started however it ends."""
        began = time.monotonic()
        try:
            logins = self.start()
            if check_only:
                problems = self.problems + check.problems(self.url, logins, say)
                for problem in problems:
                    say(f"FAILED: {problem}")
                say("The check failed." if problems else "The check passed.")
                return 1 if problems else 0
            self.announce(logins, time.monotonic() - began)
            self.stay()
        except KeyboardInterrupt:
            say("\nStopping")
            return 0
        finally:
            self.stop()

    def start(self) -> list[dict]:
        """Do all steps up to running pages; return the logins."""
        self.record.write(os.getpid(), url=self.url)
        stop_leftovers(self.paths)
        install(self.paths)
        say("Starting the database and the broker")
        self.services = Services(self.paths)
        self.services.start()
        environment = django_environment(self.paths, self.services, self.port)
        django = Django(self.paths, environment)
        say("Preparing the database")
        django.run("The database cannot be prepared", "migrate", "--noinput")
        self.collect_static_files(django)
        say("Adding the demo data (kept if it is there)")
        seeded = django.run_json(
            "The demo data cannot be added", "seed_demo", "--unless-removed"
        )
        say("Starting the worker, the scheduler and the web server")
        self.supervisor = Supervisor(self.paths, environment | ONE_THREAD)
        for child in self.children():
            self.supervisor.start(child)
        self.wait_for_worker()
        self.analyse(django, anew=seeded["seeded"])
        self.wait_for_web()
        return seeded["logins"]

    def collect_static_files(self, django: Django) -> None:
        """Collect the static files, unless nothing that decides them has changed."""
        stamp = Stamp(self.paths.var / "collected.json")
        wanted = {"files": listing_digest(static_sources(self.paths))}
        there = (self.paths.var / "static" / "staticfiles.json").exists()
        if not (there and stamp.holds(wanted)):
            say("Collecting the static files")
            failure = "The static files cannot be collected"
            django.run(failure, "collectstatic", "--noinput")
            stamp.add(wanted)

    def children(self) -> list[Child]:
        python = str(self.paths.python)
        celery = [python, "-m", "celery", "-A", "crm"]
        quiet = ["--without-gossip", "--without-mingle"]
        workers = [
            Child(
                name,
                [*celery, "worker", "-n", f"{name}@%h", "-Q", queues, "-c", count]
                + ["-l", "INFO", *quiet],
            )
            for name, (queues, count) in WORKERS.items()
        ]
        web = [python, "-m", "gunicorn", "crm.wsgi", "--bind"]
        web += [f"fd://{self.listener.fileno()}", "-w", "2", "--threads", "4"]
        web += ["--preload", "--graceful-timeout", "5", "--no-control-socket"]
        return [
            *workers,
            Child("scheduler", [*celery, "beat", "-l", "INFO", "--pidfile="]),
            Child("web", web, keep_open=(self.listener.fileno(),)),
        ]

    def analyse(self, django: Django, *, anew: bool) -> None:
        """Run the main analyses once for each database, and after new demo data."""
        done = Once(self.paths.var / "analysed.json", django.environment)
        for key in ANALYSES:
            if anew or not done.has(key):
                say(f"Analysing: {key}")
                problem = self.analyse_one(django, key)
                if problem:
                    # The pages work without it; the next start tries it again.
                    self.problems.append(problem)
                else:
                    done.add(key)
            self.supervisor.look_after()

    def analyse_one(self, django: Django, key: str) -> str:
        """Run one analysis to its end; return why it brought nothing, if so."""
        failure = f"The analysis {key} failed"
        try:
            outcome = django.run_json(failure, "analyze", key, "--wait")
        except LaunchError as error:
            return str(error)
        if outcome.get("published"):
            return ""
        return f"The analysis {key} has no result: {outcome.get('reason')}"

    def wait_for_worker(self, seconds: float = 20) -> None:
        """Wait for the workers, lest a command that finds none starts its own."""
        end = time.monotonic() + seconds
        while not all(self.supervisor.has_logged(name, " ready.") for name in WORKERS):
            self.supervisor.look_after()
            if time.monotonic() > end:
                return
            time.sleep(0.2)

    def wait_for_web(self, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not self.web_answers():
            self.supervisor.look_after()
            if time.monotonic() > end:
                log = self.paths.log / "web.log"
                raise LaunchError(f"The web server does not answer; see {log}.")
            time.sleep(0.2)

    def web_answers(self) -> bool:
        try:
            with urllib.request.urlopen(
                f"{self.url}/accounts/login/", timeout=10
            ) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def announce(self, logins: list[dict], seconds: float) -> None:
        say()
        say(f"The CRM is ready after {seconds:.0f} s: {self.url}")
        for problem in self.problems:
            say(problem)
        say()
        self.tell_logins(logins)
        say()
        say(f"Logs: {self.paths.log}. Ctrl-C stops everything; the data is kept.")

    def tell_logins(self, logins: list[dict]) -> None:
        if not logins:
            say("The demo logins were removed; sign in with an account of your own.")
            return
        width = max(len(login["role"]) for login in logins)
        names = max(len(login["username"]) for login in logins)
        say(f"{'role':{width}}  {'user':{names}}  password")
        for login in logins:
            role, name = login["role"], login["username"]
            say(f"{role:{width}}  {name:{names}}  {login['password']}")

    def stay(self) -> None:
        """Watch over the processes until a signal comes."""
        while True:
            time.sleep(1)
            self.supervisor.look_after()
            for name, server in self.services.embedded.items():
                if server.pid() is None:
                    say(f"The {name} ended; starting it again.")
                    server.start()

    def stop(self) -> None:
        """Stop everything this command started; a second Ctrl-C changes nothing."""
        interrupts.ignore()
        self.listener.close()
        if self.supervisor:
            self.supervisor.stop()
        if self.services:
            self.services.stop_started()
        self.record.clear()


def static_sources(paths: Paths) -> list[Path]:
    """Return the files by whose state the collected static files are decided."""
    named = ["requirements.txt", "package-lock.json", "crm/staticfiles.py"]
    own = [path for path in (paths.root / "static").rglob("*") if path.is_file()]
    return [paths.root / name for name in named] + sorted(own)


class Once:
    """Remember per database which steps of the first start are done."""

    def __init__(self, path: Path, environment: dict[str, str]):
        self.path = path
        url = environment["DATABASE_URL"]
        self.database = hashlib.sha256(url.encode()).hexdigest()[:16]

    def read(self) -> dict[str, list[str]]:
        try:
            return json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}

    def has(self, key: str) -> bool:
        return key in self.read().get(self.database, [])

    def add(self, key: str) -> None:
        content = self.read()
        if key not in content.setdefault(self.database, []):
            content[self.database].append(key)
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(content))
        part.replace(self.path)
