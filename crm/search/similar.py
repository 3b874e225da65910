"""Find the rows that may be the same as one that is about to be added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import F, Model
from django.utils.translation import gettext as _

from crm.access import Verb, can
from crm.generic.searching import AnyOf, Asked, Ids, find
from crm.search.checking import checked
from crm.search.declaration import Search, search_of
from crm.search.query import Query, Word, is_chinese, read

if TYPE_CHECKING:
    from crm.models import User

MAX_FOUND = 100
# Two numbers with these last digits in common are one number, however it is written.
SAME_DIGITS = 8


@dataclass
class Similar:
    """A row that may be the same, and why."""

    obj: Model
    reasons: list[str] = field(default_factory=list)


def similar(
    model: type[Model], user: User, values: Mapping[str, Any], limit: int = 5
) -> list[Similar]:
    """Return visible rows with the same phone, mail or nearly the same name.

    ``values`` are columns of the model, such as a form's cleaned data; empty and
    unknown ones do not matter. Rows that the person may not see are left out.
    """
    search = search_of(model)
    if search is None or not can(user, Verb.VIEW, model):
        return []
    search = search.for_reader(user)
    asked = conditions(search, values)
    found = find(
        {key: Asked(search.kind, one) for key, one in asked.items()}, MAX_FOUND
    )
    found = {key: checked(search, asked[key], ids) for key, ids in found.items()}
    words = {
        "email": _("Same e-mail address"),
        "phone": _("Same phone number"),
        "name": _("Same name"),
        "alike": _("Nearly the same name"),
        "pinyin": _("A name that sounds the same"),
    }
    reasons: dict[int, dict[str, str]] = {}
    for key, text in words.items():
        for pk in found.get(key, Ids()).numbers:
            # Of the ways in which names are alike the strongest is told.
            what = key if key in ("email", "phone") else "name"
            reasons.setdefault(pk, {}).setdefault(what, text)
    rows = model.objects.visible_to(user).filter(AnyOf(F("pk"), Ids.of(reasons)))
    best = sorted(rows[:MAX_FOUND], key=lambda row: -len(reasons[row.pk]))
    return [Similar(row, list(reasons[row.pk].values())) for row in best[:limit]]


def conditions(search: Search, values: Mapping[str, Any]) -> dict[str, str]:
    """Return {reason: tsquery} for the filled values."""
    code, found = search.code, {}
    for name in search.email:
        text = str(values.get(name) or "").strip().lower()
        if "@" in text:
            found["email"] = token(f"{code}@{text}")
    for name in search.phone:
        digits = "".join(one for one in str(values.get(name) or "") if one.isdecimal())
        if len(digits) >= SAME_DIGITS - 2:
            ending = digits.lstrip("0")[-SAME_DIGITS:][::-1]
            found["phone"] = f"{token(f'{code}#{ending}')}:*"
    name = " ".join(str(values.get(one) or "") for one in search.name[:2]).strip()
    if name:
        query = read(name)
        found |= names(search, query)
    return found


def names(search: Search, query: Query) -> dict[str, str]:
    """Return the conditions of a name: the same, one typing error, the same sound."""
    code, found = search.code, {}
    parts = [part for word in query.words for part, _alike in word.parts]
    # One short word says too little.
    if not parts or (len(parts) == 1 and len(parts[0]) < 2):
        return {}
    exact = Query(query.text, tuple(Word(part, ((part, ()),)) for part in parts))
    found["name"] = " & ".join(whole(code, part) for part in parts)
    mistaken = exact.with_mistakes()
    if mistaken != exact:
        found["alike"] = " & ".join(
            "("
            + " | ".join([whole(code, part), *(whole(code, one) for one in near)])
            + ")"
            for word in mistaken.words
            for part, near in word.parts
        )
    joined = "".join(parts)
    if joined.isascii() and joined.isalpha() and len(joined) > 3:
        found["pinyin"] = token(f"{code}~{joined}")
    return found


def whole(code: str, part: str) -> str:
    """Return the condition that a name has exactly this part."""
    if is_chinese(part) and len(part) > 1:
        pairs = [part[place : place + 2] for place in range(len(part) - 1)]
        return " & ".join(token(f"{code}:{pair}") for pair in pairs)
    return token(f"{code}:{part[:60]}")


def token(text: str) -> str:
    """Return a token as PostgreSQL quotes it."""
    quoted = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}'"
