"""Work out, set by set, how rows stood before an operation, and what is in the way.

The plan is a temporary table with one line per row of any model. Everything that
follows (a preview, an undo of all or of some rows) reads and marks its lines.
"""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models

from crm.access import Scope, Verb, or_shared, owner_condition, scope_of
from crm.generic.registry import registry
from crm.history.tables import silent_columns, tracked_models
from crm.history.triggers import quote
from crm.models import CustomField

if TYPE_CHECKING:
    from crm.models import Operation, User

# What undoing does to a row that was added, changed, deleted.
REMOVE, CHANGE, RESTORE = "remove", "change", "restore"
# Why a row is left as it is. The first can be overruled.
CHANGED, NEEDED, PARENT, PART, TAKEN, GONE, REACH, KEPT = (
    "changed",
    "needed",
    "parent",
    "part",
    "taken",
    "gone",
    "reach",
    "kept",
)
# Whoever did it may take it back with the right that doing it took.
VERBS = {
    REMOVE: (Verb.ADD, Verb.IMPORT),
    CHANGE: (Verb.CHANGE,),
    RESTORE: (Verb.DELETE,),
}

CREATE = """
CREATE TEMPORARY TABLE undo_plan (
    model text, object_id bigint, action text, row jsonb, expected jsonb,
    last_id bigint, conflict text NOT NULL DEFAULT '', PRIMARY KEY (model, object_id)
) ON COMMIT DROP
"""
FILL = """
WITH events AS MATERIALIZED (
    SELECT c.id, added.object_id, c.verb, c.old, c.new
    FROM crm_change c, unnest(c.added) ids,
        generate_series(lower(ids), upper(ids) - 1) added (object_id)
    WHERE c.operation_id = %(operation)s AND c.model = %(model)s AND c.verb = 'add'
    UNION ALL
    SELECT c.id, c.object_id, c.verb, c.old, c.new
    FROM crm_change c
    WHERE c.operation_id = %(operation)s AND c.model = %(model)s AND c.verb <> 'add'
), ends AS (
    SELECT object_id, (array_agg(verb ORDER BY id))[1] AS first,
        (array_agg(verb ORDER BY id DESC))[1] AS last, max(id) AS last_id,
        min(id) FILTER (WHERE verb = 'delete') AS deleted_id
    FROM events GROUP BY object_id
), befores AS (
    SELECT e.object_id, jsonb_object_agg(k.key, k.value ORDER BY e.id DESC) AS old
    FROM events e JOIN ends USING (object_id), jsonb_each(e.old) k
    WHERE e.verb = 'change' AND e.id < coalesce(ends.deleted_id, e.id + 1)
    GROUP BY e.object_id
), afters AS (
    SELECT e.object_id, jsonb_object_agg(k.key, k.value ORDER BY e.id) AS new
    FROM events e, jsonb_each(e.new) k WHERE e.verb = 'change' GROUP BY e.object_id
), gone AS (
    SELECT DISTINCT ON (object_id) object_id, row FROM crm_deletedrow
    WHERE operation_id = %(operation)s AND model = %(model)s ORDER BY object_id, id
)
INSERT INTO undo_plan (model, object_id, action, row, expected, last_id)
SELECT %(model)s, ends.object_id,
    CASE WHEN last = 'delete' THEN 'restore' WHEN first = 'add' THEN 'remove'
        ELSE 'change' END,
    CASE WHEN %(as_deleted)s AND last = 'delete' THEN gone.row
        WHEN first = 'add' THEN NULL
        ELSE coalesce(gone.row, '{{}}') || coalesce(old, '{{}}') END,
    new, last_id
FROM ends LEFT JOIN befores USING (object_id) LEFT JOIN afters USING (object_id)
    LEFT JOIN gone USING (object_id)
WHERE (%(as_deleted)s OR NOT (first = 'add' AND last = 'delete'))
    AND NOT (last = 'delete' AND gone.object_id IS NULL)
"""
# Rows that are as they were already need nothing.
SETTLED = """
DELETE FROM undo_plan p WHERE model = %(model)s AND (
    CASE action
        WHEN 'restore' THEN EXISTS (SELECT FROM {table} t WHERE t.{pk} = p.object_id)
        WHEN 'remove' THEN NOT EXISTS (SELECT FROM {table} t WHERE t.{pk} = p.object_id)
    END
)
"""
MARK_GONE = """
UPDATE undo_plan p SET conflict = 'gone' WHERE model = %(model)s AND action = 'change'
    AND NOT EXISTS (SELECT FROM {table} t WHERE t.{pk} = p.object_id)
"""
# A changed row holds something else by now in a column that would be set back.
MARK_CHANGED = """
UPDATE undo_plan p SET conflict = 'changed' FROM {table} t
WHERE p.model = %(model)s AND p.action = 'change' AND t.{pk} = p.object_id AND EXISTS (
    SELECT FROM jsonb_each(p.expected - %(silent)s) e, (SELECT to_jsonb(t) AS now) n
    WHERE n.now -> e.key IS DISTINCT FROM e.value)
"""
# An added row was changed since, and not changed back.
MARK_TOUCHED = """
WITH later AS (
    SELECT c.object_id, k.key, (array_agg(k.value ORDER BY c.id))[1] AS old,
        (array_agg(c.new -> k.key ORDER BY c.id DESC))[1] AS new
    FROM undo_plan p JOIN crm_change c ON c.model = p.model
        AND c.object_id = p.object_id AND c.id > p.last_id AND c.verb = 'change'
        AND c.operation_id <> %(operation)s, jsonb_each(c.old - %(silent)s) k
    WHERE p.model = %(model)s AND p.action = 'remove' GROUP BY c.object_id, k.key
)
UPDATE undo_plan p SET conflict = 'changed'
WHERE p.model = %(model)s AND p.action = 'remove' AND EXISTS (
    SELECT FROM later WHERE later.object_id = p.object_id AND old IS DISTINCT FROM new)
"""
# The moment of the last change is set back only where nothing changed since.
KEEP_MOMENT = """
UPDATE undo_plan p SET row = p.row || jsonb_build_object(%(column)s, now())
FROM {table} t
WHERE p.model = %(model)s AND p.action = 'change' AND t.{pk} = p.object_id
    AND p.row ? %(column)s
    AND to_jsonb(t) -> %(column)s IS DISTINCT FROM p.expected -> %(column)s
"""
MARK_NEEDED = """
UPDATE undo_plan p SET conflict = 'needed'
WHERE p.model = %(model)s AND p.action = 'remove' AND p.conflict = '' AND EXISTS (
    SELECT FROM {child} c WHERE c.{column} = p.object_id AND NOT EXISTS (
        SELECT FROM undo_plan q WHERE q.model = %(child)s AND q.object_id = c.{child_pk}
            AND q.conflict = ''
            AND (q.action = 'remove' OR q.action = 'change' AND q.row ? %(column)s)))
"""
# A custom field whose values stay on rows that are left stays with them.
MARK_FIELD = """
UPDATE undo_plan p SET conflict = 'needed'
WHERE p.model = %(model)s AND p.object_id = %(pk)s AND EXISTS (
    SELECT FROM {table} t WHERE t.custom ? %(key)s AND NOT EXISTS (
        SELECT FROM undo_plan q WHERE q.model = %(child)s AND q.object_id = t.{pk}
            AND q.conflict = '' AND (q.action = 'remove' OR q.action = 'change'
                AND q.row ? 'custom' AND NOT q.row -> 'custom' ? %(key)s)))
"""
MARK_PART = """
UPDATE undo_plan p SET conflict = 'part' FROM {table} t, undo_plan q
WHERE p.model = %(model)s AND p.action = 'remove' AND p.conflict = ''
    AND t.{pk} = p.object_id AND q.model = %(parent)s AND q.object_id = t.{column}
    AND q.action = 'remove' AND q.conflict <> ''
"""
MARK_PARENT = """
UPDATE undo_plan p SET conflict = 'parent'
WHERE p.model = %(model)s AND p.action IN ('restore', 'change') AND p.conflict = ''
    AND p.row ->> %(column)s IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM {parent} x WHERE x.{parent_pk} = (p.row ->> %(column)s)::bigint)
    AND NOT EXISTS (
        SELECT FROM undo_plan q WHERE q.model = %(parent)s AND q.action = 'restore'
            AND q.conflict = '' AND q.object_id = (p.row ->> %(column)s)::bigint)
"""
# What would have been emptied with its target is restored empty.
EMPTY_LINK = MARK_PARENT.replace(
    "SET conflict = 'parent'",
    "SET row = p.row || jsonb_build_object(%(column)s, NULL)",
)
MARK_REACH = """
UPDATE undo_plan p SET conflict = 'reach' WHERE p.model = %(model)s
    AND p.action = %(action)s AND p.conflict = '' AND {out_of_reach}
"""
# Not "NOT IN": of more rows than fit the memory that reads all of them for each line.
OUT_OF_REACH = """NOT EXISTS (
    SELECT FROM ({reached}) reached (pk) WHERE reached.pk = p.object_id)"""


