"""People in the text of a note: written as names, stored as ids, shown as chips."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from django.db.models import Q, Value
from django.db.models.functions import Concat, Lower
from django.utils.translation import gettext as _

from crm.models import User

STORED = re.compile(r"@\[(\d{1,18})\]")
# A name is not part of a longer word, such as a mail address; Chinese has no spaces.
BEFORE = re.compile(r"(?:^|[^A-Za-z0-9_@.+-])$")
# More people are a mailing, not a conversation.
MOST = 20


def mentioned_in(text: str) -> set[int]:
    """Return the ids of the people in a stored text."""
    return {int(pk) for pk in STORED.findall(text)}


def people_in(texts: Iterable[str]) -> dict[int, User]:
    """Return {id: person} of all who are mentioned in stored texts."""
    keys = {pk for text in texts for pk in mentioned_in(text)}
    return User.objects.in_bulk(keys) if keys else {}


def to_stored(text: str, chosen: Sequence[int], actor: User) -> str:
    """Return the text with ids in the place of names.

    A name counts where it was chosen from the list (``chosen``), or written as it is:
    ``@username`` of anybody whom the actor may see. Of two that fit the longer counts.
    """
    if "@" not in text:
        return text
    names = _names(text, chosen, actor)
    parts, rest = [], 0
    for place in (found.start() for found in re.finditer("@", text)):
        if place < rest or not BEFORE.search(text[max(0, place - 1) : place]):
            continue
        for name, pk in names:
            end = place + 1 + len(name)
            if text[place + 1 : end].lower() == name and not _goes_on(text, end, name):
                parts += [text[rest:place], f"@[{pk}]"]
                rest = end
                break
    return "".join([*parts, text[rest:]])


def _goes_on(text: str, end: int, name: str) -> bool:
    """Tell whether the word goes on after the name."""
    following = text[end : end + 1]
    return (
        bool(following)
        and following.isascii()
        and (following.isalnum() or following in "_-")
        and name[-1:].isascii()
    )


def _names(text: str, chosen: Sequence[int], actor: User) -> list[tuple[str, int]]:
    """Return (name, id) of those who may be meant, longest name first."""
    people = User.objects.visible_to(actor).active()
    words = {word.lower() for word in re.findall(r"@([\w.+-]+)", text)}
    words |= {word.rstrip(".") for word in words}
    found = {}
    people = people.annotate(_username=Lower("username"))
    for person in people.filter(Q(_username__in=words) | Q(pk__in=chosen)):
        found[person._username] = person.pk
        if person.pk in chosen:
            found[str(person).lower()] = person.pk
    return sorted(found.items(), key=lambda pair: -len(pair[0]))


def to_typed(text: str) -> tuple[str, list[int]]:
    """Return a stored text with names, for its author to edit, and who is in it."""
    people = people_in([text])

    def name(found: re.Match) -> str:
        person = people.get(int(found[1]))
        return f"@{person}" if person else found[0]

    return STORED.sub(name, text), sorted(people)


def plain(texts: Sequence[str]) -> list[str]:
    """Return stored texts with the names that people have now."""
    people = people_in(texts)
    return [
        STORED.sub(lambda found: f"@{_name(people, found[1])}", text) for text in texts
    ]


def _name(people: dict[int, User], pk: str) -> str:
    return str(people.get(int(pk)) or _("somebody"))


def find_people(actor: User, text: str, limit: int) -> list[User]:
    """Return people whose name or username has the text, whom the actor may see."""
    people = User.objects.visible_to(actor).active().exclude(pk=actor.pk)
    if text:
        people = people.annotate(
            _western=Concat("first_name", Value(" "), "last_name"),
            _chinese=Concat("last_name", "first_name"),
        ).filter(
            Q(_western__icontains=text)
            | Q(_chinese__icontains=text)
            | Q(username__icontains=text)
        )
    return list(people.select_related("team")[:limit])
