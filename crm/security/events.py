"""Write the log of security events.

An event is written at once, in the transaction that runs; where none runs it stays
whatever becomes of the request.
"""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import context
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from crm.models import EventKind, SecurityEvent, User

logger = logging.getLogger(__name__)

# Younger events cannot be deleted; the database's trigger knows the same number.
LEAST_DAYS = 90


def record(
    kind: EventKind,
    *,
    person: User | None = None,
    name: str = "",
    request: HttpRequest | None = None,
    details: dict[str, Any] | None = None,
) -> SecurityEvent:
    """Note an event about a person, by default about who sent the request.

    ``name`` is the account name that was tried where no person is known. Without a
    request (a command, a shell) address and browser stay empty.
    """
    request = request or context.request
    sender = sender_of(request)
    person = person or (None if name else sender)
    event = SecurityEvent(
        kind=kind,
        person=person,
        name=cleaned(name or (person.username if person else ""), 254),
        actor=None if sender is None or sender == person else sender,
        address=address_of(request),
        browser=cleaned(browser_of(request), 200),
        details=details or {},
    )
    event.save(force_insert=True)
    # For those who collect the log elsewhere; quoted, so that no name can forge a line.
    logger.info("%s account=%r from=%s", event.kind, event.name, event.address)
    return event


def sender_of(request: HttpRequest | None) -> User | None:
    """Return the person who has signed in and sent the request."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    # Not the lazy stand-in: two of them are compared.
    return User(pk=user.pk, username=user.username)


def address_of(request: HttpRequest | None) -> str | None:
    """Return the address that the request came from, behind trusted proxies."""
    if request is None or not request.META:
        return None
    try:
        return get_adapter().get_client_ip(request)
    except (PermissionDenied, ImproperlyConfigured):
        return None


def browser_of(request: HttpRequest | None) -> str:
    """Return how the browser calls itself."""
    return request.META.get("HTTP_USER_AGENT", "") if request is not None else ""


def page_of(request: HttpRequest | None) -> str:
    """Return what was asked for: "GET /things/?state=open", cut where it is long."""
    return f"{request.method} {request.get_full_path()}"[:300] if request else ""


def cleaned(text: str, length: int) -> str:
    """Return a text that the database takes."""
    return text.replace("\x00", "")[:length]


def person_named(name: str) -> User | None:
    """Return the person whose username or mail was typed into the sign-in form."""
    name = name.strip()
    if not name or "\x00" in name:
        return None
    found = User.objects.filter(Q(username=name) | Q(email__iexact=name))
    return found.order_by("pk").first()


def forget(keep_days: int) -> int:
    """Delete the events older than so many days; return how many those were."""
    before = timezone.now() - timezone.timedelta(days=max(keep_days, LEAST_DAYS))
    rows = SecurityEvent.objects.filter(at__lt=before)
    return rows._raw_delete(rows.db)
