"""The frame around every page: menu, search, overlays, drawn once and kept.

Drawing it costs as much as the fifty rows of a list, and it is the same from page to
page. What differs between requests (the token against forged requests, the address, how
many notifications wait) is filled into holes of the kept text.
"""

from __future__ import annotations

import secrets
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from crm.models.notifications import MOST_COUNTED

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from django.http import HttpRequest

    from crm.models import User

# About 15 kB each; a process keeps those of some hundred readers.
MOST_KEPT = 1000
# Nobody can write these into a page.
HOLE = f"hole-{secrets.token_hex(12)}"
TOKEN_HOLE, ADDRESS_HOLE, UNREAD_HOLE = (
    f"{HOLE}-{name}" for name in ("token", "address", "unread")
)

_kept: dict[Hashable, str] = {}


def key_of(request: HttpRequest, shell: dict[str, object]) -> Hashable:
    """Return all that the frame shows of a reader, besides the language."""
    user = request.user
    return (
        user.pk,
        str(user),
        user.is_staff,
        shell["theme"],
        shell["sidebar"],
        tuple(
            (section["key"], item["url"], item["active"])
            for section in shell["navigation"]
            for item in section["items"]
        ),
        tuple(one["url"] for one in shell["quick_adds"]),
    )


def kept(context: Context, name: str, *, for_all: bool = False) -> SafeString:
    """Return a part of the frame, drawn now or before; some are alike for everyone."""
    key = (name, get_language(), None if for_all else context["frame_key"])
    text = None if settings.DEBUG else _kept.get(key)
    if text is None:
        holes = {
            "csrf_token": TOKEN_HOLE,
            "address": ADDRESS_HOLE,
            "unread": UNREAD_HOLE,
        }
        with context.push(**holes):
            text = get_template(name).template.render(context)
        _keep(key, text)
    # The rest was escaped when it was drawn; what fills the holes is escaped here.
    filled = text.replace(TOKEN_HOLE, escape(context.get("csrf_token") or ""))
    filled = filled.replace(ADDRESS_HOLE, escape(context["address"]))
    if UNREAD_HOLE in filled:
        filled = filled.replace(UNREAD_HOLE, unread_text(context["request"].user))
    return SafeString(filled)


def drawn_once(
    name: str, holes: Mapping[str, object] = MappingProxyType({}), **alike: Hashable
) -> SafeString:
    """Return a template, drawn once for what is ``alike`` in the reader's language.

    What differs from page to page is put into its ``holes``: texts, escaped here.
    """
    marks = {hole: f"{HOLE}-{hole}" for hole in holes}
    key = (name, get_language(), tuple(alike.items()))
    text = None if settings.DEBUG else _kept.get(key)
    if text is None:
        text = get_template(name).template.render(Context({**alike, **marks}))
        _keep(key, text)
    for hole, value in holes.items():
        text = text.replace(marks[hole], escape(value))
    return SafeString(text)


def _keep(key: Hashable, text: str) -> None:
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[key] = text


def unread_text(user: User) -> str:
    """Return what the bell says beside it; nothing where nothing waits."""
    count = user.unread_count
    return f"{MOST_COUNTED - 1}+" if count >= MOST_COUNTED else str(count or "")
