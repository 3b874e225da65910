"""Processes that begin with Django and Celery loaded: real ones, two seconds sooner.

One process per test run (`python -m crm.testing.forking`) loads everything, then forks
for each that is wanted. What comes out is a process like any other, with a session,
connections and an end of its own. All end when the test run ends.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import subprocess
import sys
import traceback
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings

# Of Celery what a worker loads only when it starts.
LOADED = ("celery.apps.worker", "celery.concurrency.prefork", "kombu.transport.redis")


class Forker:
    """The process that forks, as the test run sees it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(  # noqa: S603  (our own program)
            [sys.executable, "-m", "crm.testing.forking"],
            cwd=settings.BASE_DIR,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self.process.communicate)

    def ask(self, **question: Any) -> Any:
        """Send one question and return its answer."""
        print(json.dumps(question), file=self.process.stdin, flush=True)  # noqa: T201
        return json.loads(self.process.stdout.readline())


class Forked:
    """A process that was forked; as much of ``subprocess.Popen`` as tests need."""

    def __init__(self, forker: Forker, pid: int) -> None:
        self.forker = forker
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return how the process ended, None while it runs."""
        if self.returncode is None:
            self.returncode = self.forker.ask(wait=self.pid, options=os.WNOHANG)
        return self.returncode

    def wait(self) -> int:
        """Wait for the end; a signal is told as its negative number."""
        if self.returncode is None:
            self.returncode = self.forker.ask(wait=self.pid, options=0)
        return self.returncode


@cache
def _forker(settings_of: frozenset[tuple[str, str]]) -> Forker:
    return Forker(dict(settings_of))


def fork(argv: list[str], environment: Mapping[str, str], log: Path) -> Forked:
    """Run ``celery …`` or a Python file; both outputs go into the log.

    The settings are made once for each environment, whatever database it names.
    """
    database = urlsplit(environment["DATABASE_URL"]).path.lstrip("/")
    same = {**environment, "DATABASE_URL": os.environ["DATABASE_URL"]}
    # pytest names the running test there: another one each time.
    same.pop("PYTEST_CURRENT_TEST", None)
    forker = _forker(frozenset(same.items()))
    named = {"DATABASE_URL": environment["DATABASE_URL"]}
    pid = forker.ask(argv=argv, environment=named, database=database, log=str(log))
    return Forked(forker, pid)


# --- In the process that forks ------------------------------------------------------


def main() -> None:
    """Answer the test run's questions until it ends."""
    django.setup()
    for name in LOADED:
        import_module(name)
    import_module("crm.celery").app.loader.import_default_modules()
    for line in sys.stdin:
        question = json.loads(line)
        if "argv" in question:
            answer = _fork(**question)
        else:
            answer = _ended(question["wait"], question["options"])
        print(json.dumps(answer), flush=True)  # noqa: T201


def _ended(pid: int, options: int) -> int | None:
    found, status = os.waitpid(pid, options)
    return os.waitstatus_to_exitcode(status) if found else None


def _fork(argv: list[str], environment: dict[str, str], database: str, log: str) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _become(environment, database, log)
        code = _run(argv)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _become(environment: dict[str, str], database: str, log: str) -> None:
    """Take on what a process of its own has: session, files, parent and database."""
    from django.db import connection

    from crm.jobs.workers import COMPANION_OF

    os.setsid()
    os.environ.update({**environment, COMPANION_OF: str(os.getppid())})
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, file in enumerate((nothing, output, output)):
        os.dup2(file, number)
    connection.settings_dict["NAME"] = database


def _run(argv: list[str]) -> int:
    """Run a command line in this process; return its exit code."""
    sys.argv = argv
    try:
        if argv[0] == "celery":
            return import_module("celery.bin.celery").main() or 0
        runpy.run_path(argv[0], run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    main()
