"""Uploaded files and files of rejected rows, in the storage under random names."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from crm.importing.errors import FileError
from crm.storing import keep

FOLDER = "imports"


def random_name(suffix: str) -> str:
    """Return a name that nobody can guess."""
    return f"{FOLDER}/{secrets.token_urlsafe(24)}{suffix}"


def save_upload(content: Any, name: str) -> str:
    """Store an uploaded file; its ending is kept, its name is not."""
    suffix = "".join(Path(name).suffixes[-2:]).lower()[:12]
    harmless = suffix.replace(".", "").isalnum() and suffix.isascii()
    return keep(random_name(suffix if harmless else ".csv"), content)


def store(path: Path, suffix: str) -> str:
    """Store a file that was written elsewhere."""
    with path.open("rb") as file:
        return keep(random_name(suffix), File(file))


def remove(name: str) -> None:
    """Delete a stored file; one given by a path outside stays."""
    if name and not Path(name).is_absolute():
        default_storage.delete(name)


@contextmanager
def local(name: str) -> Iterator[Path]:
    """Lend a stored file as a path on this host; an absolute path is itself."""
    if Path(name).is_absolute():
        yield Path(name)
        return
    try:
        path = Path(default_storage.path(name))
    except NotImplementedError:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(name).name
            with default_storage.open(name) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            yield path
        return
    if not name or not path.exists():
        raise FileError(_("The file is no longer there. Upload it again."))
    yield path


def path_of(name: str) -> str:
    """Return where a stored file lies, or its name where it lies on no disk of ours."""
    try:
        return default_storage.path(name)
    except NotImplementedError:
        return name