def execute(sql: str, params: dict[str, Any] | Sequence[Any] = (), **names: str) -> int:
    """Run a statement; return how many rows it met."""
    with connection.cursor() as cursor:
        cursor.execute(sql.format(**names), params)
        return cursor.rowcount


def fetch(sql: str, params: dict[str, Any] | Sequence[Any] = ()) -> list[tuple]:
    """Return the rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def table_names(model: type[models.Model]) -> dict[str, str]:
    """Return how SQL names a model's table and key."""
    meta = model._meta
    return {"table": quote(meta.db_table), "pk": quote(meta.pk.column)}


def make(operation: Operation, *, as_deleted: bool = False) -> list[type[models.Model]]:
    """Fill the plan inside the caller's transaction; return its models.

    With ``as_deleted`` deleted rows are to come back as they were when they went, not
    as they were before the operation.
    """
    execute("DROP TABLE IF EXISTS pg_temp.undo_plan")
    execute(CREATE)
    known = tracked_models()
    labels = fetch(
        "SELECT DISTINCT model FROM crm_change WHERE operation_id = %s", [operation.pk]
    )
    found = [known[label] for (label,) in sorted(labels) if label in known]
    for model in found:
        params = {
            "operation": operation.pk,
            "model": model._meta.label_lower,
            "as_deleted": as_deleted,
        }
        execute(FILL, params)
        execute(SETTLED, params, **table_names(model))
    execute("ANALYZE undo_plan")
    return found


