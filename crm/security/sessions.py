"""The sessions of a person: where they are signed in, and how one is ended."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from crm.models import EventKind, User
from crm.security.browsers import browser_name
from crm.security.events import record


@dataclass(frozen=True)
class SessionLine:
    """One session as its owner sees it."""

    pk: int
    browser: str
    address: str
    started_at: datetime
    seen_at: datetime
    is_current: bool


def of(request: HttpRequest) -> list[SessionLine]:
    """Return the person's sessions that still work, this one first."""
    key = request.session.session_key
    alive = Session.objects.filter(expire_date__gt=timezone.now())
    rows = UserSession.objects.filter(
        user=request.user, session_key__in=alive.values("session_key")
    )
    if key not in {one.session_key for one in rows}:
        UserSession.objects.create_from_request(request)
        rows = rows.all()
    lines = [
        SessionLine(
            pk=one.pk,
            browser=browser_name(one.user_agent),
            address=one.ip,
            started_at=one.created_at,
            seen_at=one.last_seen_at,
            is_current=one.session_key == key,
        )
        for one in rows
    ]
    return sorted(
        lines, key=lambda line: (not line.is_current, -line.seen_at.timestamp())
    )


def end(session: UserSession) -> None:
    """End one session; its browser is a stranger's from the next request on."""
    session.end()
    details = {"sessions": browser_name(session.user_agent)}
    record(EventKind.SESSION_ENDED, person=session.user, details=details)


def end_others(request: HttpRequest) -> int:
    """End all sessions of the person but this one; return how many there were."""
    rows = UserSession.objects.filter(user=request.user)
    others = rows.exclude(session_key=request.session.session_key)
    for session in others:
        end(session)
    return len(others)


def end_all(person: User) -> None:
    """End every session of a person."""
    for session in UserSession.objects.filter(user=person):
        end(session)


def forget_current(request: HttpRequest) -> None:
    """Take the session of a request off the list, when it is about to end."""
    UserSession.objects.filter(session_key=request.session.session_key or "").delete()


def forget_ended() -> int:
    """Delete sessions that ran out, and lines of sessions that are gone."""
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    alive = Session.objects.values("session_key")
    count, _by_model = UserSession.objects.exclude(session_key__in=alive).delete()
    return count


def keep_within_limits(request: HttpRequest) -> None:
    """End a session that has lived too long; renew one that is used.

    Without a visit it ends by the age of its row and cookie. To renew it costs two
    queries, so that is done once in a while only. A tab that asks by itself how many
    notifications wait is no visit.
    """
    session, now = request.session, int(time.time())
    started = session.get("started")
    if started is not None and now - started > settings.SESSION_MAX_AGE:
        logout(request)
        return
    if started is None:
        session["started"] = now
    is_due = now - session.get("seen", 0) > settings.SESSION_RENEW_SECONDS
    if is_due and request.path != reverse("crm:notification_count"):
        session["seen"] = now
        rows = UserSession.objects.filter(session_key=session.session_key)
        rows.update(last_seen_at=timezone.now())
