"""Set rows back as the plan says: remove, change, insert again."""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from django.db import IntegrityError, models, transaction

from crm.history import plan
from crm.history.plan import CHANGE, REACH, RESTORE, TAKEN
from crm.history.tables import columns_of, tracked_models
from crm.history.triggers import quote

if TYPE_CHECKING:
    from crm.models import User

DELETE = """
DELETE FROM {table} t USING undo_plan p WHERE p.model = %(model)s
    AND p.action = 'remove' AND p.conflict = '' AND t.{pk} = p.object_id
"""
UPDATE = """
UPDATE {table} t SET {assignments}
FROM undo_plan p, LATERAL jsonb_populate_record(NULL::{table}, p.row) r
WHERE p.model = %(model)s AND p.action = 'change' AND p.conflict = ''
    AND t.{pk} = p.object_id {only}
"""
INSERT = """
INSERT INTO {table} ({pk}, {columns}) OVERRIDING SYSTEM VALUE
SELECT p.object_id, {values}
FROM undo_plan p,
    LATERAL jsonb_populate_record(NULL::{table}, %(defaults)s::jsonb || p.row) r
WHERE p.model = %(model)s AND p.action = 'restore' AND p.conflict = ''
ON CONFLICT DO NOTHING
"""
MARK_TAKEN = """
UPDATE undo_plan p SET conflict = 'taken' WHERE p.model = %(model)s
    AND p.action = 'restore' AND p.conflict = ''
    AND NOT EXISTS (SELECT FROM {table} t WHERE t.{pk} = p.object_id)
"""
# The trash holds what is gone; these rows are back.
CLEAR_TRASH = """
DELETE FROM crm_deletedrow d USING undo_plan p WHERE d.model = p.model
    AND d.object_id = p.object_id AND d.operation_id = %(operation)s
    AND p.action = 'restore' AND p.conflict = ''
"""


def overrule(keys: Iterable[str]) -> None:
    """Take later changes out of the way where the person wants it so."""
    for key in set(keys):
        label, _colon, pk = key.rpartition(":")
        if pk.isascii() and pk.isdigit() and len(pk) < 19:
            plan.execute(
                "UPDATE undo_plan SET conflict = '' WHERE model = %s"
                " AND object_id = %s AND conflict = 'changed'",
                [label, int(pk)],
            )


def change_back(model: type[models.Model], actor: User) -> None:
    """Give changed rows their old values; a row at a time where some do not fit."""
    label = model._meta.label_lower
    keys = plan.fetch(
        "SELECT DISTINCT jsonb_object_keys(row) FROM undo_plan"
        " WHERE model = %s AND action = 'change' AND conflict = ''",
        [label],
    )
    columns = [name for name in columns_of(model) if (name,) in keys]
    if not columns:
        return
    sets = ", ".join(
        "{0} = CASE WHEN p.row ? '{1}' THEN r.{0} ELSE t.{0} END".format(
            quote(name), name
        )
        for name in columns
    )
    names = {**plan.table_names(model), "assignments": sets}
    reached = plan.reached_sql(model, actor, CHANGE)
    # In reach before or afterwards: who gave a row away may take it back.
    foreign = set(_unreached(label, CHANGE, reached))

    def write(only: int | None = None) -> None:
        chosen = "" if only is None else f"AND p.object_id = {only:d}"
        with transaction.atomic():
            plan.execute(UPDATE, {"model": label}, only=chosen, **names)
            lost = foreign and foreign.intersection(_unreached(label, CHANGE, reached))
            if only is not None:
                lost = lost & {only}
            if lost:
                raise OutOfReach(lost)

    _try_write(label, write)


class OutOfReach(Exception):
    """Rows that were not in the person's reach and would not come into it."""

    def __init__(self, keys: set[int]) -> None:
        super().__init__(keys)
        self.keys = keys


def _try_write(label: str, write: Callable[..., None]) -> None:
    """Write all at once; where the database refuses, find the rows it is about."""
    try:
        write()
    except OutOfReach as error:
        _mark(label, error.keys, REACH)
        _try_write(label, write)
    except IntegrityError:
        rows = plan.fetch(
            "SELECT object_id FROM undo_plan WHERE model = %s AND action = 'change'"
            " AND conflict = '' ORDER BY object_id",
            [label],
        )
        for (pk,) in rows:
            try:
                write(pk)
            except IntegrityError:
                _mark(label, {pk}, TAKEN)
            except OutOfReach as error:
                _mark(label, error.keys, REACH)


