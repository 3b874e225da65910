"""Keep the table of entries by triggers, so that every way of writing is in it.

One function and four statement triggers per table. The function's comment holds a
digest of its text: where it differs after migrating, the table is indexed anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection, transaction

from crm.custom.definitions import takes_custom
from crm.search.declaration import Search, all_searches

# Two processes that migrate must not install at once; any constant number will do.
LOCK = 7_301_997
BATCH = 50_000
# Words lie between "code::" and "code;" (":" and ";" follow the digits); the range and
# DISTINCT leave few of them to the regular expression.
LEARN = """
    INSERT INTO crm_searchword (word)
    SELECT word FROM (
        SELECT DISTINCT left(split_part(lexeme, ':', 2), 40) COLLATE "C" AS word
        FROM {source}, unnest(tsvector_to_array(tokens)) lexeme
        WHERE lexeme COLLATE "C" > '{code}::' AND lexeme COLLATE "C" < '{code};'
    ) words
    WHERE word ~ '^[^0-9\u3400-\u9fff]{{3}}'
        AND NOT EXISTS (SELECT FROM crm_searchword known WHERE known.word = words.word)
"""
INSERT = """
    INSERT INTO crm_searchentry (kind, object_id, recent, place, owner_id, tokens)
    SELECT {kind}, {pk}, {recent}, {place}, {owner}, {tokens} FROM {source}
    ON CONFLICT (kind, object_id) DO UPDATE SET
        recent = excluded.recent, place = excluded.place,
        owner_id = excluded.owner_id, tokens = excluded.tokens"""
CHANGED = """
    (SELECT n.* FROM new_rows n JOIN old_rows o ON o.{pk} = n.{pk}
     WHERE ({now}) IS DISTINCT FROM ({before})) changed"""
FORGET = """
    DELETE FROM crm_searchentry entry WHERE kind = {kind} AND NOT EXISTS (
        SELECT FROM {table} t WHERE t.{pk} = entry.object_id)"""
ROWS = "(SELECT * FROM {table} {after} ORDER BY {pk} LIMIT {size}) batch"
AFTER = "WHERE {pk} > {last:d}"
END = "SELECT max({pk}), count(*) FROM {batch}"
FUNCTION = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {write_new};
    ELSIF TG_OP = 'UPDATE' THEN
        {write_changed};
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM crm_searchentry entry USING old_rows
        WHERE entry.kind = {kind} AND entry.object_id = old_rows.{pk};
    ELSE
        DELETE FROM crm_searchentry WHERE kind = {kind};
    END IF;
    RETURN NULL;
END $body$;
"""
# The texts and links among the values of custom fields: days and the keys of choices
# are digits and hyphens.
CUSTOM_TEXTS = """
    CASE WHEN custom <> '{}' THEN (
        SELECT string_agg(held.value #>> '{}', ' ') FROM jsonb_each(custom) held
        WHERE jsonb_typeof(held.value) = 'string' AND held.value #>> '{}' ~ '[^0-9-]'
    ) END"""
TRIGGERS = {
    "insert": "REFERENCING NEW TABLE AS new_rows",
    "update": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "REFERENCING OLD TABLE AS old_rows",
    "truncate": "",
}


