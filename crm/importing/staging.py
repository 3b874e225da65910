"""The tables in which a file waits between reading and writing."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import connection

from crm.importing.cells import Cleaner, Column
from crm.importing.encodings import UNDECODABLE
from crm.importing.shapes import straighten

if TYPE_CHECKING:
    from crm.importing.reader import Batch

PREFIX = "import_staging_"
REJECTS = "import_rejects_"
# First half of the key of an advisory lock; the second is the run's number.
LOCK_STAGING = 7_301_996
MAX_TEXT = 300


def run_sql(template: str, params: Sequence[Any] = (), **names: str) -> int:
    """Run one statement with {names} put in; return the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(template.format(**names), list(params) or None)
        return cursor.rowcount


def fetch_all(template: str, params: Sequence[Any] = (), **names: str) -> list[tuple]:
    """Return the rows of one query."""
    with connection.cursor() as cursor:
        cursor.execute(template.format(**names), list(params) or None)
        return cursor.fetchall()


def quoted(name: str) -> str:
    """Return an identifier for SQL."""
    return connection.ops.quote_name(name)


class Staging:
    """Two unlogged tables of one run: every row of the file, and why rows are bad.

    A bad row keeps its place: what counts rows of a group counts it too.
    """

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id
        self.table = f"{PREFIX}{run_id}"
        self.rejects = f"{REJECTS}{run_id}"

    @contextmanager
    def held(self) -> Iterator[Staging]:
        """Hold the tables against the sweep while the block runs, then drop them."""
        run_sql("SELECT pg_advisory_lock(%s, %s)", [LOCK_STAGING, self.run_id])
        try:
            yield self
            self.drop()
        finally:
            if connection.connection is not None and connection.is_usable():
                run_sql(
                    "SELECT pg_advisory_unlock(%s, %s)", [LOCK_STAGING, self.run_id]
                )

    def create(
        self, columns: Sequence[Column], constants: dict[str, str | None]
    ) -> None:
        """Make the tables anew; constants become defaults, so they need no copying."""
        self.drop()
        parts = []
        params: list[Any] = []
        for column in columns:
            part = f"{quoted(column.key)} {column.sql_type}"
            if constants.get(column.key) is not None:
                part += f" DEFAULT %s::{column.sql_type}"
                params.append(constants[column.key])
            parts.append(part)
        run_sql(
            "CREATE UNLOGGED TABLE {table} (line bigint NOT NULL,"
            " bad boolean NOT NULL, details jsonb, {columns})",
            params,
            table=self.table,
            columns=", ".join(parts),
        )
        run_sql(
            "CREATE UNLOGGED TABLE {rejects} (line bigint NOT NULL, col text NOT NULL,"
            " value text NOT NULL, reason text NOT NULL)",
            rejects=self.rejects,
        )

    def drop(self) -> None:
        """Drop the tables."""
        run_sql(
            "DROP TABLE IF EXISTS {table}, {rejects}",
            table=self.table,
            rejects=self.rejects,
        )

    def analyze(self) -> None:
        """Let the planner know how large the tables are."""
        run_sql("ANALYZE {table}, {rejects}", table=self.table, rejects=self.rejects)


def sweep_staging() -> list[int]:
    """Drop the tables that dead runs left behind; return the numbers of those runs."""
    rows = fetch_all(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE %s"
        " AND relnamespace = current_schema()::regnamespace",
        [PREFIX.replace("_", r"\_") + "%"],
    )
    dropped = []
    for (name,) in rows:
        run_id = name.removeprefix(PREFIX)
        if not run_id.isdigit():
            continue
        key = [LOCK_STAGING, int(run_id)]
        if not fetch_all("SELECT pg_try_advisory_lock(%s, %s)", key)[0][0]:
            continue
        try:
            Staging(int(run_id)).drop()
            dropped.append(int(run_id))
        finally:
            run_sql("SELECT pg_advisory_unlock(%s, %s)", key)
    return dropped


