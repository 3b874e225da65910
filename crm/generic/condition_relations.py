"""Conditions about other rows: one related row, or several such as tags."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.generic.condition_fields import (
    ALONE,
    OPERATORS,
    ConditionError,
    ConditionField,
)
from crm.models import Team

if TYPE_CHECKING:
    from crm.models import User

ME, MY_TEAM = "me", "my_team"


class RelationField(ConditionField):
    """Another row, among those that the reader may see; people also as "me"."""

    kind = "relation"
    operators = ("any", "none", "empty", "filled")

    def __init__(self, *args: Any, target: type[models.Model], **more: Any) -> None:
        super().__init__(*args, **more)
        self.target = target

    @property
    def symbols(self) -> dict[str, Any]:
        """Return the values that mean another row for each reader."""
        if self.target is get_user_model():
            return {ME: gettext_lazy("me"), MY_TEAM: gettext_lazy("my team")}
        return {MY_TEAM: gettext_lazy("my team")} if self.target is Team else {}

    def compare(self, operator: str, values: list[str], user: User) -> Q:
        found = self.one_of(self.rows(values, user), values, user)
        return ~found if operator == "none" else found

    def rows(self, values: list[str], user: User) -> dict[str, models.Model]:
        """Return {value: row}; a hidden row and one that is gone are the same error."""
        numbers = [value for value in values if value not in self.symbols]
        # Ten digits: what does not fit a primary key is no row.
        if not all(one.isascii() and one.isdigit() for one in numbers) or any(
            len(one) > 18 for one in numbers
        ):
            raise ConditionError(_("a chosen value does not exist"))
        if not numbers:
            return {}
        visible = self.target._default_manager.visible_to(user)
        found = {str(row.pk): row for row in visible.filter(pk__in=numbers)}
        if len(found) < len(set(numbers)):
            raise ConditionError(_("a chosen value does not exist"))
        return found

    def one_of(self, rows: dict, values: list[str], user: User) -> Q:
        """Return the condition that the related row is one of these."""
        ids = [row.pk for row in rows.values()]
        is_people = self.target is get_user_model()
        if ME in values and is_people:
            ids.append(user.pk)
        found = Q(**{f"{self.key}__in": ids})
        if MY_TEAM in values and self.symbols:
            if user.team_id is None:
                return found | Q(**{self.key: user.pk}) if is_people else found
            path = f"{self.key}__team" if is_people else self.key
            found |= Q(**{path: user.team_id})
        return found

    def words(self, operator: str, values: list[str], user: User) -> str:
        if operator in ALONE:
            return str(OPERATORS[operator])
        said = ", ".join(str(words) for _value, words in self.choices(values, user))
        return f"{OPERATORS[operator]} {said}"

    def choices(self, values: Iterable[str], user: User) -> list[tuple[str, Any]]:
        values = list(values)
        rows = self.rows(values, user)
        return [
            *((key, words) for key, words in self.symbols.items() if key in values),
            *((key, str(row)) for key, row in rows.items()),
        ]


class TagsField(RelationField):
    """Several related rows; a row is found once however many of them fit."""

    kind = "tags"
    operators = ("any", "all", "none", "empty", "filled")

    def __init__(self, *args: Any, field: models.ManyToManyField, **more: Any) -> None:
        super().__init__(*args, target=field.related_model, **more)
        self.links = field.remote_field.through._default_manager
        self.here = field.m2m_field_name()
        self.there = field.m2m_reverse_field_name()

    def empty(self) -> Q:
        return ~Q(Exists(self.links.filter(**{self.here: OuterRef("pk")})))

    def compare(self, operator: str, values: list[str], user: User) -> Q:
        ids = [row.pk for row in self.rows(values, user).values()]
        if operator != "all":
            found = self.linked(ids)
            return ~found if operator == "none" else found
        found = Q()
        for one in ids:
            found &= self.linked([one])
        return found

    def linked(self, ids: list[Any]) -> Q:
        """Return the condition that one of these is linked to the row."""
        links = self.links.filter(**{f"{self.there}__in": ids})
        return Q(pk__in=links.values(self.here))
