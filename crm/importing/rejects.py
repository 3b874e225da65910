"""The file of rejected rows: the columns as they came, and why.

Mended, it can be imported as it is: what we added is left out again (notes.py).
"""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import connection

from crm.importing.encodings import UNDECODABLE
from crm.importing.notes import note_names
from crm.importing.reader import Table

if TYPE_CHECKING:
    from crm.importing.work import Work

FORMULA_SIGNS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
# What begins like a formula but is a plain number or a phone number.
HARMLESS = re.compile(r"[+-]?[\d.,]+(?:[eE][+-]?\d+)?|\+\d[\d ()-]*")


def escape_formula(cell: str) -> str:
    """Return the cell so that a spreadsheet shows it instead of computing it."""
    if cell and cell[0] in FORMULA_SIGNS and not HARMLESS.fullmatch(cell):
        return f"'{cell}"
    return cell


def write_rejects(work: Work, table: Table, target: Path) -> None:
    """Write each rejected row of the file with its reasons.

    The file is read a second time beside the reasons, both by row number, so neither
    has to fit into memory.
    """
    extra = work.importer.reject_columns(work)
    with (
        target.open("w", encoding="utf-8-sig", newline="") as file,
        connection.cursor() as cursor,
    ):
        delimiter = table.dialect.delimiter
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
        header = [*table.read_header(), *(label for label, _sql in extra)]
        writer.writerow([escape_formula(cell) for cell in [*header, *note_names()]])
        found = _reasons(work, cursor, [sql for _label, sql in extra])
        _merge(table, found, writer, len(table.header))


def _reasons(
    work: Work, cursor: Any, extra: Sequence[str]
) -> Iterator[tuple[int, list[str], str]]:
    """Yield (row number, further cells, reasons), by row number."""
    more = "".join(f", ({sql})::text" for sql in extra)
    query = (
        f"SELECT r.line, r.col, r.reason{more} FROM {work.staging.rejects} r"
        f" JOIN {work.staging.table} s USING (line) ORDER BY r.line"
    )
    cursor.execute("DECLARE import_reasons NO SCROLL CURSOR FOR " + query)
    try:
        for line, group in groupby(_fetched(cursor), key=lambda row: row[0]):
            rows = list(group)
            texts = [
                f"{col}: {reason}" if col else reason for _l, col, reason, *_m in rows
            ]
            yield line, [cell or "" for cell in rows[0][3:]], " | ".join(texts)
    finally:
        cursor.execute("CLOSE import_reasons")


def _fetched(cursor: Any) -> Iterator[tuple]:
    while True:
        cursor.execute("FETCH 2000 FROM import_reasons")
        rows = cursor.fetchall()
        if not rows:
            return
        yield from rows


def _merge(
    table: Table,
    found: Iterator[tuple[int, list[str], str]],
    writer: Any,
    width: int,
) -> None:
    """Write the rows of the file whose numbers come up among the reasons."""
    wanted = next(found, None)
    for batch in table.batches():
        if wanted is None:
            break
        if batch.numbers[-1] < wanted[0]:
            continue
        for number, row in zip(batch.numbers, batch.rows, strict=True):
            if wanted is None or number != wanted[0]:
                continue
            cells = [cell.replace("\0", "").replace(UNDECODABLE, "�") for cell in row]
            cells += [""] * (width - len(cells))
            # Cells beyond the header would push the reason out of its column.
            full = [*cells[:width], *wanted[1], str(number), wanted[2], *cells[width:]]
            writer.writerow([escape_formula(cell) for cell in full])
            wanted = next(found, None)
    found.close()
