"""Note what other code tells by signals: allauth, Django's sessions, saved rows.

The rows of rights are watched by model signals, which the house otherwise does without:
whoever writes them, by whatever page or command, leaves a trace.
"""

from __future__ import annotations

import time
from typing import Any

from allauth.account import signals as account
from allauth.account.authentication import get_authentication_records
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import (
    m2m_changed,
    post_delete,
    post_save,
    pre_delete,
    pre_save,
)
from django.dispatch import receiver
from django.http import HttpRequest

from crm.models import EventKind, FieldRule, Grant, Role, Team, User
from crm.security import sessions
from crm.security.events import record

Type = Authenticator.Type
# What a changed account is asked for; the rest is nobody's right.
WATCHED = ("username", "email", "team", "is_active", "is_staff", "is_superuser")
ADDED = {
    Type.TOTP: EventKind.FACTOR_ADDED,
    Type.WEBAUTHN: EventKind.PASSKEY_ADDED,
    Type.RECOVERY_CODES: EventKind.CODES_MADE,
}
REMOVED = {
    Type.TOTP: EventKind.FACTOR_REMOVED,
    Type.WEBAUTHN: EventKind.PASSKEY_REMOVED,
}


# --- Signing in and out ---------------------------------------------------------------


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Note a sign-in, and when the session began."""
    request.session["started"] = request.session["seen"] = int(time.time())
    ways = [
        one.get("type", one["method"])
        for one in get_authentication_records(request, user)
    ]
    details = {"method": ", ".join(ways)} if ways else {}
    record(EventKind.SIGNED_IN, person=user, request=request, details=details)


@receiver(user_logged_out)
def signed_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    """Note a sign-out, and forget the session's line in the list."""
    if user is not None:
        sessions.forget_current(request)
        record(EventKind.SIGNED_OUT, person=user, request=request)


@receiver([account.password_changed, account.password_set])
def password_changed(user: User, **kwargs: Any) -> None:
    """Note a new password that its owner chose; all sessions end by it."""
    record(EventKind.PASSWORD_CHANGED, person=user)
    sessions.end_all(user)


@receiver(account.password_reset)
def password_reset(user: User, **kwargs: Any) -> None:
    """Note a new password that came by the link of a mail; all sessions end by it."""
    record(EventKind.RESET_DONE, person=user)
    sessions.end_all(user)


# --- Second factors -------------------------------------------------------------------


@receiver(post_save, sender=Authenticator)
def factor_added(instance: Authenticator, created: bool, **kwargs: Any) -> None:
    """Note a new factor in the transaction that makes it."""
    if created:
        record(ADDED[instance.type], person=instance.user)


@receiver(post_delete, sender=Authenticator)
def factor_removed(instance: Authenticator, **kwargs: Any) -> None:
    """Note a factor that was taken away, by its owner or an administrator."""
    if instance.type in REMOVED:
        record(REMOVED[instance.type], person=instance.user)


