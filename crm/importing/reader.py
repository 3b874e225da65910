"""Read any table in batches, with memory that does not grow with the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path

from django.utils.translation import gettext as _

from crm.importing import cards, workbooks
from crm.importing.dialects import Dialect, codec, sniff_text
from crm.importing.encodings import UNDECODABLE, detect, open_bytes
from crm.importing.errors import FileError
from crm.importing.notes import width_before_notes, without_notes

BATCH_ROWS = 5000
BATCH_CHARS = 4_000_000
MAX_CELL = 1_000_000
MAX_RECORD = 16_000_000
MAX_COLUMNS = 2000
# Follows the last line: inside an open quotation it becomes part of the last value.
SENTINEL = "\ufdd1 end of file"
csv.field_size_limit(MAX_CELL)


@dataclass
class Batch:
    """Some rows: their numbers as a spreadsheet shows them, and their cells."""

    numbers: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    has_odd_text: bool = False
    # Which of the rows do not fit under the header.
    broken: set[int] = field(default_factory=set)


def sniff(path: Path, name: str = "", **given: str) -> Dialect:
    """Find out how a file is written; ``given`` encoding, delimiter, sheet are kept."""
    if path.stat().st_size == 0:
        raise FileError(_("The file is empty."))
    kind = workbooks.workbook_kind(path, name or path.name)
    if kind:
        names = workbooks.sheet_names(path, kind)
        return Dialect(kind=kind, sheet=given.get("sheet") or (names or [""])[0])
    if cards.is_card_file(path):
        guess = detect(path)
        encoding = given.get("encoding") or guess.encoding
        return Dialect(kind="vcard", encoding=encoding, is_certain=guess.is_certain)
    cards.check_name(name or path.name)
    return sniff_text(path, given.get("encoding", ""), given.get("delimiter", ""))


class Table:
    """A file as rows of text under a header."""

    def __init__(self, path: Path, dialect: Dialect) -> None:
        self.path = path
        self.dialect = dialect
        self.size = path.stat().st_size
        self.position = 0
        self.header: list[str] = []
        # Where our own columns begin, if it is a file of rejected rows.
        self.notes_at: int | None = None

    def read_header(self) -> list[str]:
        """Return the names of the columns; raises FileError where there is none."""
        for _batch in self.batches(1):
            break
        if not self.header:
            raise FileError(_("The file has no rows."))
        return self.header

    def sample(self, count: int) -> Batch:
        """Return the first rows."""
        for batch in self.batches(count):
            return batch
        return Batch()

    def batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows below the header in batches."""
        source = SOURCES.get(self.dialect.kind, _Sheet)(self)
        with source:
            records, number = self._take_header(source.records())
            while not source.at_end:
                batch, number = self._fill(records, source, number, size)
                if batch.rows:
                    yield batch

    def _take_header(
        self, records: Iterator[list[str]]
    ) -> tuple[Iterator[list[str]], int]:
        """Read up to the header; return the records below it and its row number."""
        wanted = self.dialect.header_row
        number = 0
        for row in records:
            number += 1
            # Empty rows above the header are passed over.
            if number < wanted or not any(cell.strip() for cell in row):
                continue
            if wanted:
                self.notes_at = width_before_notes(row)
                if self.notes_at is not None:
                    row = without_notes(row, self.notes_at)
                    records = (without_notes(one, self.notes_at) for one in records)
                self.header = unique_names(row)
                # The names of the columns of cards are ours: the first card is 1.
                return records, number - (self.dialect.kind == "vcard")
            self.header = unique_names([""] * len(row))
            return chain([row], records), number - 1
        raise FileError(_("The file has no rows."))

    def _fill(
        self, records: Iterator[list[str]], source: _Source, number: int, size: int
    ) -> tuple[Batch, int]:
        """Return the next rows; wholly empty ones are passed over."""
        batch = Batch()
        source.start_batch()
        rows, numbers = batch.rows, batch.numbers
        for row in records:
            number += 1
            if row and (row[0] or any(row)):
                rows.append(row)
                numbers.append(number)
                if len(rows) >= size or source.is_full():
                    break
        batch.has_odd_text = source.odd
        self.position = source.position()
        return batch, number


