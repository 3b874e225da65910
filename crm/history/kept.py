"""Leave the rows of an undo that would change what a person must not change."""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
from __future__ import annotations

from typing import TYPE_CHECKING

from crm.history import guard, plan
from crm.history.triggers import quote

if TYPE_CHECKING:
    from django.db import models

    from crm.models import User

# What a person must not change stays, but for what only pointed to a row that went.
MARK_KEPT = """
UPDATE undo_plan p SET conflict = 'kept' WHERE p.model = %(model)s
    AND p.action = 'change' AND EXISTS (
        SELECT FROM jsonb_each(p.row) e LEFT JOIN unnest(
            %(columns)s::text[], %(parents)s::text[]) link (name, parent)
            ON link.name = e.key
        WHERE e.key = ANY (%(kept)s) AND p.expected -> e.key IS DISTINCT FROM e.value
            AND NOT EXISTS (
                SELECT FROM undo_plan q WHERE q.model = link.parent
                    AND q.action = 'restore'
                    AND q.object_id::text = e.value #>> '{{}}'))
"""
# The same of links: one comes or goes with a row that does, and not otherwise.
MARK_KEPT_LINK = """
UPDATE undo_plan p SET conflict = 'kept' WHERE p.model = %(model)s
    AND NOT EXISTS (
        SELECT FROM undo_plan q WHERE q.model = %(parent)s AND q.action = p.action
            AND q.object_id = coalesce((p.row ->> %(column)s)::bigint, (
                SELECT t.{column} FROM {table} t WHERE t.{pk} = p.object_id)))
"""


def mark(found: list[type[models.Model]], actor: User) -> None:
    """Mark lines that would set a field back which the person must not change."""
    kept = guard.kept_columns(actor)
    for model in found:
        label = model._meta.label_lower
        owner = model._meta.auto_created
        if label not in kept:
            continue
        if owner:
            column = guard.field_of_link(model).m2m_column_name()
            params = {"parent": owner._meta.label_lower, "column": column}
            names = {**plan.table_names(model), "column": quote(column)}
            plan.execute(MARK_KEPT_LINK, {"model": label, **params}, **names)
            continue
        links = {one.column: one.related_model for one in plan.links_of(model)}
        params = {
            "model": label,
            "kept": kept[label],
            "columns": list(links),
            "parents": [one._meta.label_lower for one in links.values()],
        }
        plan.execute(MARK_KEPT, params)
