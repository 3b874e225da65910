"""Write down every change of the business tables by statement triggers.

One function and three triggers per table, installed after ``migrate``; the function's
comment holds a digest of its text, by which a changed table is known. What people are
to be told of goes into the outbox on the way (crm/notifications/triggers.py).
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import connection, models, transaction

from crm.history.guard import SAID, field_of_link
from crm.history.tables import columns_of, silent_columns, tracked_models
from crm.notifications import triggers as notices

# Two processes that migrate must not install at once; any constant number will do.
LOCK = 7_301_998
NOW = "(SELECT crm_current_operation()), now()"
FUNCTION = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    kept jsonb := nullif(current_setting('crm.kept', true), '')::jsonb -> '{label}';
    touched text;
BEGIN
    IF kept IS NOT NULL AND TG_OP = '{guarded}' THEN
        {touched}
        IF touched IS NOT NULL THEN
            RAISE EXCEPTION '{said} {label} %', touched
                USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO crm_change (operation_id, at, model, verb, added)
        SELECT {now}, '{label}', 'add', range_agg(int8range({pk}, {pk}, '[]'))
        FROM new_rows HAVING count(*) > 0;
{noticed_new}
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO crm_change (operation_id, at, model, verb, object_id, old, new)
        SELECT {now}, '{label}', 'change', n.{pk},
            to_jsonb(o) - same, to_jsonb(n) - same
        FROM old_rows o JOIN new_rows n ON n.{pk} = o.{pk},
        LATERAL (SELECT ARRAY[{always}, {same}]) unchanged (same)
        WHERE ({before}) IS DISTINCT FROM ({after});
{noticed_changed}
    ELSE
        WITH kept AS (
            INSERT INTO crm_deletedrow (operation_id, at, model, object_id, row)
            SELECT {now}, '{label}', {pk}, to_jsonb(o) - ARRAY[{always}] FROM old_rows o
            RETURNING operation_id, at, model, object_id
        )
        INSERT INTO crm_change (operation_id, at, model, verb, object_id)
        SELECT operation_id, at, model, 'delete', object_id FROM kept;
    END IF;
    RETURN NULL;
END $body$;
"""
# A column that the person must not change holds something else than before.
TOUCHED_COLUMN = """SELECT k.name INTO touched
        FROM old_rows o JOIN new_rows n ON n.{pk} = o.{pk},
            jsonb_array_elements_text(kept) k (name)
        WHERE to_jsonb(o) -> k.name IS DISTINCT FROM to_jsonb(n) -> k.name LIMIT 1;"""
# A row that was there before is linked; one that is new, or comes back, may be.
TOUCHED_LINK = """SELECT '{column}' INTO touched FROM new_rows n WHERE NOT EXISTS (
            SELECT FROM crm_change c JOIN crm_operation p ON p.id = c.operation_id
            WHERE p.number = (current_setting('crm.acting')::jsonb ->> 'number')::uuid
                AND c.model = '{parent}' AND c.added @> n.{quoted}) LIMIT 1;"""
TRIGGERS = {
    "insert": "REFERENCING NEW TABLE AS new_rows",
    "update": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "REFERENCING OLD TABLE AS old_rows",
}


def quote(name: str) -> str:
    """Return an identifier for SQL."""
    return connection.ops.quote_name(name)


def function_of(model: type[models.Model]) -> str:
    """Return the name of the trigger function of a table."""
    return f"crm_history_of_{model._meta.db_table}"[:63]


def body_of(model: type[models.Model]) -> str:
    """Return the trigger function of a table."""
    columns = columns_of(model)
    silent = silent_columns(model)
    judged = [quote(name) for name in columns if name not in silent]
    kept = {*columns, model._meta.pk.column}
    always = [
        field.column
        for field in model._meta.concrete_fields
        if field.primary_key or field.column not in kept
    ]
    before = ", ".join(f"o.{name}" for name in judged)
    after = ", ".join(f"n.{name}" for name in judged)
    return FUNCTION.format(
        **guard_of(model),
        function=quote(function_of(model)),
        label=model._meta.label_lower,
        pk=quote(model._meta.pk.column),
        now=NOW,
        always=", ".join(f"'{name}'" for name in always),
        # NULL takes nothing away from a jsonb value.
        same=", ".join(
            f"CASE WHEN o.{quote(name)} IS NOT DISTINCT FROM n.{quote(name)}"
            f" THEN '{name}' END"
            for name in columns
        ),
        before=before,
        after=after,
        noticed_new=notices.after_insert(model),
        noticed_changed=notices.after_update(model, before, after),
    )


def guard_of(model: type[models.Model]) -> dict[str, str]:
    """Return what of a table is refused to people from whom its fields are kept."""
    owner = model._meta.auto_created
    if not owner:
        names = {"pk": quote(model._meta.pk.column)}
        return {
            "said": SAID,
            "guarded": "UPDATE",
            "touched": TOUCHED_COLUMN.format(**names),
        }
    column = field_of_link(model).m2m_column_name()
    names = {
        "column": column,
        "quoted": quote(column),
        "parent": owner._meta.label_lower,
    }
    return {"said": SAID, "guarded": "INSERT", "touched": TOUCHED_LINK.format(**names)}


def digest_of(model: type[models.Model]) -> str:
    """Return what changes when the function does."""
    return hashlib.sha256(body_of(model).encode()).hexdigest()[:16]


def install(cursor: Any, model: type[models.Model]) -> None:
    """Create or replace the function and the triggers of a table."""
    function = quote(function_of(model))
    cursor.execute(body_of(model))
    for event, tables in TRIGGERS.items():
        cursor.execute(
            f"CREATE OR REPLACE TRIGGER crm_history_{event} AFTER {event.upper()}"
            f" ON {quote(model._meta.db_table)} {tables}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
    cursor.execute(f"COMMENT ON FUNCTION {function}() IS '{digest_of(model)}'")


def installed() -> dict[str, str]:
    """Return {function: digest} of what the database has.

    A function that some of its triggers do not call has no digest: it is stale.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, CASE WHEN (SELECT count(*) FROM pg_trigger"
            " WHERE tgfoid = p.oid) >= %s THEN obj_description(oid, 'pg_proc') END"
            " FROM pg_proc p WHERE starts_with(proname, 'crm_history_of_')"
            " AND pronamespace = current_schema()::regnamespace",
            [len(TRIGGERS)],
        )
        return dict(cursor.fetchall())


def keep_installed(**kwargs: Any) -> None:
    """Install what changed and remove what is gone; called after each ``migrate``.

    A table that a later migration makes waits for it.
    """
    wanted = {function_of(model): model for model in tracked_models().values()}
    have = installed()
    stale = [one for name, one in wanted.items() if have.get(name) != digest_of(one)]
    gone = have.keys() - wanted.keys()
    if not stale and not gone:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        existing = set(connection.introspection.table_names(cursor))
        if "crm_change" not in existing:
            return
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        for name in gone:
            cursor.execute(f"DROP FUNCTION IF EXISTS {quote(name)}() CASCADE")
        for model in stale:
            if model._meta.db_table in existing:
                install(cursor, model)