class _Source:
    """Where records come from; tells when a batch is large enough."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.odd = False
        self.at_end = False

    def __enter__(self) -> _Source:
        return self

    def __exit__(self, *args: object) -> None:
        """Close what is open."""

    def start_batch(self) -> None:
        """Begin to count anew."""
        self.odd = False

    def is_full(self) -> bool:
        """Tell whether the batch has enough text."""
        return False

    def position(self) -> int:
        """Return how many bytes of the file were read."""
        return self.table.size


class _Sheet(_Source):
    """The rows of a workbook's sheet."""

    def records(self) -> Iterator[list[str]]:
        """Yield each row."""
        dialect = self.table.dialect
        for row in workbooks.read_sheet(self.table.path, dialect.kind, dialect.sheet):
            if any("\0" in cell for cell in row):
                self.odd = True
            yield row
        self.at_end = True


class _Text(_Source):
    """The records of a delimited text file."""

    def __enter__(self) -> _Text:
        self.raw = open_bytes(self.table.path)
        encoding = codec(self.table.dialect.encoding)
        try:
            self.text = io.TextIOWrapper(
                self.raw, encoding, "crm.importing", newline=""
            )
        except LookupError as error:
            self.raw.close()
            raise FileError(_("This encoding is not known.")) from error
        self.chars = 0
        self.finished = False
        return self

    def __exit__(self, *args: object) -> None:
        self.text.close()

    def start_batch(self) -> None:
        """Begin to count anew."""
        super().start_batch()
        self.chars = 0

    def is_full(self) -> bool:
        """Tell whether the batch has enough text."""
        return self.chars > BATCH_CHARS

    def position(self) -> int:
        """Return how many bytes of the file on disk were read."""
        return self.raw.raw.position()

    def lines(self) -> Iterator[str]:
        """Yield the lines, each of bearable length, then the sentinel."""
        read = self.text.readline
        while line := read(MAX_CELL):
            self.chars += len(line)
            if "\0" in line or UNDECODABLE in line:
                self.odd = True
            if len(line) == MAX_CELL and line[-1] not in "\r\n":
                raise csv.Error(_("The row is too long: over a million characters."))
            if self.chars > BATCH_CHARS + MAX_RECORD:
                raise csv.Error(_("The row is too long to be read."))
            yield line
        self.finished = True
        yield SENTINEL

    def records(self) -> Iterator[list[str]]:
        """Yield each record; an open quotation or a giant cell is a FileError."""
        number = 0
        reader = csv.reader(self.lines(), **self.table.dialect.csv_options())
        try:
            for row in reader:
                if self.finished:
                    self._end(row, number)
                    return
                number += 1
                yield row
        except csv.Error as error:
            raise FileError(self._explain(error), row=number + 1) from error

    def _end(self, row: list[str], number: int) -> None:
        """Refuse a last record that swallowed the sentinel."""
        if row != [SENTINEL]:
            raise FileError(
                _("A quotation mark is opened here and never closed."),
                row=number + 1,
                column=len(row),
            )
        self.at_end = True

    def _explain(self, error: csv.Error) -> str:
        if "field limit" in str(error):
            return _(
                "A value has more than a million characters; "
                "probably a closing quotation mark is missing."
            )
        return str(error)


class _Cards(_Text):
    """The cards of a vCard file; it is read once to know what they tell."""

    def records(self) -> Iterator[list[str]]:
        """Yield the names of the columns, then each card."""
        encoding = codec(self.table.dialect.encoding)
        with _Text(self.table) as first:
            columns = cards.columns_of(cards.read_cards(first.text, encoding))
        yield columns
        for card in cards.read_cards(self.text, encoding):
            row = [card.get(name, "") for name in columns]
            self.chars += sum(map(len, row))
            if any("\0" in cell or UNDECODABLE in cell for cell in row):
                self.odd = True
            yield row
        self.at_end = True


SOURCES = {"csv": _Text, "vcard": _Cards}


def unique_names(row: list[str]) -> list[str]:
    """Return the header with a name of its own for each column."""
    if len(row) > MAX_COLUMNS:
        raise FileError(_("The file has more columns than can be read: 2,000."))
    names: list[str] = []
    for number, cell in enumerate(row, start=1):
        name = " ".join(cell.replace("\0", "").replace(UNDECODABLE, "�").split())[:200]
        name = name or _("Column %(number)s") % {"number": number}
        base, copy = name, 1
        while name in names:
            copy += 1
            name = f"{base} ({copy})"
        names.append(name)
    return names


def text_rows(path: Path, dialect: Dialect, count: int) -> list[list[str]]:
    """Return rows beyond ASCII, by which a person sees a wrong guess."""
    table = Table(path, replace(dialect))
    found: list[list[str]] = []
    for batch in islice(table.batches(), 20):
        found += [row for row in batch.rows if not all(map(str.isascii, row))]
        if len(found) >= count:
            break
    return found[:count]
