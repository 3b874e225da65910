"""What commands for operators share: language, progress, plain sentences."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils import translation
from django.utils.translation import gettext as _

from crm.exceptions import UserVisibleError

PROGRESS_SECONDS = 2


def language() -> str:
    """Return the language of the shell (LANGUAGE), or of the site."""
    wanted = os.environ.get("LANGUAGE", "").partition(":")[0].partition(".")[0]
    try:
        return translation.get_supported_language_variant(
            translation.to_language(wanted) if "_" in wanted else wanted.lower()
        )
    except LookupError:
        return settings.LANGUAGE_CODE


@contextmanager
def plainly() -> Iterator[None]:
    """Run a command in the language of the shell; say in a sentence what went wrong.

    A polite end (SIGTERM) clears up like Ctrl-C does.
    """
    before = signal.signal(signal.SIGTERM, _end)
    try:
        with translation.override(language()):
            yield
    except UserVisibleError as error:
        raise CommandError(str(error)) from error
    except (psycopg.Error, DatabaseError, InterfaceError, OperationalError) as error:
        text = _("The database did not do it, nothing was changed: %s")
        raise CommandError(text % first_line(error)) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise CommandError(f"{where}{error.strerror or error}") from error
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, frame: Any) -> None:
    raise SystemExit(128 + number)


def first_line(error: BaseException) -> str:
    """Return the first line of what the server said."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def progress_to(write: Callable[[str], Any]) -> Callable[[int, int, object], None]:
    """Return a function that tells how far the work is, not too often."""
    last = [time.monotonic(), ""]

    def report(done: int, total: int, message: object) -> None:
        now = time.monotonic()
        if now - last[0] >= PROGRESS_SECONDS:  # type: ignore[operator]
            last[0] = now
            share = f" {100 * done // total} %" if total else ""
            write(f"{message}{share}")

    return report


def size_of(number: int) -> str:
    """Return a number of bytes for people, such as 12.3 MB."""
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def folder_or_file(text: str) -> Path:
    """Return the path that an argument names."""
    return Path(text).expanduser().absolute()