class Definition:
    """The SQL that keeps the entries of one model."""

    def __init__(self, search: Search) -> None:
        self.search = search
        meta = search.model._meta
        self.has_custom = takes_custom(search.model) and search.sees_custom
        self.table = meta.db_table
        self.function = f"crm_search_of_{self.table}"
        self.names = {
            "kind": str(search.kind),
            "code": search.code,
            "table": quote(self.table),
            "function": quote(self.function),
            "pk": quote(meta.pk.column),
            "recent": self.recent(),
            "place": self.column(search.place) if search.place else "''",
            "owner": self.column(search.owner) if search.owner else "NULL",
            "tokens": self.tokens(),
        }

    def column(self, name: str) -> str:
        """Return a column for SQL."""
        return quote(self.search.model._meta.get_field(name).column)

    def recent(self) -> str:
        """Return the time by which hits are ordered."""
        if not self.search.recent:
            return "'2000-01-01 00:00+00'::timestamptz"
        column = self.column(self.search.recent)
        return f"coalesce({column}::timestamptz, '2000-01-01 00:00+00')"

    def tokens(self) -> str:
        """Return the expression over one row."""
        search = self.search
        joined = [(search.name, "' '"), (search.text, "' '")]
        joined += [(one, r"E'\n'") for one in (search.email, search.phone)]
        joined.append((search.number, r"E'\n'"))
        parts = []
        for place, (names, separator) in enumerate(joined):
            columns = [f"{self.column(name)}::text" for name in names]
            if place == 1 and self.has_custom:
                columns.append(CUSTOM_TEXTS)
            if len(columns) > 1:
                parts.append(f"concat_ws({separator}, {', '.join(columns)})")
            else:
                parts.append(columns[0] if columns else "NULL")
        return f"crm_search_tokens('{search.code}', {', '.join(parts)})"

    def write(self, source: str) -> str:
        """Return the statement that writes entries of rows and learns their words."""
        insert = INSERT.format(source=source, **self.names)
        if not (self.search.name or self.search.text):
            return insert
        learn = LEARN.format(source="written", **self.names)
        return f"WITH written AS ({insert} RETURNING tokens) {learn}"

    def changed(self) -> str:
        """Return the changed rows of an UPDATE, where the entry is another now."""
        search = self.search
        kept = (search.recent, search.place, search.owner)
        custom = ("custom",) if self.has_custom else ()
        names = dict.fromkeys(search.own + kept + custom)
        columns = [self.column(name) for name in names if name]
        now = ", ".join(f"n.{one}" for one in columns)
        before = ", ".join(f"o.{one}" for one in columns)
        return CHANGED.format(now=now, before=before, **self.names)

    def body(self) -> str:
        """Return the trigger function."""
        write_new, write_changed = self.write("new_rows"), self.write(self.changed())
        return FUNCTION.format(
            write_new=write_new.strip(),
            write_changed=write_changed.strip(),
            **self.names,
        )

    def digest(self) -> str:
        """Return what changes when the definition does."""
        return hashlib.sha256(self.body().encode()).hexdigest()[:16]

    def install(self, cursor: Any) -> None:
        """Create or replace the function and its triggers."""
        cursor.execute(self.body())
        for event, tables in TRIGGERS.items():
            cursor.execute(
                f"CREATE OR REPLACE TRIGGER crm_search_{event}"
                f" AFTER {event.upper()} ON {self.names['table']} {tables}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION {self.names['function']}()"
            )
        cursor.execute(
            f"COMMENT ON FUNCTION {self.names['function']}() IS '{self.digest()}'"
        )

    def reindex(self) -> int:
        """Write all entries of the model anew, in batches of ids."""
        done, last = 0, None
        with connection.cursor() as cursor:
            cursor.execute(FORGET.format(**self.names))
            while True:
                after = "" if last is None else AFTER.format(last=last, **self.names)
                batch = ROWS.format(after=after, size=BATCH, **self.names)
                cursor.execute(END.format(batch=batch, **self.names))
                last, count = cursor.fetchone()
                if not count:
                    return done
                cursor.execute(self.write(batch))
                done += count


def quote(name: str) -> str:
    """Return an identifier for SQL."""
    return connection.ops.quote_name(name)


def definitions() -> list[Definition]:
    """Return the definitions of all searched models."""
    return [Definition(search) for search in all_searches()]


def installed() -> dict[str, str]:
    """Return {function: digest} of what the database has.

    A function that some of its triggers do not call has no digest: it is stale.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, CASE WHEN (SELECT count(*) FROM pg_trigger"
            " WHERE tgfoid = p.oid) >= %s THEN obj_description(oid, 'pg_proc') END"
            " FROM pg_proc p WHERE starts_with(proname, 'crm_search_of_')"
            " AND pronamespace = current_schema()::regnamespace",
            [len(TRIGGERS)],
        )
        return dict(cursor.fetchall())


def tables() -> set[str]:
    """Return the tables that exist."""
    with connection.cursor() as cursor:
        return set(connection.introspection.table_names(cursor))


def keep_installed(**kwargs: Any) -> None:
    """Install what changed and index those tables anew; remove what is gone.

    Called after each ``migrate``. A table that a later migration makes waits for it.
    """
    wanted = {one.function: one for one in definitions()}
    have = installed()
    stale = [one for name, one in wanted.items() if have.get(name) != one.digest()]
    gone = have.keys() - wanted.keys()
    if not stale and not gone:
        return
    existing = tables()
    if "crm_searchentry" not in existing:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        for name in gone:
            cursor.execute(f"DROP FUNCTION IF EXISTS {quote(name)}() CASCADE")
        for one in stale:
            if one.table in existing:
                one.install(cursor)
                one.reindex()


def reindex(models: Iterable[Any] = (), tell: Callable[[str], None] = print) -> None:
    """Write the entries of some or all models anew."""
    chosen = set(models)
    for one in definitions():
        model = one.search.model
        if not chosen or model in chosen:
            count = one.reindex()
            tell(f"{model._meta.label}: {count}")
