"""Write a backup: one file, of one moment, while people work on.

Everything is read in one REPEATABLE READ transaction: what others commit meanwhile is
not in it. Nobody waits for it but who would change the shape of a table.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psycopg
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.backup import database, media
from crm.backup.archive import MANIFEST, ArchiveWriter, Head
from crm.backup.database import Table
from crm.backup.schema import applied_migrations
from crm.backup.sealing import SealedWriter
from crm.exceptions import UserVisibleError

FORMAT = 1
Progress = Callable[[int, int, object], None]
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def silent(done: int, total: int, message: object) -> None:
    """Tell nobody."""


def write_backup(
    path: Path, *, key: str = "", force: bool = False, progress: Progress = silent
) -> Head:
    """Write the database and the attachments into a file; return its manifest.

    The file appears when it is complete and on the disk. Raises UserVisibleError where
    it cannot be written; then there is no file, or the one that was there before.
    """
    path = path.absolute()
    if path.exists() and not force:
        raise UserVisibleError(
            _("%(file)s exists; choose another name, or overwrite it with --force.")
            % {"file": path}
        )
    with _new_file(path) as file, database.connect() as link:
        out = SealedWriter(file, key)
        with snapshot(link) as tables:
            manifest = _fill(ArchiveWriter(out), link, tables, progress)
    manifest["bytes"] = path.stat().st_size
    return manifest


@contextmanager
def snapshot(link: psycopg.Connection) -> Iterator[list[Table]]:
    """Hold one moment of the database; yields its tables.

    The locks come before the moment: else a TRUNCATE between the two would empty a
    table without being seen.
    """
    found = database.tables(link)
    link.execute("SET lock_timeout = '60s'")
    link.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    link.read_only = True
    with link.transaction():
        for table in found:
            link.execute(table.statement("LOCK TABLE {table} IN ACCESS SHARE MODE"))
        yield found


def _fill(
    archive: ArchiveWriter,
    link: psycopg.Connection,
    tables: list[Table],
    progress: Progress,
) -> Head:
    manifest: Head = {
        "format": FORMAT,
        "created_at": timezone.now().isoformat(timespec="seconds"),
        "server": link.info.server_version,
        "migrations": applied_migrations(link),
        "tables": {},
    }
    for number, table in enumerate(tables):
        progress(number, len(tables), _("Adding up what there is"))
        found = database.sums(link, table)
        manifest["tables"][table.name] = {"columns": table.columns, **found}
    manifest["sequences"] = database.sequences(link)
    archive.add({"kind": MANIFEST}, [json.dumps(manifest).encode()])
    total = sum(one["rows"] for one in manifest["tables"].values())
    done = 0

    def watched(blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            progress(done, total, _("Writing tables"))
            yield block

    for table in tables:
        head = {"kind": "table", "name": table.name}
        archive.add(head, watched(database.copy_out(link, table)))
        done += manifest["tables"][table.name]["rows"]
    manifest["files"] = _add_files(archive, progress)
    archive.finish()
    return manifest


def _add_files(archive: ArchiveWriter, progress: Progress) -> int:
    found = list(media.names())
    count = 0
    for number, name in enumerate(found):
        progress(number, len(found), _("Writing attachments"))
        try:
            with default_storage.open(name) as file:
                archive.add({"kind": "file", "name": name}, media.blocks(file))
        except FileNotFoundError:
            # Deleted since it was listed, as one that was deleted before.
            continue
        count += 1
    return count


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file that takes the name when the block ends well, and else is gone."""
    part = path.with_name(f"{path.name}.part")
    try:
        opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise file_error(error, path.parent) from error
    with os.fdopen(opened, "wb", buffering=1 << 20) as file:
        _claim(file, part)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            part.rename(path)
            _sync_folder(path.parent)
        except BaseException as error:
            part.unlink(missing_ok=True)
            _drop_buffer(file)
            if isinstance(error, OSError):
                raise file_error(error, path.parent) from error
            raise


def _claim(file: IO[bytes], part: Path) -> None:
    """Empty what a killed backup has left; refuse while one is being written."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The other one may just have ended, and have given our file its real name.
        is_ours = os.path.samestat(os.fstat(file.fileno()), part.stat())
    except OSError:
        is_ours = False
    if not is_ours:
        raise UserVisibleError(
            _("Another backup is being written to %(file)s.")
            % {"file": part.with_suffix("")}
        )
    os.fchmod(file.fileno(), 0o600)
    file.truncate(0)


def _drop_buffer(file: IO[bytes]) -> None:
    """Close without a second complaint about what cannot be written."""
    try:
        file.close()
    except OSError:
        return


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def file_error(error: OSError, folder: Path) -> UserVisibleError:
    """Return the sentence for a file that cannot be written or read."""
    if error.errno in FULL:
        text = _("The disk that holds %(folder)s is full; no backup was written.")
        return UserVisibleError(text % {"folder": folder})
    text = _("%(name)s: %(reason)s")
    name = error.filename or folder
    return UserVisibleError(text % {"name": name, "reason": error.strerror or error})


def describe(manifest: Head) -> dict[str, Any]:
    """Return what is said of a backup: its moment, tables, rows, files."""
    return {
        "created_at": manifest["created_at"],
        "tables": len(manifest["tables"]),
        "rows": sum(one["rows"] for one in manifest["tables"].values()),
        **{name: manifest[name] for name in ("files", "bytes") if name in manifest},
    }
