"""Decide who sees and does what; everything that reads rows goes through here.

A grant is (role, model, verb, scope). Without a grant nothing is allowed. A model says
by ``access_path`` which user (or users) a row belongs to, or by ``access_shared`` that
it is reference data. See docs/access.md.
"""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from crm.shared import has_shared, is_shared, or_shared, shared_ids, wholes
from crm.statements import read_one

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from crm.models import User

__all__ = ["has_shared", "is_shared", "or_shared", "shared_ids"]

ANY_MODEL = "*"


class Verb(models.TextChoices):
    """What a grant lets a person do with rows of a model."""

    VIEW = "view", _("view")
    ADD = "add", _("add")
    CHANGE = "change", _("change")
    DELETE = "delete", _("delete")
    IMPORT = "import", _("import")
    EXPORT = "export", _("export")
    RUN = "run", _("run")


class Scope(models.TextChoices):
    """Whose rows a grant reaches, narrowest first."""

    OWN = "own", _("own")
    TEAM = "team", _("team")
    SUBTREE = "subtree", _("team and the teams below")
    ALL = "all", _("all")


# More people than this are not sent as a list.
MOST_PEOPLE = 1000

SCOPE_RANK = {scope: rank for rank, scope in enumerate(Scope.values)}


def widest(scopes: list[str]) -> str | None:
    """Return the scope that reaches furthest, or None without any."""
    return max(scopes, key=SCOPE_RANK.__getitem__, default=None)


def scope_of(user: User, verb: str, model: type[models.Model]) -> str | None:
    """Return how far the user's grants for the verb reach, or None."""
    if not getattr(user, "is_active", False):
        return None
    if user.is_superuser:
        return Scope.ALL
    grants = user.grant_table
    return widest(
        grants.get((model._meta.label_lower, verb), [])
        + grants.get((ANY_MODEL, verb), [])
    )


def rights_of(user: User) -> Hashable:
    """Return what people have in common to whom ``can`` answers alike by kind."""
    if not getattr(user, "is_active", False):
        return None
    return Scope.ALL if user.is_superuser else frozenset(user.grant_table)


def owner_condition(model: type[models.Model], user: User, scope: str) -> models.Q:
    """Return the filter that keeps the rows of the scope."""
    if getattr(model, "access_shared", False):
        return models.Q()
    return all_of(people_condition(path, user, scope) for path in paths_of(model))


def paths_of(model: type[models.Model]) -> tuple[str, ...]:
    """Return the ways to the people of a row; a right must reach every one of them."""
    paths = getattr(model, "access_path", "pk")
    return (paths,) if isinstance(paths, str) else paths


def all_of(conditions: Iterable[models.Q]) -> models.Q:
    """Return the filter that keeps what passes each of the filters."""
    return reduce(and_, conditions)


def people_condition(path: str, user: User, scope: str) -> models.Q:
    """Return the filter that keeps rows whose ``path`` leads to people of the scope."""
    if scope == Scope.ALL:
        return models.Q()
    # A model whose rows are people (access_path "pk") has the team on the row itself.
    prefix = "" if path == "pk" else f"{path}__"
    own = models.Q(**{path: user.pk})
    if scope == Scope.OWN or user.team_id is None:
        return own
    if scope == Scope.TEAM:
        return own | models.Q(**{f"{prefix}team": user.team_id})
    return own | models.Q(**{f"{prefix}team__path__startswith": user.team_path})


def condition_by_ids(model: type[models.Model], user: User, scope: str) -> models.Q:
    """Return ``owner_condition`` with the people as a list of ids, for many rows.

    By way of people and teams the database expects a handful of rows where there are
    hundred thousands, and probes them one by one. It costs one query per request.
    """
    paths = paths_of(model)
    is_team = scope in (Scope.TEAM, Scope.SUBTREE) and user.team_id is not None
    if not is_team or paths == ("pk",) or getattr(model, "access_shared", False):
        return owner_condition(model, user, scope)
    people = people_in_scope(user, scope)
    if len(people) > MOST_PEOPLE:
        return owner_condition(model, user, scope)
    return all_of(models.Q(**{f"{path}__in": people}) for path in paths)


