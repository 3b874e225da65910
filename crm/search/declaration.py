"""What of a model is searched: ``Pages.search`` or, without one, ``search_fields``."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from crm.access import is_hidden

if TYPE_CHECKING:
    from crm.generic.pages import Pages
    from crm.models import User

# How a column is searched, by words of its name; everything else is text.
BY_NAME = {
    "email": "email",
    "phone": "phone",
    "mobile": "phone",
    "number": "number",
    "sku": "number",
    "code": "number",
    "username": "number",
    "name": "name",
    "company": "name",
}
# The field that holds all custom fields; their texts are searched with the others.
CUSTOM = "custom"
TIMES = ("occurred_at", "placed_at", "opened_at", "created_at", "date_joined")


@dataclass(frozen=True)
class Search:
    """The columns by the way in which they are searched; see docs/search.md.

    ``related`` are paths to rows of other models whose names find this row, too;
    ``facts`` are columns or paths shown beside a hit.
    """

    name: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    email: tuple[str, ...] = ()
    phone: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    recent: str = ""
    title: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    # Filled in by ``search_of``.
    model: type[models.Model] | None = field(default=None, compare=False)
    # Words that the reader may not see stand in the entries: see checking.py.
    is_checked: bool = False
    sees_custom: bool = True

    @property
    def own(self) -> tuple[str, ...]:
        """Return the columns of the row itself."""
        return self.name + self.text + self.email + self.phone + self.number

    @property
    def kind(self) -> int:
        """Return the number that stands for the model in the table."""
        return kind_of(self.model)

    @property
    def code(self) -> str:
        """Return what each token of the model begins with."""
        return f"{self.kind:x}"

    @property
    def place(self) -> str:
        """Return the text column that the model's list is ordered by, or nothing."""
        first = next(iter(self.model._meta.ordering), "")
        found = column(self.model, first)
        is_text = isinstance(found, models.CharField | models.TextField)
        return first if is_text and not found.null else ""

    @property
    def owner(self) -> str:
        """Return the column of the row's owner, if it is on the row itself."""
        path = getattr(self.model, "access_path", "")
        return path if isinstance(column(self.model, path), models.ForeignKey) else ""

    def for_reader(self, user: User) -> Search:
        """Return what is left for a person from whom fields are hidden."""
        lists = ("name", "text", "email", "phone", "number", "related", "facts")
        kept = {
            name: tuple(
                path
                for path in getattr(self, name)
                if not is_hidden(user, self.model, path)
            )
            for name in lists
        }
        sees_custom = not is_hidden(user, self.model, CUSTOM)
        same = {name for name in lists if kept[name] == getattr(self, name)}
        if len(same) == len(lists) and sees_custom:
            return self
        is_checked = not {"name", "text"} <= same or not sees_custom
        return replace(self, **kept, is_checked=is_checked, sees_custom=sees_custom)

    def related_searches(self, user: User | None = None) -> dict[str, Search]:
        """Return {path: what a reader may search there} of the relations."""
        found = {}
        for path in self.related:
            field_ = self.model._meta.get_field(path)
            other = search_of(field_.related_model)
            if other is not None and user is not None:
                other = other.for_reader(user)
            if other is not None and other.name:
                found[path] = other
        return found


def kind_of(model: type[models.Model]) -> int:
    """Return a number that stays the same for a model, in every database.

    ``crm.E002`` refuses two models with one number.
    """
    return zlib.crc32(model._meta.label_lower.encode()) % 32_000


@cache
def search_of(model: type[models.Model]) -> Search | None:
    """Return what is searched of a model; None if nothing is."""
    from crm.generic.registry import registry

    pages = registry.pages_of(model)
    if pages is None or not (pages.search or pages.search_fields):
        return None
    search = pages.search or derived(pages)
    first = search.number[:1] + search.name[:1] + search.text[:1]
    return replace(
        search,
        model=model,
        recent=search.recent or recent_column(model),
        title=search.title or first,
    )


def derived(pages: Pages) -> Search:
    """Sort the search fields by the way in which each is searched."""
    found: dict[str, list[str]] = {}
    for path in pages.search_fields:
        first, _sep, rest = path.partition("__")
        place = "related" if rest else way_of(pages.model, first)
        if first not in found.setdefault(place, []):
            found[place].append(first)
    return Search(**{place: tuple(paths) for place, paths in found.items()})


def way_of(model: type[models.Model], name: str) -> str:
    """Return the way in which a column is searched."""
    for word in reversed(name.split("_")):
        if word in BY_NAME:
            return BY_NAME[word]
    return "email" if isinstance(column(model, name), models.EmailField) else "text"


def recent_column(model: type[models.Model]) -> str:
    """Return the column that says how recent a row is."""
    return next((name for name in TIMES if column(model, name) is not None), "")


def column(model: type[models.Model], name: str) -> Any:
    """Return a field of the model, or None."""
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def all_searches() -> list[Search]:
    """Return what is searched of each model with columns of its own, in order."""
    from crm.generic.registry import registry

    # The framework's own rows are the last that anybody looks for.
    models_ = sorted(registry.pages, key=lambda model: model._meta.app_label == "crm")
    found = [search_of(model) for model in models_]
    return [search for search in found if search is not None and search.own]
