"""Save the rights of a role: all that was typed or nothing, and never over others."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from crm.access import ANY_MODEL, Scope, Verb
from crm.audit import record
from crm.exceptions import UserVisibleError
from crm.models import AuditEntry, FieldRule, Grant, Role, User
from crm.rights.matrix import State, in_words, state_of, value_in_words


@dataclass(frozen=True)
class Theirs:
    """A cell that somebody else changed meanwhile, in words."""

    key: str
    label: str
    was: str
    now: str
    # What was typed here and differs, if anything was.
    typed: str = ""


class ConflictError(Exception):
    """Somebody else changed the role since the page was opened; nothing was saved."""

    def __init__(self, role: Role, seen: State, wanted: State, stored: State) -> None:
        super().__init__()
        self.stored = stored
        self.merged = dict(wanted)
        self.theirs: list[Theirs] = []
        for key in sorted({*seen, *stored}, key=in_words):
            was, now, typed = (one.get(key, "") for one in (seen, stored, wanted))
            if was == now:
                continue
            is_clash = typed not in (was, now)
            if not is_clash:
                # Nothing was typed here, so theirs goes on.
                self.merged[key] = now
            words = [value_in_words(key, one) for one in (was, now)]
            mine = value_in_words(key, typed) if is_clash else ""
            self.theirs.append(Theirs(key, in_words(key), *words, mine))
        self.actor = last_actor(role)


def last_actor(role: Role) -> User | None:
    """Return who saved the role last."""
    entries = AuditEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Role), object_id=role.pk
    )
    entry = entries.select_related("actor").order_by("-pk").first()
    return entry.actor if entry else None


@transaction.atomic
def save_rights(*, role: Role, seen: State, wanted: State, actor: User) -> int:
    """Let a role have the wanted rights; return how many changed.

    ``seen`` is what the page showed when it was opened. Raises ConflictError when
    somebody changed the role since, UserVisibleError when nobody could change rights
    any more.
    """
    # All roles: who else may change rights is asked below.
    list(Role.objects.select_for_update().order_by("pk").values_list("pk"))
    stored = state_of(role)
    if seen != stored and wanted != stored:
        raise ConflictError(role, seen, wanted, stored)
    changes = {
        key: [stored.get(key) or None, wanted.get(key) or None]
        for key in {*stored, *wanted}
        if (stored.get(key) or None) != (wanted.get(key) or None)
    }
    for key, (_old, new) in sorted(changes.items()):
        save_one(role, key, new)
    if changes:
        require_somebody_in_charge()
        record(actor, "changed", role, changes)
    return len(changes)


def save_one(role: Role, key: str, value: str | None) -> None:
    """Write one right; row by row, so that each leaves its security event."""
    label, is_rule, name = key.partition("#")
    if is_rule:
        rows, what = FieldRule.objects, {"model": label, "field": name}
        values = {"mode": value}
    else:
        label, _colon, verb = key.partition(":")
        rows, what = Grant.objects, {"model": label, "verb": verb}
        values = {"scope": value}
    if value:
        rows.update_or_create(role=role, **what, defaults=values)
        return
    for row in rows.filter(role=role, **what):
        row.delete()


def require_somebody_in_charge() -> None:
    """Refuse to leave nobody who may sign in and change rights."""
    holds = Q(
        roles__grants__model__in=(ANY_MODEL, Grant._meta.label_lower),
        roles__grants__verb=Verb.CHANGE,
        roles__grants__scope=Scope.ALL,
    )
    if not User.objects.active().filter(Q(is_superuser=True) | holds).exists():
        raise UserVisibleError(
            _(
                "Then nobody could change rights any more. Let one active person "
                "keep the right to change all grants."
            )
        )
