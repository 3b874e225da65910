"""What people are told when they tried too often, and what is noted of it."""

from __future__ import annotations

import math
import time

from allauth.account import app_settings
from allauth.account.internal.stagekit import unstash_login
from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import ngettext

from crm.models import EventKind, User
from crm.security.events import (
    address_of,
    page_of,
    person_named,
    record,
    sender_of,
)

APP = "allauth.account"
# One event in so many seconds for each account and address, however often they try.
QUIET_SECONDS = 60


def seconds_left(request: HttpRequest, action: str, key: str | None = None) -> float:
    """Return after how many seconds the limits of an action let one try again."""
    waits = [0.0]
    for rate in ratelimit.get_rates(app=APP, action=action):
        no_key = rate.per == "key" and key is None
        no_user = rate.per == "user" and not request.user.is_authenticated
        if no_key or no_user:
            continue
        name = ratelimit.get_cache_key(
            request, app=APP, action=action, rate=rate, key=key
        )
        # The newest attempt stands first.
        history = cache.get(name, [])
        if len(history) >= rate.amount:
            waits.append(history[rate.amount - 1] + rate.duration - time.time())
    return max(waits)


def sentence(seconds: float) -> str:
    """Say how long to wait, in whole minutes."""
    minutes = max(1, math.ceil(seconds / 60))
    return ngettext(
        "Too many attempts. Please try again in %(minutes)s minute.",
        "Too many attempts. Please try again in %(minutes)s minutes.",
        minutes,
    ) % {"minutes": minutes}


def note(request: HttpRequest, name: str = "") -> None:
    """Note that somebody was slowed down, once a minute."""
    mark = f"crm:throttled:{address_of(request)}:{hash_of(name)}"
    if cache.add(mark, 1, QUIET_SECONDS):
        person = person_named(name) if name else None
        details = {"page": page_of(request)}
        record(EventKind.THROTTLED, person=person, name=name, details=details)


def pending_person(request: HttpRequest) -> User | None:
    """Return who has signed in, or is half-way: the password was right."""
    person = sender_of(request)
    if person is not None:
        return person
    login = unstash_login(request, peek=True)
    return login.user if login else None


def hash_of(name: str) -> str:
    """Return a name as a part of a cache key."""
    return name.strip().lower().encode("utf-8", "replace").hex()[:100]


def too_many(request: HttpRequest) -> HttpResponse:
    """Answer 429 with the waiting time."""
    name = request.POST.get("login", "") or request.POST.get("email", "")
    note(request, name)
    seconds = max(
        seconds_left(request, action, name.lower() or None)
        for action in app_settings.RATE_LIMITS
    )
    answer = render(request, "429.html", {"sentence": sentence(seconds)}, status=429)
    answer["Retry-After"] = str(max(1, math.ceil(seconds)))
    return answer