def _unreached(label: str, action: str, reached: str | None) -> list[int]:
    """Return the rows of an action that are not in the person's reach now.

    A row that went with another one comes back with it, and one that pointed to it
    points to it again, whatever the person may do with it otherwise.
    """
    if reached is None:
        return []
    links = plan.links_of(tracked_models()[label])
    if action == RESTORE:
        links = [one for one in links if one.remote_field.on_delete is models.CASCADE]
    comes_along = "".join(
        " AND NOT EXISTS (SELECT FROM undo_plan q"
        f" WHERE q.model = '{one.related_model._meta.label_lower}'"
        " AND q.action = 'restore' AND q.conflict = ''"
        f" AND q.object_id = (p.row ->> '{one.column}')::bigint)"
        for one in links
    )
    out_of_reach = plan.OUT_OF_REACH.format(reached=reached)
    rows = plan.fetch(
        "SELECT object_id FROM undo_plan p WHERE model = %s AND action = %s"
        f" AND conflict = '' AND {out_of_reach} {comes_along}",
        [label, action],
    )
    return [pk for (pk,) in rows]


def _mark(label: str, keys: Iterable[int], conflict: str) -> None:
    plan.execute(
        "UPDATE undo_plan SET conflict = %s WHERE model = %s AND object_id = ANY(%s)",
        [conflict, label, list(keys)],
    )


def insert_again(model: type[models.Model], actor: User) -> None:
    """Put deleted rows back; those whose place is taken are left."""
    label = model._meta.label_lower
    columns = columns_of(model)
    names = {
        **plan.table_names(model),
        "columns": ", ".join(quote(name) for name in columns),
        "values": ", ".join(f"r.{quote(name)}" for name in columns),
    }
    params = {"model": label, "defaults": plan.defaults_of(model)}
    while True:
        point = transaction.savepoint()
        plan.execute(INSERT, params, **names)
        plan.execute(MARK_TAKEN, params, **names)
        lost = _unreached(label, RESTORE, plan.reached_sql(model, actor, RESTORE))
        if not lost:
            transaction.savepoint_commit(point)
            return
        transaction.savepoint_rollback(point)
        _mark(label, lost, REACH)


def parents_first(found: list[type[models.Model]]) -> list[type[models.Model]]:
    """Return the models so that what a row belongs to comes before it."""
    placed: list[type[models.Model]] = []

    def place(model: type[models.Model], path: tuple = ()) -> None:
        if model in placed or model in path or model not in found:
            return
        for link in plan.links_of(model):
            place(link.related_model, (*path, model))
        placed.append(model)

    for model in found:
        place(model)
    return placed


def narrow(found: list[type[models.Model]], root: tuple[str, int]) -> None:
    """Keep one deleted row, what was deleted with it, and what pointed to it."""
    plan.execute("ALTER TABLE undo_plan ADD COLUMN wanted boolean DEFAULT false")
    plan.execute(
        "UPDATE undo_plan SET wanted = true"
        " WHERE model = %s AND object_id = %s AND action = 'restore'",
        list(root),
    )
    while sum(_widen(model) for model in found):
        pass
    plan.execute("DELETE FROM undo_plan WHERE NOT wanted")


def _widen(model: type[models.Model]) -> int:
    """Want rows of a model that belong, or pointed, to a row that is wanted."""
    added = 0
    for link in plan.links_of(model):
        if link.related_model not in tracked_models().values():
            continue
        added += plan.execute(
            "UPDATE undo_plan p SET wanted = true FROM undo_plan q"
            " WHERE p.model = %s AND NOT p.wanted AND p.action <> 'remove'"
            " AND q.model = %s AND q.wanted AND q.action = 'restore'"
            " AND p.row ->> %s = q.object_id::text",
            [
                model._meta.label_lower,
                link.related_model._meta.label_lower,
                link.column,
            ],
        )
    return added
