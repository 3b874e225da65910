"""Custom fields as conditions of a list, compared as JSON values."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from crm.access import Verb, can
from crm.custom.definitions import active_fields
from crm.custom.kinds import ReferenceKind, kind_of
from crm.generic import condition_fields as kinds
from crm.generic import condition_relations as relations
from crm.generic.condition_fields import ConditionField
from crm.models.custom import CustomField, FieldKind

if TYPE_CHECKING:
    from crm.models import User


class Custom(ConditionField):
    """What all conditions on custom fields share.

    A row without a value is no row with the value: "is not" and "none of" find it.
    """

    group = "custom"

    def empty(self) -> Q:
        return Q(**{f"{self.key}__isnull": True})

    def compare(self, operator: str, values: list[str], user: User) -> Q:
        found = super().compare(operator, values, user)
        return found | self.empty() if operator in ("not", "none") else found


class CustomText(Custom, kinds.TextField):
    """Words."""


class CustomNumber(Custom, kinds.NumberField):
    """A number or an amount."""

    def span(self, low: Any, high: Any) -> Q:
        ends = (None if end is None else float(end) for end in (low, high))
        return super().span(*ends)


class CustomDay(Custom, kinds.DayField):
    """A day; its ISO text has the sequence of the days."""

    def start_of(self, day: datetime.date) -> str:
        return day.isoformat()


class CustomChoice(Custom, kinds.ChoiceField):
    """One of a list of words."""


class CustomChoices(CustomChoice):
    """Several of a list of words."""

    operators = ("any", "all", "none", "empty", "filled")

    def compare(self, operator: str, values: list[str], user: User) -> Q:
        found = super().compare(operator, values, user)
        if operator == "all":
            for value in values:
                found &= self.one_of([value])
        return found

    def one_of(self, values: list[str]) -> Q:
        found = Q()
        for value in values:
            found |= Q(**{f"{self.key}__contains": [value]})
        return found


class CustomBoolean(Custom, kinds.BooleanField):
    """Yes or no."""


class CustomReference(Custom, relations.RelationField):
    """Another row."""

    symbols: dict[str, Any] = {}  # noqa: RUF012  (nothing stands for another row)


def condition_of(one: CustomField, user: User) -> ConditionField | None:
    """Return the condition on a custom field, or None if it is not the reader's."""
    if one.kind in (FieldKind.TEXT, FieldKind.LINK):
        return CustomText(one.name, one.title)
    if one.kind in (FieldKind.NUMBER, FieldKind.MONEY):
        return CustomNumber(one.name, one.title)
    if one.kind == FieldKind.DATE:
        return CustomDay(one.name, one.title)
    if one.kind == FieldKind.BOOLEAN:
        return CustomBoolean(one.name, one.title)
    if one.kind in (FieldKind.CHOICE, FieldKind.CHOICES):
        kind = CustomChoice if one.kind == FieldKind.CHOICE else CustomChoices
        options = list(one.choices.items())
        return kind(one.name, one.title, options=options, is_text=False)
    kind = kind_of(one)
    if not isinstance(kind, ReferenceKind) or not can(user, Verb.VIEW, kind.target):
        return None
    return CustomReference(one.name, one.title, target=kind.target)


def custom_conditions(
    model: type[models.Model], user: User
) -> dict[str, ConditionField]:
    """Return {name: condition} of a model's custom fields."""
    made = {one.name: condition_of(one, user) for one in active_fields(model)}
    return {name: one for name, one in made.items() if one is not None}
