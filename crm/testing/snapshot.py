"""See whether anything changed in the database or among the files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import mail
from django.db import connection, models

from crm.history.tables import tracked_models
from crm.models import AuditEntry, Job, SecurityEvent


def state_of(*tables: type[models.Model]) -> tuple[Any, ...]:
    """Return what the rows of the models add up to, and how many entries, jobs, mails.

    In one statement: the tests of rights ask it before and after each refusal.
    """
    with connection.cursor() as cursor:
        cursor.execute(_question(tables))
        return (*cursor.fetchone(), len(getattr(mail, "outbox", [])))


@cache
def _question(tables: tuple[type[models.Model], ...]) -> str:
    rows = (
        "(SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t.{key})), '')"
        ' FROM "{table}" t)'
    )
    counts = '(SELECT count(*) FROM "{table}")'
    parts = [
        rows.format(table=model._meta.db_table, key=model._meta.pk.column)
        for model in tables
        # A refusal is noted there, and nothing else can write to it.
        if model is not SecurityEvent
    ]
    parts += [counts.format(table=one._meta.db_table) for one in (AuditEntry, Job)]
    return f"SELECT {', '.join(parts)}"


def written_folders() -> list[Path]:
    """Return the folders that the program writes to: uploads, exports, backups, state.

    Each process that runs tests has its own: nobody else's work is taken for ours.
    """
    return [Path(settings.VAR_DIR), Path(settings.MEDIA_ROOT), settings.BACKUP_DIR]


def files_of(*folders: Path) -> dict[str, tuple[int, str]]:
    """Return {path: (size, checksum)} of all files in the folders, subfolders too.

    A folder counts as well, by the checksum "". Without folders it is those that the
    program writes to.
    """
    found = {}
    for top in folders or written_folders():
        for path in sorted(top.rglob("*")):
            if path.is_dir():
                found[str(path)] = (0, "")
            else:
                about = path.lstat()
                marks = (about.st_ino, about.st_mtime_ns, about.st_ctime_ns)
                found[str(path)] = (about.st_size, _checksum(str(path), marks))
    return found


@lru_cache(maxsize=10_000)
def _checksum(path: str, marks: tuple[int, ...]) -> str:
    """Return a checksum; nothing can be written without the inode's time moving on."""
    if os.path.islink(path):
        return os.readlink(path)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def all_rows() -> dict[str, list[str]]:
    """Return {table: its rows as text} of all business tables."""
    found = {}
    with connection.cursor() as cursor:
        for model in tracked_models().values():
            table = model._meta.db_table
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY id')  # noqa: S608
            found[table] = [row for (row,) in cursor.fetchall()]
    return found


@contextmanager
def unchanged(*tables: type[models.Model]) -> Iterator[None]:
    """Assert that the block changes no row of the models and causes nothing else."""
    before = state_of(*tables)
    yield
    assert state_of(*tables) == before
