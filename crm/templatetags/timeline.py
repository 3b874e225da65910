"""What happened, one under the other.

In Python and joined by hand: a page shows fifteen events with three parts each, and a
template costs more than what it draws.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Protocol

from django import template
from django.template.defaultfilters import linebreaksbr, truncatechars
from django.utils import timezone
from django.utils.safestring import SafeString

from crm.generic import formats
from crm.templatetags.generic import draw_badge
from crm.templatetags.ui import icon

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

register = template.Library()

MOST_LETTERS = 400


class Entry(Protocol):
    """What the drawing asks of an event; ``state`` colours the badge."""

    at: datetime
    title: str
    icon: str
    url: str
    text: str
    badge: str
    state: str
    person: str


@register.simple_tag
def timeline_entries(entries: Iterable[Entry]) -> SafeString:
    """Draw events as the items of a list, in the order in which they come."""
    return SafeString("".join([_entry(one) for one in entries]))


def _entry(entry: Entry) -> str:
    title = escape(entry.title)
    if entry.url:
        title = f'<a href="{escape(entry.url)}">{title}</a>'
    badge = f" {draw_badge(entry.badge, entry.state)}" if entry.badge else ""
    text = f"<div>{_cut(entry.text)}</div>" if entry.text else ""
    at = timezone.localtime(entry.at)
    person = f" · {escape(entry.person)}" if entry.person else ""
    return (
        f'<li><span class="timeline-icon">{icon(entry.icon)}</span>'
        f'<div class="timeline-body"><div>{title}{badge}</div>{text}'
        f'<div class="muted"><time datetime="{at.isoformat()}">{formats.plain(at)}'
        f"</time>{person}</div></div></li>"
    )


def _cut(text: str) -> str:
    """Return the beginning of a text, escaped, its lines as they were typed."""
    if len(text) > MOST_LETTERS:
        text = truncatechars(text, MOST_LETTERS)
    return linebreaksbr(text) if "\n" in text or "\r" in text else escape(text)
