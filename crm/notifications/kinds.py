"""What people can be told of: one declaration per kind, here or in an app.

How something comes to be told:

- an owner that changes, or a row that comes with somebody else's name: by itself;
- rows written below a row, such as messages: ``comments_on = "parent"`` on the model;
- a date on which a row wants attention: ``register_due`` (crm/notifications/due.py);
- anything else: ``tell()`` (crm/notifications/telling.py), in the act's transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from crm.models.notifications import MailMode

if TYPE_CHECKING:
    from crm.notifications.showing import Line

HANDOVER, MENTION, NOTE, COMMENT = "handover", "mention", "note", "comment"
CHANGE, SHARE, JOB, DUE = "change", "share", "job", "due"


@dataclass(frozen=True)
class Kind:
    """One kind of notification, with what people hear who have chosen nothing.

    ``words`` says what happened; the name of the row stands beside it.
    ``is_personal``: meant for this person, so muting the row does not stop it.
    """

    key: str
    label: Any
    hint: Any
    icon: str
    words: Callable[[Line], str]
    in_app: bool = True
    mail: str = MailMode.DIGEST
    is_personal: bool = False


KINDS: dict[str, Kind] = {}


def register_kind(kind: Kind) -> Kind:
    """Make a kind known; its settings and its words are there from now on."""
    KINDS[kind.key] = kind
    return kind


def _handed(line: Line) -> str:
    if line.is_many:
        # Both numbers are put in by the reader's way of writing them.
        text = ngettext(
            "%(number)s %(names)s was handed to you",
            "%(number)s %(names)s were handed to you",
            line.count,
        )
        return text % {"number": line.number, "names": line.names}
    if line.actor:
        return _("%(person)s handed this to you") % {"person": line.actor}
    return _("This was handed to you")


def _mentioned(line: Line) -> str:
    person = line.actor or _("Somebody")
    if line.count > 1:
        text = ngettext(
            "%(person)s and others mentioned you %(number)s time",
            "%(person)s and others mentioned you %(number)s times",
            line.count,
        )
        return text % {"person": person, "number": line.number}
    return _("%(person)s mentioned you in a note") % {"person": person}


def _noted(line: Line) -> str:
    person = line.actor or _("Somebody")
    if line.count > 1:
        text = ngettext(
            "%(number)s new note, the latest by %(person)s",
            "%(number)s new notes, the latest by %(person)s",
            line.count,
        )
        return text % {"person": person, "number": line.number}
    return _("%(person)s wrote a note") % {"person": person}


def _commented(line: Line) -> str:
    text = ngettext("%(number)s new entry", "%(number)s new entries", line.count)
    text = text % {"number": line.number}
    if not line.actor:
        return text
    return _("%(what)s, the latest by %(person)s") % {
        "what": text,
        "person": line.actor,
    }


def _changed(line: Line) -> str:
    if line.is_many:
        text = ngettext(
            "%(number)s %(names)s that you follow was changed",
            "%(number)s %(names)s that you follow were changed",
            line.count,
        )
        return text % {"number": line.number, "names": line.names}
    if not line.actor:
        return _("This was changed")
    if line.count > 1:
        text = ngettext(
            "Changed %(number)s time, last by %(person)s",
            "Changed %(number)s times, last by %(person)s",
            line.count,
        )
        return text % {"person": line.actor, "number": line.number}
    return _("%(person)s changed this") % {"person": line.actor}


def _shared(line: Line) -> str:
    if line.actor:
        return _("%(person)s shared this with you") % {"person": line.actor}
    return _("This was shared with you")


def _ended(line: Line) -> str:
    failed = getattr(line.row, "state", "") == "failed"
    return _("Your job failed") if failed else _("Your job is done")


def _is_due(line: Line) -> str:
    return _("This is due today")


register_kind(
    Kind(
        HANDOVER,
        gettext_lazy("Handed to you"),
        gettext_lazy("Somebody made you the owner of a row, or of many."),
        "user-plus",
        _handed,
        is_personal=True,
    )
)
register_kind(
    Kind(
        MENTION,
        gettext_lazy("Mentions"),
        gettext_lazy("Somebody wrote @ and your name in a note."),
        "message",
        _mentioned,
        mail=MailMode.NOW,
        is_personal=True,
    )
)
register_kind(
    Kind(
        NOTE,
        gettext_lazy("Notes"),
        gettext_lazy("A note at something that you own or follow."),
        "note",
        _noted,
    )
)
register_kind(
    Kind(
        COMMENT,
        gettext_lazy("Messages and entries"),
        gettext_lazy("A message or an entry below something that you own or follow."),
        "mail",
        _commented,
    )
)
register_kind(
    Kind(
        CHANGE,
        gettext_lazy("Changes"),
        gettext_lazy("Somebody changed something that you follow."),
        "pencil",
        _changed,
    )
)
register_kind(
    Kind(
        SHARE,
        pgettext_lazy("kind of notification", "Shared with you"),
        gettext_lazy("Somebody opened a single row to you or to your team."),
        "link",
        _shared,
        is_personal=True,
    )
)
register_kind(
    Kind(
        JOB,
        gettext_lazy("Your jobs"),
        gettext_lazy(
            "An import, export, analysis or other job of yours took long and ended, "
            "or failed."
        ),
        "cpu",
        _ended,
        mail=MailMode.NONE,
        is_personal=True,
    )
)
register_kind(
    Kind(
        DUE,
        gettext_lazy("Due today"),
        gettext_lazy("A date of something that you own is today."),
        "calendar",
        _is_due,
    )
)
