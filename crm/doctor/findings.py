"""Declare checks, and run all of them whatever one of them meets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.db import DatabaseError, connection
from django.utils.functional import Promise
from django.utils.translation import gettext as _

OK, WARN, FAIL = "ok", "warn", "fail"
OURS = ("database", "schema", "work", "machine", "site")


@dataclass(frozen=True)
class Finding:
    """One thing that a check found; ``mend`` says what to do about it."""

    level: str
    text: str
    mend: str = ""


def ok(text: str) -> Finding:
    """Return that something is well."""
    return Finding(OK, text)


def warn(text: str, mend: str) -> Finding:
    """Return that something should be looked at."""
    return Finding(WARN, text, mend)


def fail(text: str, mend: str) -> Finding:
    """Return that something is broken."""
    return Finding(FAIL, text, mend)


@dataclass(frozen=True)
class Check:
    """One question to the system."""

    key: str
    title: str | Promise
    ask: Callable[[], Iterator[Finding]]
    needs_database: bool


_checks: dict[str, Check] = {}


def check(
    key: str, title: str | Promise, *, needs_database: bool = True
) -> Callable[[Callable[[], Iterator[Finding]]], Callable[[], Iterator[Finding]]]:
    """Declare a function that yields findings as a check."""

    def declare(ask: Callable[[], Iterator[Finding]]) -> Callable:
        _checks[key] = Check(key, title, ask, needs_database)
        return ask

    return declare


def all_checks() -> list[Check]:
    """Return the checks of the framework, then those of the apps."""
    for name in OURS:
        import_module(f"crm.doctor.{name}")
    for config in apps.get_app_configs():
        name = f"{config.name}.doctor"
        if config.name != "crm" and find_spec(name) is not None:
            import_module(name)
    return list(_checks.values())


def examine() -> Iterator[tuple[Check, Finding]]:
    """Run all checks; without a database those that need it are left out."""
    has_database = True
    for one in all_checks():
        if one.needs_database and not has_database:
            continue
        try:
            for finding in one.ask():
                yield one, finding
                if one.key == "database" and finding.level == FAIL:
                    has_database = False
        except DatabaseError as error:
            # What a check asked may be what is missing; the other checks go on.
            connection.close()
            yield (
                one,
                fail(
                    _("The database refuses the question: %s") % _line(error),
                    _("Mend what is said above first, then ask again."),
                ),
            )
        except Exception as error:  # noqa: BLE001  (one check must not hide the rest)
            yield (
                one,
                fail(
                    _("The check did not come to its end: %s") % _line(error),
                    _("Look whether the settings name the right servers and folders."),
                ),
            )


def _line(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}"
