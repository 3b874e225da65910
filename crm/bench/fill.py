"""Fill tables by set-based SQL: millions of rows in minutes."""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, models

BATCH = 100_000
# What only speeds up queries, and foreign keys: both cost more row by row than anew.
INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
    FROM pg_index i WHERE i.indrelid = %s::regclass AND NOT i.indisunique
"""
FOREIGN_KEYS = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = %s::regclass AND contype = 'f'
"""


@dataclass(frozen=True)
class Step:
    """One part of the fill: it writes its rows and returns how many."""

    name: str
    write: Callable[[Fill], int]


class Fill:
    """What a step works with: the size, SQL, and a line of progress."""

    def __init__(self, size: int, say: Callable[[str], None]) -> None:
        self.size = size
        self.say = say
        self.current = ""

    def run(self, step: Step) -> None:
        """Run one step and remember that it is done."""
        started = time.monotonic()
        self.current = step.name
        with connection.cursor() as cursor:
            # What a crash would lose is filled again.
            cursor.execute("SET synchronous_commit = off")
            cursor.execute("SET maintenance_work_mem = '512MB'")
            cursor.execute("SET work_mem = '64MB'")
        self.sql("INSERT INTO bench.step VALUES (%(name)s)", name=step.name)
        rows = step.write(self)
        seconds = time.monotonic() - started
        self.sql(
            "UPDATE bench.step SET rows = %(rows)s, seconds = %(seconds)s "
            "WHERE name = %(name)s",
            name=step.name,
            rows=rows,
            seconds=seconds,
        )
        self.say(f"{step.name}: {rows:,} rows in {seconds:.1f} s")

    def is_done(self, name: str) -> bool:
        """Tell whether a step was run to its end."""
        return bool(self.one("SELECT 1 FROM bench.step WHERE name = %(n)s", n=name))

    def is_broken(self) -> bool:
        """Tell whether a step was begun and not ended: half its rows may be there."""
        return bool(self.one("SELECT 1 FROM bench.step WHERE rows IS NULL"))

    def seconds(self) -> float:
        """Return how long all steps took when they were run."""
        return self.one("SELECT coalesce(sum(seconds), 0) FROM bench.step")

    def count(self, share: float) -> int:
        """Return how many rows a share of the size is."""
        return max(1, round(self.size * share))

    def sql(self, text: str, **params: Any) -> int:
        """Run one statement; return how many rows it wrote."""
        with connection.cursor() as cursor:
            cursor.execute(text, params)
            return cursor.rowcount

    def one(self, text: str, **params: Any) -> Any:
        """Return the first value of the first row, or None."""
        with connection.cursor() as cursor:
            cursor.execute(text, params)
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def many(self, total: int, text: str, batch: int = BATCH, **params: Any) -> int:
        """Run a statement for the numbers 1 to total in batches, with progress."""
        rows, said = 0, time.monotonic()
        for low in range(1, total + 1, batch):
            high = min(low + batch - 1, total)
            rows += self.sql(text, low=low, high=high, total=total, **params)
            if time.monotonic() - said > 5:
                said = time.monotonic()
                self.say(f"  {self.current}: {100 * high // total} %")
        return rows

    def give_numbers(self, *tables: type[models.Model]) -> None:
        """Let the next id follow the highest one."""
        for model in tables:
            table, key = model._meta.db_table, model._meta.pk.column
            self.sql(
                "SELECT setval(pg_get_serial_sequence(%(table)s, %(key)s), "
                f'(SELECT coalesce(max("{key}"), 1) FROM "{table}"))',
                table=f'"{table}"',
                key=key,
            )

    @contextmanager
    def bare(self, *tables: type[models.Model]) -> Iterator[None]:
        """Take indexes and foreign keys away while filling; make them anew after."""
        names = [f'"{model._meta.db_table}"' for model in tables]
        again: list[tuple[str, str]] = []
        with connection.cursor() as cursor:
            for table in names:
                cursor.execute(FOREIGN_KEYS, [table])
                for name, definition in cursor.fetchall():
                    again.append(
                        (
                            name,
                            f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}',
                        )
                    )
                    cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
                cursor.execute(INDEXES, [table])
                for name, definition in cursor.fetchall():
                    again.append((name, definition))
                    cursor.execute(f"DROP INDEX {name}")
        yield
        for name, statement in again:
            started = time.monotonic()
            self.sql(statement.replace("%", "%%"))
            if time.monotonic() - started > 5:
                self.say(f"  {self.current}: {name} made anew")
        self.give_numbers(*tables)
        for table in names:
            self.sql(f"VACUUM ANALYZE {table}")