class VisibleQuerySet(models.QuerySet):
    """A queryset that can be narrowed to what a person may see."""

    def visible_to(self, user: User, verb: str = Verb.VIEW) -> VisibleQuerySet:
        """Keep the rows for which the user holds the verb; none without a grant."""
        scope = scope_of(user, verb, self.model)
        if scope is None:
            return self.none()
        condition = condition_by_ids(self.model, user, scope)
        return self.filter(or_shared(condition, user, verb, self.model))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the rows; what pointed to them is emptied, whatever rules say."""
        from crm.history.context import consequence

        with consequence():
            return super().delete()

    delete.alters_data = True
    delete.queryset_only = True


def reach_of(user: User, model: type[models.Model]) -> Hashable:
    """Return all that ``visible_to`` asks of a person who looks at rows of the model.

    It keeps the same rows for two people, or for one at two times, where this is equal.
    """
    scope = scope_of(user, Verb.VIEW, model)
    if scope in (None, Scope.ALL) or getattr(model, "access_shared", False):
        return scope and Scope.ALL
    parts = wholes(user, Verb.VIEW, model)
    return (
        scope,
        user.pk,
        user.team_id,
        user.team_path,
        tuple(people_in_scope(user, scope)),
        frozenset(shared_ids(user, Verb.VIEW, model)),
        tuple((path, frozenset(ids)) for path, ids in parts.items()),
    )


VisibleManager = models.Manager.from_queryset(VisibleQuerySet, "VisibleManager")


def owners_in_reach(
    user: User, model: type[models.Model], verb: str = Verb.VIEW
) -> list[int] | None:
    """Return the ids of the people whose rows the user reaches; None means all rows.

    For sums that are kept by owner; asked once per request. Rows of nobody are only
    in the widest reach.
    """
    scope = scope_of(user, verb, model)
    if scope is None:
        return []
    if scope == Scope.ALL or getattr(model, "access_shared", False):
        return None
    return people_in_scope(user, scope)


# The same as people_condition, for the ids alone; nearly every page asks it.
PEOPLE = {
    Scope.TEAM: "SELECT array_agg(id) FROM crm_user WHERE id = %s OR team_id = %s",
    Scope.SUBTREE: """
        SELECT array_agg(u.id) FROM crm_user u LEFT JOIN crm_team t ON t.id = u.team_id
        WHERE u.id = %s OR starts_with(t.path, %s)""",
}


def _team_of(user: User, scope: str) -> Any:
    return user.team_id if scope == Scope.TEAM else user.team_path


def people_in_scope(user: User, scope: str) -> list[int]:
    """Return the ids of the people of a scope; asked once per request."""
    known = user.__dict__.setdefault("_people_in_reach", {})
    if scope == Scope.OWN or user.team_id is None:
        return [user.pk]
    if scope not in known:
        (people,) = read_one(PEOPLE[scope], [user.pk, _team_of(user, scope)])
        known[scope] = people
    return known[scope]


def can(user: User, verb: str, target: Any) -> bool:
    """Tell whether the user holds the verb on a model, or on one row of it."""
    if isinstance(target, type):
        return scope_of(user, verb, target) is not None
    scope = scope_of(user, verb, type(target))
    if scope is None:
        return False
    return is_shared(user, verb, target) or reaches(user, scope, target)


def reaches(user: User, scope: str, target: models.Model) -> bool:
    """Tell whether a scope of the user reaches a row."""
    model = type(target)
    known = getattr(target, "_scopes_reaching", {}).get(user.pk)
    if known is not None:
        return scope in known
    if scope == Scope.ALL or getattr(model, "access_shared", False):
        return True
    # The same condition as the list's, asked of the database, so they cannot differ.
    condition = owner_condition(model, user, scope)
    return model._base_manager.filter(condition, pk=target.pk).exists()


def hidden_fields(user: User, model: type[models.Model]) -> frozenset[str]:
    """Return the names of the fields of a model that the person may not see."""
    return _ruled(user, model, (Verb.VIEW,), ("hidden",))


def read_only_fields(user: User, model: type[models.Model]) -> frozenset[str]:
    """Return the names of the fields that the person may not write, hidden or not."""
    writing = (Verb.ADD, Verb.CHANGE, Verb.IMPORT)
    ruled = _ruled(user, model, writing, ("hidden", "read_only"))
    return ruled | hidden_fields(user, model)


def _ruled(
    user: User,
    model: type[models.Model],
    verbs: tuple[str, ...],
    modes: tuple[str, ...],
) -> frozenset[str]:
    """Return the fields that every role of the person that gives a verb keeps back.

    The most permissive role counts; one that gives none of the verbs opens nothing.
    """
    if not has_field_rules(user):
        return frozenset()
    label = model._meta.label_lower
    ruled = user.field_rules.get(label)
    if not ruled:
        return frozenset()
    roles = {
        role
        for verb in verbs
        for key in (label, ANY_MODEL)
        for role in user.grant_roles.get((key, verb), ())
    }
    return frozenset(
        name
        for name, by_role in ruled.items()
        if all(by_role.get(role) in modes for role in roles)
    )


def is_among(name: str, fields: Iterable[str]) -> bool:
    """Tell whether a field is among others; each custom field counts as "custom"."""
    return name.partition("__")[0] in fields


def has_field_rules(user: User) -> bool:
    """Tell whether any field is kept back from a role of the person."""
    if not getattr(user, "is_active", False) or user.is_superuser:
        return False
    # The rules come along with the grants.
    _grants = user.grant_table
    return bool(user.field_rules)


def is_hidden(user: User, model: type[models.Model] | None, path: str) -> bool:
    """Tell whether a lookup path leads to, or over, a field the person may not see."""
    if not has_field_rules(user):
        return False
    for part in path.removeprefix("-").split("__"):
        if model is None:
            return False
        fields = {one.name: one for one in model._meta.get_fields()}
        found = fields.get(part) or fields.get(part.removesuffix("_id"))
        if found is not None and found.name in hidden_fields(user, model):
            return True
        model = getattr(found, "related_model", None)
    return False


def require(user: User, verb: str, model: type[models.Model]) -> None:
    """Raise PermissionDenied unless the user holds the verb on the model."""
    if not can(user, verb, model):
        raise PermissionDenied


def get_visible_or_404(
    source: type[models.Model] | models.QuerySet,
    user: User,
    pk: Any,
    verb: str = Verb.VIEW,
) -> Any:
    """Return the row if the user may see it and holds the verb on it.

    Raises PermissionDenied where the role lacks the verb on the model, and Http404
    where the row is hidden or absent: those two are not told apart.
    """
    queryset = source if isinstance(source, models.QuerySet) else source.objects.all()
    require(user, verb, queryset.model)
    visible = queryset.visible_to(user, Verb.VIEW)
    if verb != Verb.VIEW:
        visible = visible.visible_to(user, verb)
    try:
        return visible.get(pk=pk)
    except (queryset.model.DoesNotExist, ValueError, OverflowError) as error:
        raise Http404 from error


def restrict_choices(form: Any, user: User) -> None:
    """Narrow every relation field of a form to rows that the user may see."""
    for field in form.fields.values():
        queryset = getattr(field, "queryset", None)
        if isinstance(queryset, VisibleQuerySet):
            field.queryset = queryset.visible_to(user)


class FieldKeptBackError(PermissionDenied):
    """A write would change a field that is kept back from its author; it says which."""


class OutOfReachError(PermissionDenied):
    """A write would put the row outside what its author may change."""


def require_in_reach(user: User, verb: str, instance: models.Model) -> None:
    """Raise OutOfReachError when a saved row left the actor's own reach.

    Call it inside the transaction of the write, so that raising undoes it.
    """
    if not can(user, verb, instance):
        raise OutOfReachError
