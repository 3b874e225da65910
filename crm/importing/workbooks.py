"""Read XLSX, XLS and ODS files.

The library holds a whole sheet in memory, so the size of what is unpacked is limited;
larger tables go in as CSV, which is read in a stream.
"""

from __future__ import annotations

import datetime
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineSheet, load_workbook

from crm.importing.errors import FileError

# Measured: a sheet takes about twice its unpacked XML while it is read.
MAX_UNPACKED = 64 * 1024 * 1024
MAX_XLS = 16 * 1024 * 1024
SUFFIXES = {".xlsx", ".xlsm", ".xls", ".ods", ".xlsb"}
CHUNK = 1024 * 1024


def workbook_kind(path: Path, name: str) -> str:
    """Return "zip", "xls" or "" for text; raise where name and content differ."""
    with path.open("rb") as file:
        head = file.read(8)
    if head[:4] == b"PK\x03\x04":
        return "zip"
    if head == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return "xls"
    if Path(name).suffix.lower() in SUFFIXES and head:
        raise FileError(
            _("The name says that this is a workbook, but its content is none.")
        )
    return ""


def guard(path: Path, kind: str) -> None:
    """Refuse a workbook that would fill the memory, and an archive that is none."""
    too_large = _("The workbook is too large to be read. Save it as CSV.")
    if kind == "xls":
        if path.stat().st_size > MAX_XLS:
            raise FileError(too_large)
        return
    damaged = _("The workbook is damaged or not a workbook at all.")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if not any(
                name.startswith("xl/") or name == "content.xml" for name in names
            ):
                raise FileError(
                    _("This is an archive without a workbook in it. Unpack it first.")
                )
            if _unpacked_size(archive) > MAX_UNPACKED:
                raise FileError(too_large)
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError) as error:
        raise FileError(damaged) from error
    except RuntimeError as error:
        raise FileError(_("The workbook is protected by a password.")) from error


def _unpacked_size(archive: zipfile.ZipFile) -> int:
    """Unpack everything once and count: sizes written in an archive may lie."""
    size = 0
    for entry in archive.infolist():
        with archive.open(entry) as stream:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if size > MAX_UNPACKED:
                    return size
    return size


def sheet_names(path: Path, kind: str) -> list[str]:
    """Return the names of the sheets that can be read."""
    guard(path, kind)
    return _open(path).sheet_names


def _open(path: Path) -> Any:
    try:
        return load_workbook(str(path))
    except (CalamineError, OSError, ValueError) as error:
        raise FileError(
            _("The workbook is damaged or not a workbook at all.")
        ) from error


def read_sheet(path: Path, kind: str, sheet: str = "") -> Iterator[list[str]]:
    """Yield the rows of a sheet as text, from the sheet's first row on."""
    guard(path, kind)
    book = _open(path)
    names = book.sheet_names
    if not names:
        raise FileError(_("The workbook has no sheet."))
    if sheet and sheet not in names:
        raise FileError(_("The workbook has no sheet of this name."))
    try:
        table: CalamineSheet = book.get_sheet_by_name(sheet or names[0])
        # Empty rows above the table count: a person finds rows by the sheet's numbers.
        for _row in range(table.start[0] if table.start else 0):
            yield []
        for row in table.iter_rows():
            yield [as_text(cell) for cell in row]
    except (CalamineError, ValueError) as error:
        raise FileError(
            _("The workbook is damaged or not a workbook at all.")
        ) from error


def as_text(cell: Any) -> str:
    """Return a cell as the text that a CSV file would have."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        # Spreadsheets show 15 digits; the rest is noise of the binary form.
        return str(int(cell)) if cell.is_integer() else format(cell, ".15g")
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(" ")
    if cell is None:
        return ""
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)