def judge(operation: Operation, found: list[type[models.Model]], actor: User) -> None:
    """Mark the lines in whose way something stands."""
    for model in found:
        silent = sorted(silent_columns(model))
        params = {
            "operation": operation.pk,
            "model": model._meta.label_lower,
            "silent": silent,
        }
        names = table_names(model)
        execute(MARK_GONE, params, **names)
        execute(MARK_CHANGED, params, **names)
        execute(MARK_TOUCHED, params)
        for column in silent:
            execute(KEEP_MOMENT, {**params, "column": column}, **names)
        check_reach(model, actor, REMOVE)


def settle(found: list[type[models.Model]]) -> None:
    """Mark lines that depend on lines which are left, until none is added."""
    while sum(_spread(model) for model in found):
        pass
    if CustomField in found:
        _keep_fields()


def _keep_fields() -> None:
    """Mark custom fields that would go while rows keep values of them."""
    label = CustomField._meta.label_lower
    planned = fetch(
        "SELECT object_id FROM undo_plan"
        " WHERE model = %s AND action = 'remove' AND conflict = ''",
        [label],
    )
    for one in CustomField.objects.filter(pk__in=[pk for (pk,) in planned]):
        model = tracked_models()[one.model]
        params = {"model": label, "pk": one.pk, "key": one.key, "child": one.model}
        execute(MARK_FIELD, params, **table_names(model))


def _spread(model: type[models.Model]) -> int:
    marked = 0
    label = model._meta.label_lower
    for child, field in references_to(model):
        marked += execute(
            MARK_NEEDED,
            {"model": label, "child": child._meta.label_lower, "column": field.column},
            child=quote(child._meta.db_table),
            column=quote(field.column),
            child_pk=quote(child._meta.pk.column),
        )
    for field in links_of(model):
        parent = field.related_model
        params = {
            "model": label,
            "parent": parent._meta.label_lower,
            "column": field.column,
        }
        names = {
            "parent": quote(parent._meta.db_table),
            "parent_pk": quote(parent._meta.pk.column),
        }
        if field.remote_field.on_delete is models.CASCADE:
            own = {**table_names(model), "column": quote(field.column)}
            marked += execute(MARK_PART, params, **own)
        if field.remote_field.on_delete is models.SET_NULL:
            execute(EMPTY_LINK, params, **names)
        else:
            marked += execute(MARK_PARENT, params, **names)
    return marked


def links_of(model: type[models.Model]) -> list[models.ForeignKey]:
    """Return the foreign keys of a model."""
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
    ]


def references_to(
    model: type[models.Model],
) -> Iterator[tuple[type[models.Model], models.ForeignKey]]:
    """Yield (model, foreign key) of the tables with a history that point to a model."""
    for child in tracked_models().values():
        for field in links_of(child):
            if field.related_model is model:
                yield child, field


def check_reach(model: type[models.Model], actor: User, action: str) -> int:
    """Mark lines whose rows, which exist, the person may not treat so.

    Rows of a model without pages follow the row that they belong to.
    """
    reached = reached_sql(model, actor, action)
    if reached is None:
        return 0
    params = {"model": model._meta.label_lower, "action": action}
    out_of_reach = OUT_OF_REACH.format(reached=reached)
    return execute(MARK_REACH, params, out_of_reach=out_of_reach)


def reached_sql(model: type[models.Model], actor: User, action: str) -> str | None:
    """Return a query of the keys in the person's reach; None means all."""
    if registry.pages_of(model) is None:
        return None
    scopes = {scope_of(actor, verb, model) for verb in VERBS[action]} - {None}
    if not scopes:
        return "SELECT NULL::bigint WHERE false"
    if Scope.ALL in scopes or getattr(model, "access_shared", False):
        return None
    condition = models.Q()
    for verb in VERBS[action]:
        if scope := scope_of(actor, verb, model):
            own = owner_condition(model, actor, scope)
            condition |= or_shared(own, actor, verb, model)
    rows = model._base_manager.filter(condition).order_by().values("pk")
    try:
        sql, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return "SELECT NULL::bigint WHERE false"
    with connection.cursor() as cursor:
        return cursor.mogrify(sql, params).replace("%", "%%")


def defaults_of(model: type[models.Model]) -> str:
    """Return, as JSON, what a restored row holds in columns that came after it went."""
    values = {}
    for field in model._meta.concrete_fields:
        if field.primary_key or field.generated or field.null:
            continue
        if field.has_default():
            value = field.get_default()
        elif field.empty_strings_allowed:
            value = ""
        else:
            continue
        values[field.column] = value
    return json.dumps(values, cls=DjangoJSONEncoder)
