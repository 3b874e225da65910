"""Fill a scratch database from a backup and make sure that it is all there.

Rows go in by COPY into tables without keys, triggers and indexes; these are
made again behind them: quicker, a check of what was loaded, and no superuser is needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from django.utils.translation import gettext as _
from psycopg import sql

from crm.backup import database, schema
from crm.backup.archive import MANIFEST, Head, Member, read_members
from crm.backup.create import FORMAT, Progress, silent
from crm.backup.database import Table
from crm.exceptions import UserVisibleError

# Foreign keys last: they need the others.
CONSTRAINTS = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(c.oid)
    FROM pg_constraint c JOIN pg_class t ON t.oid = conrelid AND relpersistence = 'p'
    WHERE contype IN ('p', 'u', 'x', 'f')
        AND connamespace = current_schema()::regnamespace
    ORDER BY contype = 'f', 1, 2
"""
# Those that come with no constraint.
INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_class t ON t.oid = i.indrelid AND t.relpersistence = 'p'
    WHERE c.relnamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
    ORDER BY 1
"""
QUICK = (
    "SET synchronous_commit = off",
    "SET maintenance_work_mem = '256MB'",
)


class NotTheSameError(UserVisibleError):
    """What was restored does not add up to what was saved."""


def load(
    path: Path,
    name: str,
    *,
    key: str = "",
    skip: tuple[str, ...] = (),
    add_file: Any = None,
    progress: Progress = silent,
) -> Head:
    """Restore a backup into an empty database and compare it; return the manifest.

    ``add_file(name, blocks)`` takes the attachments. Raises UserVisibleError, and
    leaves a database behind that is to be thrown away.
    """
    members = read_members(path, key)
    first = next(members)
    if first.head.get("kind") != MANIFEST:
        raise NotTheSameError(_("The backup does not begin with its list of contents."))
    manifest = manifest_of(first)
    is_older = schema.is_older(manifest["migrations"])
    progress(0, 0, _("Making the tables"))
    schema.migrate(name, manifest["migrations"] if is_older else None)
    with database.connect(name) as link:
        for statement in QUICK:
            link.execute(statement)
        wanted = _wanted(link, manifest, skip)
        with Bare(link, progress):
            _fill(link, members, wanted, manifest, add_file, progress)
        _set_sequences(link, manifest["sequences"])
        compare(link, wanted, manifest, progress)
    if is_older:
        progress(0, 0, _("Bringing the tables up to this version"))
        schema.migrate(name)
    return manifest


def measure(name: str, progress: Progress = silent) -> None:
    """Let the planner know a loaded database, which is going to be used."""
    progress(0, 0, _("Measuring the tables"))
    with database.connect(name) as link:
        link.execute("ANALYZE")


def manifest_of(first: Member) -> Head:
    """Return the manifest, if this version can read the rest."""
    manifest: Head = json.loads(first.text())
    if manifest.get("format") != FORMAT:
        raise UserVisibleError(
            _("The backup is of a newer version of the program; restore it with that.")
        )
    return manifest


def _wanted(
    link: psycopg.Connection, manifest: Head, skip: tuple[str, ...]
) -> dict[str, Table]:
    """Return the tables to fill; raises UserVisibleError where one does not fit."""
    have = {table.name: table for table in database.tables(link)}
    wanted = {
        name: Table(name, tuple(saved["columns"]))
        for name, saved in manifest["tables"].items()
        if name not in skip
    }
    unknown = [
        name
        for name, table in wanted.items()
        if name not in have or set(table.columns) - set(have[name].columns)
    ]
    if unknown:
        raise UserVisibleError(
            _(
                "The backup holds tables that this program does not make: %(tables)s. "
                "Leave them out with --skip TABLE."
            )
            % {"tables": ", ".join(unknown)}
        )
    return wanted


class Bare:
    """Take constraints, indexes and triggers away while the block runs."""

    def __init__(self, link: psycopg.Connection, progress: Progress) -> None:
        self.link = link
        self.progress = progress

    def __enter__(self) -> None:
        run = self.link.execute
        self.constraints = run(CONSTRAINTS).fetchall()
        self.indexes = run(INDEXES).fetchall()
        self.tables = database.tables(self.link)
        with self.link.transaction():
            for table, name, _definition in reversed(self.constraints):
                run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")  # type: ignore
            for name, _definition in self.indexes:
                run(f"DROP INDEX {name}")  # type: ignore[arg-type]
            for table in self.tables:
                run(table.statement("ALTER TABLE {table} DISABLE TRIGGER USER"))

    def __exit__(self, kind: Any, *rest: Any) -> None:
        if kind is not None:
            return
        run = self.link.execute
        statements = [definition for _name, definition in self.indexes] + [
            f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"
            for table, name, definition in self.constraints
        ]
        for number, statement in enumerate(statements):
            self.progress(number, len(statements), _("Making indexes, checking keys"))
            run(statement)
        for table in self.tables:
            run(table.statement("ALTER TABLE {table} ENABLE TRIGGER USER"))


def _fill(
    link: psycopg.Connection,
    members: Iterator[Member],
    wanted: dict[str, Table],
    manifest: Head,
    add_file: Any,
    progress: Progress,
) -> None:
    for table in database.tables(link):
        # What migrations wrote comes out of the backup, too.
        link.execute(table.statement("TRUNCATE {table}"))
    rows = {name: manifest["tables"][name]["rows"] for name in wanted}
    done, total = 0, sum(rows.values())

    def watched(blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            progress(done, total, _("Loading tables"))
            yield block

    for member in members:
        kind, name = member.head.get("kind"), member.head.get("name", "")
        if kind == "table" and name in wanted:
            _copy_in(link, wanted[name], watched(member.blocks()))
            done += rows[name]
        elif kind == "file" and add_file:
            add_file(name, watched(member.blocks()))


def _copy_in(link: psycopg.Connection, table: Table, blocks: Iterator[bytes]) -> None:
    """Load one table; frozen, so that nothing has to look through it again."""
    into = table.statement("COPY {table} ({columns}) FROM STDIN (FREEZE)")
    with link.transaction():
        link.execute(table.statement("TRUNCATE {table}"))
        with link.cursor() as cursor, cursor.copy(into) as copy:
            for block in blocks:
                copy.write(block)


def _set_sequences(link: psycopg.Connection, saved: dict[str, list[Any]]) -> None:
    have = database.sequences(link)
    for name, (value, is_called) in saved.items():
        if name in have:
            sequence = sql.Identifier(name).as_string(link)
            link.execute("SELECT setval(%s, %s, %s)", [sequence, value, is_called])


def compare(
    link: psycopg.Connection,
    wanted: dict[str, Table],
    manifest: Head,
    progress: Progress = silent,
) -> None:
    """Raise NotTheSameError unless every table adds up to what was saved."""
    different = []
    for number, (name, table) in enumerate(wanted.items()):
        progress(number, len(wanted), _("Comparing counts and sums"))
        saved = manifest["tables"][name]
        found = database.sums(link, table)
        if found != {"rows": saved["rows"], "sum": saved["sum"]}:
            different.append(f"{name} ({found['rows']}/{saved['rows']})")
    if different:
        raise NotTheSameError(
            _("After the restore these tables are not as they were: %(tables)s")
            % {"tables": ", ".join(different)}
        )
