"""Rows that are too short, too long, or hold what is no text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from crm.importing.encodings import UNDECODABLE

if TYPE_CHECKING:
    from crm.importing.reader import Batch

Say = Callable[[int, str, str, str], None]


def straighten(
    batch: Batch, header: list[str], bad: set[int], say: Say
) -> list[list[str]]:
    """Return the rows, each as wide as the header.

    Missing cells at the end are empty (spreadsheets leave them away); a row with filled
    cells beyond the header is refused, because nobody knows which cell is too many.
    """
    rows, width = batch.rows, len(header)
    if {*map(len, rows)} != {width}:
        _fit_widths(batch, width, bad, say)
    if batch.has_odd_text:
        for index, row in enumerate(rows):
            rows[index] = _without_odd_text(batch, index, row, header, bad, say)
    return rows


def _fit_widths(batch: Batch, width: int, bad: set[int], say: Say) -> None:
    rows = batch.rows
    for index, row in enumerate(rows):
        surplus = len(row) - width
        if surplus < 0:
            rows[index] = row + [""] * -surplus
        elif surplus > 0:
            if any(cell.strip() for cell in row[width:]):
                bad.add(index)
                batch.broken.add(index)
                reason = _("The row has %(found)s cells, the header has %(width)s.")
                numbers = {"found": len(row), "width": width}
                say(batch.numbers[index], "", row[width], reason % numbers)
            rows[index] = row[:width]


def _without_odd_text(
    batch: Batch,
    index: int,
    row: list[str],
    header: list[str],
    bad: set[int],
    say: Say,
) -> list[str]:
    """Refuse a row with NUL characters or bytes that are not of the encoding."""
    clean = []
    for position, cell in enumerate(row):
        if "\0" in cell or UNDECODABLE in cell:
            reason = (
                _("The value holds a NUL character.")
                if "\0" in cell
                else _("The value holds bytes that are not of the chosen encoding.")
            )
            bad.add(index)
            batch.broken.add(index)
            say(batch.numbers[index], header[position], cell, reason)
            cell = cell.replace("\0", "").replace(UNDECODABLE, "")
        clean.append(cell)
    return clean
