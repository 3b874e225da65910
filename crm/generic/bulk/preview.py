"""What a bulk action would do: how many rows, which values, and the first of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count as CountOf

from crm.custom.definitions import field_named
from crm.custom.kinds import kind_of
from crm.generic import formats
from crm.generic.counting import Count
from crm.generic.keyset import Keyset
from crm.generic.listing import Listing

if TYPE_CHECKING:
    from django import forms

    from crm.generic.bulk.actions import BulkAction
    from crm.generic.pages import Pages
    from crm.generic.selection import Selection
    from crm.models import User

SAMPLE = 5
MAX_FIELDS = 3
MAX_VALUES = 5


@dataclass(frozen=True)
class Change:
    """One field: how often each old value is there, and the new one."""

    label: str
    old: list[tuple[str, int]]
    more: bool
    new: str


@dataclass(frozen=True)
class SampleRow:
    """One of the first rows: its name, and (old, new) of each changed field."""

    name: str
    url: str
    pairs: list[tuple[str, str]]


@dataclass(frozen=True)
class Preview:
    """The chosen rows, and those of them that the person may treat so."""

    pages: Pages
    action: BulkAction
    chosen: Count
    allowed: Count
    listing: Listing

    @classmethod
    def of(
        cls, pages: Pages, action: BulkAction, user: User, selection: Selection
    ) -> Preview:
        """Count; what is out of reach is counted and never named."""
        listing = selection.listing(pages, user, action.verb)
        return cls(
            pages, action, selection.count(pages, user), listing.count(), listing
        )

    @property
    def left_alone(self) -> int | None:
        """Return how many chosen rows stay as they are; None if that is unknown."""
        if not (self.chosen.is_exact and self.allowed.is_exact):
            return None
        return max(0, self.chosen.number - self.allowed.number)

    def changes(self, form: forms.Form | None) -> list[Change]:
        """Return what is done, with the old values where few rows were counted."""
        names = self.action.fields(form)[:MAX_FIELDS] if self.allowed.is_exact else []
        found = []
        for place, (label, new) in enumerate(self.action.words(form)):
            old = self._old_values(names[place]) if place < len(names) else []
            found.append(Change(label, old[:MAX_VALUES], len(old) > MAX_VALUES, new))
        return found

    def _old_values(self, name: str) -> list[tuple[str, int]]:
        rows = self.listing.matching.order_by().values(name)
        counted = rows.annotate(_count=CountOf("pk", distinct=True))
        pairs = list(
            counted.order_by("-_count", name).values_list(name, "_count")[
                : MAX_VALUES + 1
            ]
        )
        custom = field_named(self.pages.model, name)
        if custom is not None:
            kind = kind_of(custom)
            return [(kind.words(value), count) for value, count in pairs]
        field = formats.field_of(self.pages.model, name)
        names: dict[Any, Any] = dict(field.flatchoices or ())
        if isinstance(field, models.ForeignKey):
            keys = [value for value, _count in pairs if value is not None]
            names = field.related_model._base_manager.in_bulk(keys)
        return [
            (formats.short(str(names.get(value, formats.plain(value)))), count)
            for value, count in pairs
        ]

    def sample(self, form: forms.Form | None) -> list[SampleRow]:
        """Return the first rows in the order of the list."""
        names = self.action.fields(form)
        new = [text for _label, text in self.action.words(form)]
        rows = self.listing.rows().select_related(*self.pages.related_names())
        page = Keyset(rows, self.listing.order, SAMPLE).page("")
        return [
            SampleRow(
                str(row),
                self.pages.url("detail", row),
                [
                    (formats.short(shown(row, name)), text)
                    for name, text in zip(names, new, strict=False)
                ],
            )
            for row in page.objects
        ]


def shown(row: models.Model, name: str) -> Any:
    """Return the stored value as people read it."""
    custom = field_named(type(row), name)
    if custom is not None:
        return kind_of(custom).words(row.custom.get(custom.key))
    display = getattr(row, f"get_{name}_display", None)
    return display() if display else getattr(row, name)
