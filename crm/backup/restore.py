"""Check a backup, load it beside the live database, compare, and exchange the two.

Until the exchange nothing that is in use was touched; whatever goes wrong before, or in
it, leaves the old state.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.backup.archive import Head, verify
from crm.backup.create import Progress, silent
from crm.backup.loading import load, measure
from crm.backup.media import Exchange
from crm.backup.scratch import Room, beside, room
from crm.exceptions import UserVisibleError


def check(path: Path, key: str, progress: Progress = silent) -> Head:
    """Read the whole file; raises UserVisibleError at anything that is not right."""
    size = path.stat().st_size

    def report(done: int) -> None:
        progress(done, 0, _("Checking the file"))

    return {**verify(path, key, report), "bytes": size}


def restore(
    path: Path,
    *,
    key: str = "",
    force: bool = False,
    skip: tuple[str, ...] = (),
    with_media: bool = True,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Put a backup in place of what is there now.

    Returns {"manifest", "database": name of the old database, "media": folder of the
    old attachments or None}.
    """
    manifest = check(path, key, progress)
    stamp = timezone.now().strftime("%Y%m%d_%H%M%S")
    with room() as place:
        place.require_alone(force=force)
        files = Exchange(stamp) if with_media else None
        aside = beside(place.live, f"before_{stamp}")
        with scratch(place, "restore") as name, restored_files(files):
            load(
                path,
                name,
                key=key,
                skip=skip,
                add_file=files and files.add,
                progress=progress,
            )
            measure(name, progress)
            progress(0, 0, _("Exchanging the old state and the new"))
            switch = files.switch if files else lambda: None
            try:
                place.exchange(name, aside, switch, force=force)
            except BaseException:
                if files:
                    files.undo()
                raise
    found = {"manifest": manifest, "database": aside, "media": None}
    if files and files.before.exists():
        found["media"] = str(files.before)
    return found


def restore_into(
    path: Path,
    name: str,
    *,
    key: str = "",
    skip: tuple[str, ...] = (),
    progress: Progress = silent,
) -> Head:
    """Restore a backup into a new database beside; attachments stay in the file."""
    manifest = check(path, key, progress)
    with room() as place:
        if place.exists(name):
            raise UserVisibleError(
                _("There is a database %(name)s already; choose another name.")
                % {"name": name}
            )
        place.create(name)
        try:
            load(path, name, key=key, skip=skip, progress=progress)
            measure(name, progress)
        except BaseException:
            drop_quietly(place, name)
            raise
    return manifest


def try_out(path: Path, *, key: str = "", progress: Progress = silent) -> Head:
    """Restore a backup into a database that is thrown away; raises UserVisibleError."""
    manifest = check(path, key, progress)
    with room() as place, scratch(place, "verify") as name:
        load(path, name, key=key, progress=progress)
    return manifest


@contextmanager
def scratch(place: Room, purpose: str) -> Iterator[str]:
    """Make a scratch database; in the end there is none under its name."""
    name = beside(place.live, purpose)
    # What a killed restore has left; the room is ours alone.
    place.drop(name)
    place.create(name)
    try:
        yield name
    finally:
        drop_quietly(place, name)


@contextmanager
def restored_files(files: Exchange | None) -> Iterator[None]:
    """Have a place for restored attachments, empty before and gone afterwards."""
    if files is None:
        yield
        return
    files.prepare()
    try:
        yield
    finally:
        files.clear()


def drop_quietly(place: Room, name: str) -> None:
    """Throw a scratch database away, unless the server is gone: the next one will."""
    try:
        place.drop(name)
    except psycopg.Error:
        return


def leave_the_database() -> None:
    """Close this process's own connections, which would hold up the exchange."""
    connections.close_all()
