"""A workbook of one sheet, written row by row into a temporary file."""

from __future__ import annotations

import contextlib
import datetime
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.utils import timezone

# What a sheet holds, less the line of headings.
MAX_ROWS = 1_048_576 - 1
MAX_TEXT = 32_767
CHUNK_BYTES = 1 << 16


def workbook(
    headings: list[str],
    rows: Iterable[list[Any]],
    safe: Callable[[Any], Any],
) -> Iterator[bytes]:
    """Write the workbook, then return its bytes in chunks."""
    # The web process does without this library until somebody wants a workbook.
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    file = tempfile.TemporaryFile()  # noqa: SIM115  (sent below)
    try:
        sheet.append([cell(heading, safe) for heading in headings])
        for row in rows:
            sheet.append([cell(value, safe) for value in row])
        book.save(file)
        file.seek(0)
    except BaseException:
        file.close()
        discard(sheet)
        raise
    return sent(file)


def discard(sheet: Any) -> None:
    """Throw away the rows that the library keeps in a file of its own meanwhile."""
    writer = sheet._writer
    if writer is None:
        return
    for part in (sheet._rows, writer.xf):
        # What is in memory still cannot be written where the disk is full.
        with contextlib.suppress(OSError):
            if part is not None:
                part.close()
    if os.path.exists(writer.out):
        writer.cleanup()


def sent(file: Any) -> Iterator[bytes]:
    """Yield a file in chunks and close it."""
    with file:
        while part := file.read(CHUNK_BYTES):
            yield part


def cell(value: Any, safe: Callable[[Any], Any]) -> Any:
    """Return a value as a cell: numbers and dates as such, texts never a formula."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, datetime.datetime):
        # Cells know no time zone: the reader's clock.
        return timezone.make_naive(value) if timezone.is_aware(value) else value
    if value is None or isinstance(value, bool | int | float | Decimal | datetime.date):
        return value
    return ILLEGAL_CHARACTERS_RE.sub("", str(safe(value)))[:MAX_TEXT]
