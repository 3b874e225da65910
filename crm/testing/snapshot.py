"""See whether anything changed in the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.core import mail
from django.db import connection, models

from crm.history.tables import tracked_models
from crm.models import AuditEntry, Job, SecurityEvent


def state_of(*tables: type[models.Model]) -> tuple[Any, ...]:
    """Return what the rows of the models add up to, and how many entries, jobs, mails.

    In one statement: the tests of rights ask it before and after each refusal.
    """
    with connection.cursor() as cursor:
        cursor.execute(_question(tables))
        return (*cursor.fetchone(), len(getattr(mail, "outbox", [])))


@cache
def _question(tables: tuple[type[models.Model], ...]) -> str:
    rows = (
        "(SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t.{key})), '')"
        ' FROM "{table}" t)'
    )
    counts = '(SELECT count(*) FROM "{table}")'
    parts = [
        rows.format(table=model._meta.db_table, key=model._meta.pk.column)
        for model in tables
        # A refusal is noted there, and nothing else can write to it.
        if model is not SecurityEvent
    ]
    parts += [counts.format(table=one._meta.db_table) for one in (AuditEntry, Job)]
    return f"SELECT {', '.join(parts)}"


def all_rows() -> dict[str, list[str]]:
    """Return {table: its rows as text} of all business tables."""
    found = {}
    with connection.cursor() as cursor:
        for model in tracked_models().values():
            table = model._meta.db_table
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY id')  # noqa: S608
            found[table] = [row for (row,) in cursor.fetchall()]
    return found


@contextmanager
def unchanged(*tables: type[models.Model]) -> Iterator[None]:
    """Assert that the block changes no row of the models and causes nothing else."""
    before = state_of(*tables)
    yield
    assert state_of(*tables) == before
