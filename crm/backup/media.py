"""Attachments: out of the storage into a backup, and back by renaming.

The restored files lie in a hidden folder of the storage until the exchange; what was
there before then lies in another one. Renames inside the folder work where the folder
itself is a mount and cannot be renamed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from django.core.files import File
from django.core.files.storage import Storage, default_storage
from django.utils.translation import gettext as _

from crm.exceptions import UserVisibleError

BLOCK = 1 << 20
RESTORED, BEFORE = ".restored", ".before-"


def names(storage: Storage = default_storage, folder: str = "") -> Iterator[str]:
    """Yield the names of all files in the storage."""
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    prefix = f"{folder}/" if folder else ""
    for name in sorted(files):
        yield prefix + name
    for name in sorted(folders):
        if folder or not name.startswith((RESTORED, BEFORE)):
            yield from names(storage, prefix + name)


def blocks(file: File) -> Iterator[bytes]:
    """Yield an open file's bytes."""
    while block := file.read(BLOCK):
        yield block


class Exchange:
    """Restored files that wait beside the present ones."""

    def __init__(self, stamp: str) -> None:
        root = getattr(default_storage, "location", None)
        if root is None:
            raise UserVisibleError(
                _(
                    "Attachments lie in a storage that is no folder; "
                    "restore with --without-media and copy them there by hand."
                )
            )
        self.root = Path(root)
        self.restored = self.root / RESTORED
        self.before = self.root / f"{BEFORE}{stamp}"
        self.moved: list[tuple[Path, Path]] = []

    def prepare(self) -> None:
        """Begin with nothing, whatever an interrupted restore has left."""
        shutil.rmtree(self.restored, ignore_errors=True)
        self.restored.mkdir(parents=True, mode=0o700)

    def add(self, name: str, content: Iterable[bytes]) -> None:
        """Write one restored file."""
        parts = PurePosixPath(name).parts
        if not parts or parts[0] == "/" or ".." in parts:
            raise UserVisibleError(
                _("The backup holds a file outside of the attachments: %(name)s")
                % {"name": name}
            )
        path = self.restored.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for block in content:
                file.write(block)

    def switch(self) -> None:
        """Put the restored files in place of the present ones."""
        self.before.mkdir(mode=0o700)
        for place in sorted(self.root.iterdir()):
            if not place.name.startswith((RESTORED, BEFORE)):
                self._move(place, self.before / place.name)
        for place in sorted(self.restored.iterdir()):
            self._move(place, self.root / place.name)

    def _move(self, source: Path, target: Path) -> None:
        source.rename(target)
        self.moved.append((source, target))

    def undo(self) -> None:
        """Put everything back where it was."""
        while self.moved:
            source, target = self.moved.pop()
            target.rename(source)
        if self.before.is_dir():
            self.before.rmdir()

    def clear(self) -> None:
        """Remove what was restored and is not in use."""
        shutil.rmtree(self.restored, ignore_errors=True)
