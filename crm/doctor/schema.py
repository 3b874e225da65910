"""The tables: migrations, extensions, triggers, indexes, and the search in step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.doctor.findings import Finding, check, fail, ok, warn
from crm.history import triggers as history
from crm.history.tables import tracked_models
from crm.search import triggers as search

EXTENSIONS = ("pg_trgm", "unaccent")
MIGRATE = gettext_lazy("bin/manage migrate")
# Rows of each kind that are looked at: the newest ones.
SAMPLE = 300
INVALID = """
    SELECT i.indexrelid::regclass::text FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    WHERE NOT (i.indisvalid AND i.indisready)
        AND c.relnamespace = current_schema()::regnamespace
"""
UNCHECKED = """
    SELECT conrelid::regclass::text, conname FROM pg_constraint
    WHERE NOT convalidated AND connamespace = current_schema()::regnamespace
"""
TRIGGERS = """
    SELECT t.tgrelid::regclass::text, t.tgname, t.tgenabled IN ('O', 'A')
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace
"""
OUT_OF_STEP = """
    SELECT count(*) FROM (SELECT * FROM {table} ORDER BY {pk} DESC LIMIT {size}) batch
    LEFT JOIN crm_searchentry entry ON entry.kind = {kind} AND object_id = batch.{pk}
    WHERE entry.tokens IS DISTINCT FROM {tokens}
"""
ORPHANS = """
    SELECT count(*) FROM (SELECT object_id FROM crm_searchentry WHERE kind = {kind}
                          ORDER BY object_id DESC LIMIT {size}) entry
    WHERE NOT EXISTS (SELECT FROM {table} t WHERE t.{pk} = entry.object_id)
"""


@check("migrations", gettext_lazy("Migrations"))
def migrations() -> Iterator[Finding]:
    """Compare the database with the migrations of this version."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = ", ".join(f"{one.app_label}.{one.name}" for one, _back in plan[:5])
        text = ngettext(
            "%(count)s migration is not applied: %(names)s",
            "%(count)s migrations are not applied: %(names)s",
            len(plan),
        )
        yield fail(text % {"count": len(plan), "names": names}, str(MIGRATE))
    else:
        yield ok(_("All are applied."))


@check("extensions", gettext_lazy("Extensions"))
def extensions() -> Iterator[Finding]:
    """Look for what the search needs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extname FROM pg_extension")
        have = {name for (name,) in cursor.fetchall()}
    for name in EXTENSIONS:
        if name not in have:
            yield fail(
                _("The extension %s is missing.") % name,
                _("In the database, as its owner: CREATE EXTENSION %s;") % name,
            )
    if have.issuperset(EXTENSIONS):
        yield ok(_("%s are installed.") % ", ".join(EXTENSIONS))


@check("triggers", gettext_lazy("Triggers"))
def triggers() -> Iterator[Finding]:
    """Look whether search and history are kept by triggers, none switched off."""
    is_well = True
    for table, name, is_on in present_triggers():
        if not is_on:
            is_well = False
            yield fail(
                _("The trigger %(name)s on %(table)s is switched off.")
                % {"name": name, "table": table},
                f"ALTER TABLE {table} ENABLE TRIGGER {name};",
            )
    have = search.installed()
    for one in search.definitions():
        if have.get(one.function) != one.digest():
            is_well = False
            yield fail(
                _("The search does not follow %s: its triggers are missing or old.")
                % one.table,
                str(MIGRATE),
            )
    have = history.installed()
    for model in tracked_models().values():
        if have.get(history.function_of(model)) != history.digest_of(model):
            is_well = False
            yield fail(
                _("The history does not follow %s: its triggers are missing or old.")
                % model._meta.db_table,
                str(MIGRATE),
            )
    if is_well:
        yield ok(_("All of search and history are there, and none is switched off."))


def present_triggers() -> list[tuple[str, str, bool]]:
    """Return (table, trigger, whether it is on)."""
    with connection.cursor() as cursor:
        cursor.execute(TRIGGERS)
        return cursor.fetchall()


def missing_triggers(table: str, names: Iterable[str]) -> list[str]:
    """Return those triggers that a table should have and has not."""
    have = {name for where, name, _on in present_triggers() if where == table}
    return [name for name in names if name not in have]


@check("indexes", gettext_lazy("Indexes and constraints"))
def indexes() -> Iterator[Finding]:
    """Find what an interrupted build has left."""
    with connection.cursor() as cursor:
        cursor.execute(INVALID)
        broken = [name for (name,) in cursor.fetchall()]
        cursor.execute(UNCHECKED)
        unchecked = cursor.fetchall()
    for name in broken:
        yield fail(
            _("The index %s is not usable.") % name,
            f"REINDEX INDEX CONCURRENTLY {name};",
        )
    for table, name in unchecked:
        yield warn(
            _("The constraint %(name)s of %(table)s was never checked.")
            % {"name": name, "table": table},
            f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};",
        )
    if not broken and not unchecked:
        yield ok(_("All are usable."))


@check("search", gettext_lazy("Search"))
def in_step() -> Iterator[Finding]:
    """Compare the entries of the newest rows of each kind with the rows."""
    is_well = True
    for one in search.definitions():
        names = {**one.names, "size": SAMPLE}
        with connection.cursor() as cursor:
            cursor.execute(OUT_OF_STEP.format(**names))
            (stale,) = cursor.fetchone()
            cursor.execute(ORPHANS.format(**names))
            (orphans,) = cursor.fetchone()
        if stale + orphans:
            is_well = False
            yield fail(
                _("%(count)s of the newest %(size)s rows of %(table)s are not found.")
                % {"count": stale + orphans, "size": SAMPLE, "table": one.table},
                f"bin/manage reindex_search {one.search.model._meta.label}",
            )
    if is_well:
        yield ok(_("The newest rows of each kind are found as they are now."))
