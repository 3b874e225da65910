"""What columns make of rows: cells, and links to rows that the reader may open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models

from crm.access import Scope, Verb, scope_of
from crm.reach import held

if TYPE_CHECKING:
    from crm.generic.pages import Pages
    from crm.models import User


@dataclass(slots=True)
class Cell:
    """What one column shows of one row."""

    text: str = ""
    label: str = ""
    kind: str = "text"
    css: str = ""
    url: str = ""
    colour: str = ""
    template: str = ""
    value: Any = None
    row: Any = None
    # The field that is edited here, if the reader may.
    edit: str = ""


@dataclass(slots=True)
class Links:
    """Which rows of related models the reader may open, asked once per page."""

    user: User
    known: dict[type[models.Model], set | None] = field(default_factory=dict)
    addresses: dict[type[models.Model], Callable] = field(default_factory=dict)

    def collect(self, model: type[models.Model], rows: Iterable[models.Model]) -> None:
        """Find out which of the rows may be opened (None: all of them)."""
        if self._pages(model) is None:
            self.known[model] = set()
            return
        scope = scope_of(self.user, Verb.VIEW, model)
        if scope == Scope.ALL or (scope and getattr(model, "access_shared", False)):
            self.known[model] = None
            return
        seen = self.known.setdefault(model, set())
        if seen is not None:
            seen.update(held(self.user, Verb.VIEW, model, rows))

    def url(self, obj: models.Model | None) -> str:
        """Return the address of a row's page, or nothing if it is hidden."""
        if obj is None:
            return ""
        model = type(obj)
        if model not in self.known:
            self.collect(model, [obj])
        allowed = self.known[model]
        if allowed is not None and obj.pk not in allowed:
            return ""
        if model not in self.addresses:
            self.addresses[model] = self._pages(model).row_urls()
        return self.addresses[model](obj)

    @staticmethod
    def _pages(model: type[models.Model]) -> Pages | None:
        from crm.generic.registry import registry

        return registry.pages_of(model)
