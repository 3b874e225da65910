"""Keep a file whole in the storage, or say in words why not and keep nothing of it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from crm.exceptions import UserVisibleError

if TYPE_CHECKING:
    from django.core.files import File

# No space, a quota, or a limit of the process.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def disk_is_full() -> str:
    """Return the sentence for it."""
    return _(
        "The disk of the server is full, so nothing was saved. Tell an administrator, "
        "then try again."
    )


@contextmanager
def full_disk_in_words() -> Iterator[None]:
    """Raise UserVisibleError where something inside finds the disk full."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise UserVisibleError(disk_is_full()) from error


def keep(name: str, content: File) -> str:
    """Store a file under a name that is not in use; return its name there.

    Raises UserVisibleError where the disk is full; nothing of the file is left then.
    """
    with full_disk_in_words():
        try:
            return default_storage.save(name, content)
        except OSError:
            default_storage.delete(name)
            raise
