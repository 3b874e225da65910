"""bin/test: everything from nothing, then all checks and all tests."""

import os
import secrets
import subprocess
import time
from pathlib import Path

from . import LaunchError, browser, testing
from .console import say
from .dependencies import install
from .paths import Paths

# The checks and tests bring their own settings; a developer's must not leak in.
SETTINGS = ("DJANGO_SETTINGS_MODULE", "SECRET_KEY", "DEBUG", "CRM_VAR_DIR")

# Each test process has a database and a broker of its own, one also a browser.
MOST_PROCESSES = 4


def main(args: list[str]) -> int:
    """Run everything; with arguments for pytest run pytest alone."""
    paths = Paths()
    paths.prepare()
    for name in SETTINGS:
        os.environ.pop(name, None)
    install(paths, development=True)
    browser.provide()
    if args:
        return run(pytest_command(paths, args), os.environ)
    failed = [name for name, ok in checks(paths).items() if not ok]
    say("== pytest")
    began = time.monotonic()
    if run(pytest_command(paths, spread()), os.environ) != 0:
        failed.append("pytest")
    say(f"== pytest took {time.monotonic() - began:.0f} s")
    say(f"Failed: {', '.join(failed)}." if failed else "Everything passed.")
    return 1 if failed else 0


def pytest_command(paths: Paths, args: list[str]) -> list[str]:
    return [str(paths.python), "-m", "pytest", *args]


def spread() -> list[str]:
    """Return the options that spread all tests over the processors."""
    # One more than processors: many tests wait for a browser, a worker or a lease.
    processes = min((os.cpu_count() or 1) + 1, MOST_PROCESSES)
    return ["-n", str(processes), "--dist", "loadscope"] if processes > 1 else []


def run(args: list[str], environment) -> int:
    try:
        return subprocess.run(args, cwd=Paths().root, env=environment).returncode
    except OSError as error:
        raise LaunchError(f"{args[0]} cannot be run: {error.strerror}.") from error


def checks(paths: Paths) -> dict[str, bool]:
    """Run the checks of style, layers, migrations, settings and templates."""
    tools = paths.venv / "bin"
    python = str(paths.python)
    manage = [python, "manage.py"]
    templates = [str(path) for path in template_files(paths.root)]
    steps = {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "lint-imports": [python, str(tools / "lint-imports")],
        "makemigrations": [*manage, "makemigrations", "--check", "--dry-run"],
        "check --deploy": [*manage, "check", "--deploy", "--fail-level", "WARNING"],
        "djade": [str(tools / "djade"), "--target-version", "5.2", "--check"],
    }
    steps["djade"] += templates
    results = {}
    services = testing.Services()
    try:
        services.start()
        environment = production_like(services)
        for name, args in steps.items():
            say(f"== {name}")
            results[name] = run(args, environment) == 0
    finally:
        services.stop()
    return results


def template_files(root: Path) -> list[Path]:
    folders = [root / "templates", *root.glob("*/templates")]
    return sorted(path for folder in folders for path in folder.rglob("*.html"))


def production_like(services: testing.Services) -> dict[str, str]:
    """Return the environment of a server in production, for check --deploy."""
    return {
        **os.environ,
        **services.environment(),
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "DEBUG": "0",
        "ALLOWED_HOSTS": "crm.example.com",
        "CSRF_TRUSTED_ORIGINS": "https://crm.example.com",
    }