class Stager:
    """Clean batches and send them into the staging table by one COPY."""

    def __init__(
        self, staging: Staging, header: list[str], mapped: dict[int, Cleaner]
    ) -> None:
        self.staging = staging
        self.header = header
        self.mapped = mapped
        self.kept: dict[int, str] = {}
        self.rows = 0
        # Reasons wait in a file: while one COPY runs, the connection takes no other.
        self._reasons = tempfile.TemporaryFile(  # noqa: SIM115  (copying() closes it)
            "w+", newline="", encoding="utf-8"
        )
        self._reason_writer = csv.writer(self._reasons, lineterminator="\r\n")
        self._has_reasons = False

    def keep(self, positions: dict[int, str]) -> None:
        """Keep these columns as they are, under their names, in ``details``."""
        self.kept = positions

    @contextmanager
    def copying(self) -> Iterator[Any]:
        """Open the COPY; after it the reasons go into their own table."""
        names = [quoted(cleaner.column.key) for cleaner in self.mapped.values()]
        columns = ["line", "bad", *names, *(["details"] if self.kept else [])]
        target = f"{self.staging.table} ({', '.join(columns)})"
        with self._reasons, connection.cursor() as cursor:
            with cursor.copy(f"COPY {target} FROM STDIN (FORMAT csv)") as copy:
                yield copy
            if self._has_reasons:
                self._copy_reasons(cursor)

    def _copy_reasons(self, cursor: Any) -> None:
        self._reasons.seek(0)
        target = f"{self.staging.rejects} (line, col, value, reason)"
        # FORCE_NOT_NULL: an empty cell here is an empty text.
        options = "FORMAT csv, FORCE_NOT_NULL (col, value, reason)"
        with cursor.copy(f"COPY {target} FROM STDIN ({options})") as copy:
            while chunk := self._reasons.read(1 << 20):
                copy.write(chunk)

    def add(self, copy: Any, batch: Batch) -> None:
        """Clean one batch and send it."""
        bad: set[int] = set()
        rows = straighten(batch, self.header, bad, self._say)
        cells = list(zip(*rows, strict=True))
        values = [
            cleaner.clean(cells[position], self._saying(batch, cells, position, bad))
            for position, cleaner in self.mapped.items()
        ]
        if self.kept:
            values.append(self._details(cells))
        flags = ["f"] * len(rows)
        for index in bad:
            flags[index] = "t"
        text = io.StringIO()
        # Both characters of the line end make the writer put a cell in quotation marks.
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerows(zip(batch.numbers, flags, *values, strict=True))
        copy.write(text.getvalue())
        self.rows += len(rows)

    def _say(self, line: int, column: str, value: str, reason: str) -> None:
        self._has_reasons = True
        shown = value.replace("\0", "�").replace(UNDECODABLE, "�")[:MAX_TEXT]
        self._reason_writer.writerow([line, column, shown, reason[:MAX_TEXT]])

    def _saying(
        self, batch: Batch, cells: list[tuple[str, ...]], position: int, bad: set[int]
    ) -> Any:
        """Return the function by which one column's cleaner refuses cells."""

        def say(index: int, reason: str) -> None:
            bad.add(index)
            # Cells of a row of the wrong shape stand in the wrong place.
            if index not in batch.broken:
                self._say(
                    batch.numbers[index],
                    self.header[position],
                    cells[position][index],
                    reason,
                )

        return say

    def _details(self, cells: list[tuple[str, ...]]) -> list[str]:
        names = list(self.kept.values())
        chosen = [cells[position] for position in self.kept]
        return [
            json.dumps(
                {
                    name: cell.strip()
                    for name, cell in zip(names, row, strict=True)
                    if cell.strip()
                },
                ensure_ascii=False,
            )
            for row in zip(*chosen, strict=True)
        ]
