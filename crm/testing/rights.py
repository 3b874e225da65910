"""What people may do, read from the grants and not from crm/access.py."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import AnonymousUser
from django.db import models

from crm.access import ANY_MODEL
from crm.models import Grant, Role, User
from crm.testing.world import OWNERS, REACH

SCOPES = ("own", "team", "subtree", "all")
EVERYTHING = ("view", "add", "change", "delete", "import", "export")


def grant(
    role: str,
    labels: Iterable[str],
    verbs: Iterable[str] = EVERYTHING,
    scope: str = "all",
) -> None:
    """Let a role do so much with models, more or less than before; in one statement."""
    holder = Role.objects.get(code=role)
    Grant.objects.bulk_create(
        (
            Grant(role=holder, model=label, verb=verb, scope=scope)
            for label in labels
            for verb in verbs
        ),
        update_conflicts=True,
        unique_fields=["role", "model", "verb"],
        update_fields=["scope"],
    )


def scope_by_grants(user: User | None, verb: str, model: type[models.Model]) -> str:
    """Return the widest scope in the grants of a person's roles; "" without any."""
    if user is None or isinstance(user, AnonymousUser):
        return ""
    found = Grant.objects.filter(
        role__users=user, verb=verb, model__in=[ANY_MODEL, model._meta.label_lower]
    ).values_list("scope", flat=True)
    return max(found, key=SCOPES.index, default="")


def owners_in_reach(name: str, scope: str, model: type[models.Model]) -> set[str]:
    """Return whose rows a person of the cast reaches by a scope."""
    if not scope or name not in OWNERS:
        return set()
    if getattr(model, "access_shared", False):
        return set(OWNERS)
    return REACH[scope][name]
