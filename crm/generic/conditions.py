"""Groups of conditions in the address: read, checked, said in words, applied.

``group=[["city","is","Leeds"],["created_at","within","last_30_days"]]``: the conditions
of a group hold together, of several groups one is enough. A condition that cannot be
understood is said in one sentence, and the others still apply.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from crm.custom.definitions import field_named
from crm.generic import formats
from crm.generic.condition_fields import MAX_LENGTH, ConditionError, ConditionField
from crm.generic.condition_sources import fields_for
from crm.models.custom import PREFIX, CustomField

if TYPE_CHECKING:
    from django.http import QueryDict

    from crm.generic.pages import Pages
    from crm.models import User

PARAMETER = "group"
MAX_GROUPS = 10
MAX_CONDITIONS = 20
MAX_VALUES = 100
MAX_JSON = 20_000


@dataclass
class Condition:
    """One condition as it stands in the address, and what came of it."""

    raw: Any
    key: str = ""
    operator: str = ""
    values: list[str] = field(default_factory=list)
    field: ConditionField | None = None
    label: str = ""
    text: str = ""
    error: str = ""
    q: Q | None = None
    # The address without it; the list fills it in.
    url: str = ""


def read_group(text: str) -> list[Any]:
    """Return the conditions of a group, still as they were written."""
    if len(text) > MAX_JSON:
        raise ConditionError(_("it is too long"))
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConditionError(_("it cannot be read")) from error
    try:
        dumps(found).encode()
    except UnicodeEncodeError as error:
        raise ConditionError(_("it holds a sign that no text can hold")) from error
    if not isinstance(found, list):
        raise ConditionError(_("it cannot be read"))
    if len(found) > MAX_CONDITIONS:
        limit = {"limit": MAX_CONDITIONS}
        raise ConditionError(_("it holds more than %(limit)s conditions") % limit)
    return found


def plain_text(value: Any) -> str:
    """Return a value of the address as text that database and page can take."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ConditionError(_("it cannot be read"))
    text = str(value)
    if "\x00" in text:
        raise ConditionError(_("it holds a sign that no text can hold"))
    if len(text) > MAX_LENGTH:
        raise ConditionError(_("a value is too long"))
    return text


def custom_field_of(model: type[models.Model], key: str) -> CustomField | None:
    """Return the custom field of the rows, or of a row one step away, or None."""
    path, _sign, name = key.rpartition(f"__{PREFIX}")
    if not path:
        return field_named(model, key)
    behind = getattr(formats.field_of(model, path), "related_model", None)
    return field_named(behind, f"{PREFIX}{name}") if behind else None


class Conditions:
    """All groups of one address, for one reader."""

    def __init__(self, pages: Pages, user: User, query: QueryDict) -> None:
        self.pages, self.user = pages, user
        self.texts = [text for text in query.getlist(PARAMETER) if text]

    @cached_property
    def fields(self) -> dict[str, ConditionField]:
        """Return what the reader may ask about."""
        return fields_for(self.pages, self.user)

    @cached_property
    def groups(self) -> list[list[Condition]]:
        """Return the groups with their conditions, good and bad."""
        found = []
        for place, text in enumerate(self.texts):
            try:
                if place >= MAX_GROUPS:
                    limit = {"limit": MAX_GROUPS}
                    raise ConditionError(_("there are more than %(limit)s") % limit)
                found.append([self.read(one) for one in read_group(text)])
            except ConditionError as error:
                label = _("Group %(number)s") % {"number": place + 1}
                found.append([Condition(None, label=label, error=str(error))])
                if place >= MAX_GROUPS:
                    break
        return found

    def read(self, raw: Any) -> Condition:
        """Return one condition, with what is wrong with it."""
        found = Condition(raw, label=_("A condition"))
        try:
            self._fill(found)
        except ConditionError as error:
            found.error = str(error)
        return found

    def _fill(self, found: Condition) -> None:
        if not isinstance(found.raw, list) or not 2 <= len(found.raw) <= 3:
            raise ConditionError(_("it cannot be read"))
        found.key, found.operator = map(plain_text, found.raw[:2])
        one = self.fields.get(found.key)
        custom = custom_field_of(self.pages.model, found.key)
        found.label = one.label if one else custom.title if custom else found.key
        if custom is not None and not custom.is_active:
            raise ConditionError(_("this custom field is retired"))
        if one is None and PREFIX in found.key:
            found.label = _("A custom field")
            raise ConditionError(_("it is no longer there"))
        if one is None:
            raise ConditionError(_("a filter on a column that is gone"))
        found.field = one
        values = found.raw[2] if len(found.raw) == 3 else []
        values = values if isinstance(values, list) else [values]
        if len(values) > MAX_VALUES:
            limit = {"limit": MAX_VALUES}
            raise ConditionError(_("it holds more than %(limit)s values") % limit)
        found.values = list(dict.fromkeys(map(plain_text, values)))
        if found.operator == "between" and len(values) == 2:
            found.values = [plain_text(value) for value in values]
        found.q = one.q(found.operator, found.values, self.user)
        found.text = one.words(found.operator, found.values, self.user)

    @property
    def errors(self) -> list[str]:
        """Return one sentence for each condition that does not count."""
        return [
            _("%(name)s does not count: %(reason)s.")
            % {"name": one.label, "reason": one.error.rstrip(".。")}
            for group in self.groups
            for one in group
            if one.error
        ]

    def apply(self, rows: models.QuerySet) -> models.QuerySet:
        """Keep the rows that one of the groups fits."""
        found, counts = Q(), False
        for group in self.groups:
            good = [one.q for one in group if one.q is not None]
            if good:
                together = Q()
                for one in good:
                    together &= one
                found |= together
                counts = True
        return rows.filter(found) if counts else rows

    def without(self, group: int, place: int) -> list[str]:
        """Return the groups as texts, without one condition."""
        texts = list(self.texts)
        rest = [
            one.raw for number, one in enumerate(self.groups[group]) if number != place
        ]
        texts[group] = dumps(rest) if rest else ""
        return [text for text in texts if text]


def dumps(conditions: list[Any]) -> str:
    """Write a group for the address."""
    return json.dumps(conditions, ensure_ascii=False, separators=(",", ":"))
