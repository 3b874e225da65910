"""Which rows of a page its reader may treat how, asked for all of them at once.

The rules are those of ``crm/access.py``; a row that is written must be asked afresh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from crm.access import (
    SCOPE_RANK,
    Scope,
    Verb,
    has_shared,
    or_shared,
    owner_condition,
    paths_of,
    people_in_scope,
    scope_of,
)
from crm.statements import KeptQuery

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from crm.models import User


def reachable(
    user: User, verb: str, model: type[models.Model], rows: Iterable[models.Model]
) -> set[Any]:
    """Return which of the rows, all visible, the user may treat so; mostly unasked."""
    pks = {row.pk for row in rows}
    scope = scope_of(user, verb, model)
    if scope is None:
        return set()
    if getattr(model, "access_shared", False):
        return pks
    if (
        not has_shared(user, Verb.VIEW, model)
        and SCOPE_RANK[scope] >= SCOPE_RANK[scope_of(user, Verb.VIEW, model) or scope]
    ):
        return pks
    return held(user, verb, model, rows)


def held(
    user: User, verb: str, model: type[models.Model], rows: Iterable[models.Model]
) -> set[Any]:
    """Return on which of the rows the user holds the verb.

    From what was loaded of them, if that tells whose they are; a list would otherwise
    ask the database again for the rows that it has just read.
    """
    scope = scope_of(user, verb, model)
    if scope is None:
        return set()
    if scope == Scope.ALL or getattr(model, "access_shared", False):
        return {row.pk for row in rows}
    people = {row.pk: _people_of(row) for row in rows}
    if has_shared(user, verb, model) or None in people.values():
        return reachable_now(user, verb, model, people)
    reached = set(people_in_scope(user, scope))
    return {pk for pk, ids in people.items() if reached.issuperset(ids)}


def _people_of(row: models.Model) -> list[Any] | None:
    """Return whose a row is; None where that was not loaded."""
    found = []
    for path in paths_of(type(row)):
        one, (*above, last) = row, path.split("__")
        for name in above:
            one = one._state.fields_cache.get(name)
            if one is None:
                return None
        name = "id" if last == "pk" else f"{last}_id"
        if name not in one.__dict__:
            return None
        found.append(one.__dict__[name])
    return found


def reachable_now(
    user: User, verb: str, model: type[models.Model], pks: Iterable[Any]
) -> set[Any]:
    """Return which of the rows the user may treat so as they stand in the database."""
    scope = scope_of(user, verb, model)
    if scope is None:
        return set()
    condition = or_shared(owner_condition(model, user, scope), user, verb, model)
    rows = model._base_manager.filter(condition, pk__in=pks)
    return set(rows.values_list("pk", flat=True))


def remember_reach(user: User, target: models.Model) -> None:
    """Ask once which scopes reach a row; later questions about it cost no query.

    For rows that are read to be shown: a row that is written must be asked afresh.
    """
    model = type(target)
    if user.is_superuser or getattr(model, "access_shared", False):
        return
    if {scope_of(user, verb, model) for verb in Verb.values} <= {None, Scope.ALL}:
        return
    # What the conditions ask of the person, besides the row.
    asked = {"person": user.pk, "team": user.team_id, "path": user.team_path}
    rows = REACHING.rows(user, target.pk, model=model, **asked)
    found = zip(NARROW, rows[0] if rows else (), strict=False)
    reaching = {Scope.ALL} | {str(scope) for scope, reached in found if reached}
    target._scopes_reaching = {user.pk: reaching}


NARROW = (Scope.OWN, Scope.TEAM, Scope.SUBTREE)


def _scopes_reaching(
    user: User, pk: int, *, model: type[models.Model], **_asked: Hashable
) -> models.QuerySet:
    """Return for one row which scopes reach it."""
    conditions = {
        f"_{scope}": models.ExpressionWrapper(
            owner_condition(model, user, scope), output_field=models.BooleanField()
        )
        for scope in NARROW
    }
    rows = model._base_manager.filter(pk=pk).order_by().annotate(**conditions)
    return rows.values_list(*conditions)


REACHING = KeptQuery(_scopes_reaching)