@receiver(mfa.authenticator_used)
def factor_used(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """Note that a factor let somebody in."""
    is_code = authenticator.type == Type.RECOVERY_CODES
    kind = EventKind.CODE_USED if is_code else EventKind.FACTOR_USED
    record(kind, person=user, details={"method": authenticator.type})


# --- People and rights ----------------------------------------------------------------


@receiver(pre_save, sender=User)
def remember_account(instance: User, update_fields: Any, **kwargs: Any) -> None:
    """Keep what the account was before it is saved."""
    fields = set(WATCHED) if update_fields is None else set(WATCHED) & {*update_fields}
    instance._watched_before = {}
    if instance.pk and fields:
        before = User._base_manager.select_related("team").filter(pk=instance.pk)
        instance._watched_before = watched(before.first(), fields)


@receiver(post_save, sender=User)
def account_saved(instance: User, created: bool, **kwargs: Any) -> None:
    """Note a new account, or what changed; end the sessions of one shut out."""
    if created:
        record(EventKind.PERSON_ADDED, person=instance)
        return
    before = instance.__dict__.pop("_watched_before", {})
    now = watched(instance, before)
    changes = {
        key: [before[key], now[key]] for key in before if before[key] != now[key]
    }
    if changes:
        record(EventKind.PERSON_CHANGED, person=instance, details=named(changes))
    if "is_active" in changes and not instance.is_active:
        sessions.end_all(instance)


def watched(person: User | None, fields: Any) -> dict[str, Any]:
    """Return the watched fields of an account as they are written down."""
    if person is None:
        return {}
    found = {name: getattr(person, name) for name in fields}
    if "team" in found:
        found["team"] = str(found["team"] or "")
    return found


def named(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes under the names of DETAIL_LABELS."""
    return {("active" if key == "is_active" else key): changes[key] for key in changes}


@receiver(pre_delete, sender=User)
def account_removed(instance: User, **kwargs: Any) -> None:
    """Note that an account is deleted."""
    record(EventKind.PERSON_REMOVED, person=instance)


@receiver(m2m_changed, sender=User.roles.through)
def roles_changed(
    instance: User | Role, action: str, reverse: bool, pk_set: Any, **kwargs: Any
) -> None:
    """Note which roles each person got or lost."""
    if action not in ("post_add", "post_remove", "pre_clear"):
        return
    key = "added" if action == "post_add" else "removed"
    if action == "pre_clear":
        others = instance.users if reverse else instance.roles
        pk_set = set(others.values_list("pk", flat=True))
    if not pk_set:
        return
    if reverse:
        for person in User.objects.filter(pk__in=pk_set):
            record(EventKind.ROLES_CHANGED, person=person, details={key: instance.code})
        return
    codes = Role.objects.filter(pk__in=pk_set).values_list("code", flat=True)
    details = {key: ", ".join(sorted(codes))}
    record(EventKind.ROLES_CHANGED, person=instance, details=details)


@receiver(pre_save, sender=Team)
def remember_team(instance: Team, **kwargs: Any) -> None:
    """Keep where in the tree a team was before it is saved."""
    if instance._state.adding:
        return
    before = Team._base_manager.select_related("parent").filter(pk=instance.pk).first()
    instance._below_before = str(before.parent or "") if before else None


@receiver(post_save, sender=Team)
def team_moved(instance: Team, **kwargs: Any) -> None:
    """Note a team that was moved in the tree: its people and leaders reach others."""
    before = instance.__dict__.pop("_below_before", None)
    now = str(instance.parent or "")
    if before is not None and before != now:
        details = {"team": instance.name, "below": [before, now]}
        record(EventKind.TEAM_MOVED, details=details)


@receiver(pre_save, sender=Grant)
@receiver(pre_save, sender=FieldRule)
@receiver(pre_save, sender=Role)
def remember_right(instance: Grant | FieldRule | Role, **kwargs: Any) -> None:
    """Keep what the right was before it is saved."""
    before = type(instance)._base_manager.filter(pk=instance.pk).first()
    instance._right_before = right_text(before) if before else None


@receiver(post_save, sender=Grant)
@receiver(post_delete, sender=Grant)
@receiver(post_save, sender=FieldRule)
@receiver(post_delete, sender=FieldRule)
def grant_changed(
    instance: Grant | FieldRule, created: bool | None = None, **kwargs: Any
) -> None:
    """Note a right or a field rule that a role got, lost or holds differently."""
    text = right_text(instance)
    before = instance.__dict__.pop("_right_before", None)
    if created is None:
        details = {"removed": text}
    elif created:
        details = {"added": text}
    elif before == text:
        return
    else:
        details = {"grant": [before, text]}
    details["role"] = instance.role.code
    record(EventKind.GRANT_CHANGED, details=details)


@receiver(post_save, sender=Role)
@receiver(post_delete, sender=Role)
def role_changed(instance: Role, created: bool | None = None, **kwargs: Any) -> None:
    """Note a role that was made, deleted or asks for a second factor from now on."""
    before = instance.__dict__.pop("_right_before", None)
    if created is False and before == right_text(instance):
        return
    details = {"role": instance.code}
    if created is None:
        details = {"removed": instance.code}
    elif created:
        details = {"added": instance.code}
    details["requires_second_factor"] = instance.requires_second_factor
    record(EventKind.ROLE_CHANGED, details=details)


def right_text(right: Grant | FieldRule | Role) -> str:
    """Return what a grant allows, a rule keeps back, or a role asks of its people."""
    if isinstance(right, FieldRule):
        return f"{right.model}.{right.field} ({right.mode})"
    if isinstance(right, Grant):
        return f"{right.verb} {right.model} ({right.scope})"
    return f"{right.code} {right.requires_second_factor}"
