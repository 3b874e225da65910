"""Know which models have pages, and what upper apps added to them.

Everything is registered while the apps start (``crm.apps`` loads each app's ``pages``,
``panels`` and ``tiles``); nothing changes afterwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_script_prefix, reverse
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from crm.access import Verb, can, rights_of

if TYPE_CHECKING:
    import django_filters
    from django.db.models import Model

    from crm.generic.pages import Pages
    from crm.generic.panels import Panel, Tile
    from crm.generic.tables import Column
    from crm.models import User

START_SECTION = "start"
# One for each set of rights and language; few companies have a hundred.
MOST_MENUS = 500


@cache
def _address(name: str, script_prefix: str) -> str:
    return reverse(name)


@dataclass(frozen=True)
class NavLink:
    """A menu entry that is not a model's list."""

    section: str
    label: Any
    url_name: str
    order: int = 50
    icon: str = ""
    requires: type[Model] | None = None
    verb: str = Verb.VIEW


@dataclass(frozen=True)
class NavSection:
    """A heading of the menu; an app's name serves where none is registered."""

    key: str
    label: Any
    order: int
    icon: str = ""


@dataclass(frozen=True)
class Related:
    """Rows of another model that belong to a row, found by a filter of their list.

    ``path`` is both the lookup from the other model and the name of that filter.
    """

    model: type[Model]
    path: str
    label: Any = None


class Registry:
    """Hold what the apps declared."""

    def __init__(self) -> None:
        self.pages: dict[type[Model], Pages] = {}
        self.columns: dict[type[Model], list[Column]] = defaultdict(list)
        self.filters: dict[type[Model], dict[str, RegisteredFilter]] = defaultdict(dict)
        self.panels: dict[type[Model], list[type[Panel]]] = defaultdict(list)
        self.related: dict[type[Model], list[Related]] = defaultdict(list)
        self.tiles: list[type[Tile]] = []
        self.links: list[NavLink] = []
        self.sections: dict[str, NavSection] = {}
        # Menus by what they depend on: people of the same rights have the same one.
        self._menus: dict[Hashable, list[dict[str, Any]]] = {}

    def pages_of(self, model: type[Model]) -> Pages | None:
        """Return the pages of a model, or None if it has none."""
        return self.pages.get(model._meta.concrete_model)

    def navigation(self, user: User) -> list[dict[str, Any]]:
        """Return the menu of one person, without what they may not see."""
        return self._kept("menu", user, self._navigation)

    def quick_adds(self, user: User) -> list[dict[str, str]]:
        """Return what one person may add from anywhere, in the order of the menu."""
        return self._kept("adds", user, self._quick_adds)

    def _kept(
        self, what: str, user: User, make: Callable[[User], list[dict[str, Any]]]
    ) -> list[dict[str, Any]]:
        """Return a part of the frame, made now or for somebody of the same rights."""
        known = (tuple(self.pages), len(self.links), tuple(self.sections))
        key = (what, rights_of(user), get_language(), get_script_prefix(), known)
        if key not in self._menus:
            if len(self._menus) >= MOST_MENUS:
                self._menus.clear()
            self._menus[key] = make(user)
        return self._menus[key]

    def _navigation(self, user: User) -> list[dict[str, Any]]:
        entries: dict[str, list[tuple[int, str, dict]]] = defaultdict(list)
        for pages in self.pages.values():
            if pages.nav and can(user, Verb.VIEW, pages.model):
                label = pages.nav.label or pages.model._meta.verbose_name_plural
                item = {
                    "label": capfirst(str(label)),
                    "url": pages.url("list"),
                    "icon": pages.nav.icon,
                }
                entries[pages.nav.section].append((pages.nav.order, item["url"], item))
        for link in self.links:
            if link.requires is None or can(user, link.verb, link.requires):
                url = _address(link.url_name, get_script_prefix())
                item = {"label": str(link.label), "url": url, "icon": link.icon}
                entries[link.section].append((link.order, url, item))
        sections = sorted(map(self._section, entries), key=lambda one: one.order)
        return [
            {
                "key": section.key,
                "label": str(section.label),
                "icon": section.icon,
                "items": [
                    item
                    for *_, item in sorted(entries[section.key], key=lambda e: e[:2])
                ],
            }
            for section in sections
        ]

    def _quick_adds(self, user: User) -> list[dict[str, str]]:
        return [
            {
                "label": capfirst(str(pages.model._meta.verbose_name)),
                "url": url,
                "icon": pages.nav.icon if pages.nav else "plus",
            }
            for pages in self.pages.values()
            if pages.quick_fields and (url := pages.allowed_url(user, "add"))
        ]

    def _section(self, key: str) -> NavSection:
        """Return a registered section, or one made from the app of that label."""
        if key in self.sections:
            return self.sections[key]
        for place, config in enumerate(apps.get_app_configs(), start=1):
            if config.label == key:
                order = 900 if key == "crm" else place * 10
                return NavSection(key, config.verbose_name, order)
        return NavSection(key, key, 800)


@dataclass(frozen=True)
class RegisteredFilter:
    """A filter that an upper app put on a lower app's list."""

    filter: django_filters.Filter
    requires: type[Model] | None = None

    def visible(self, user: User) -> bool:
        """Tell whether the person may see what the filter asks about."""
        return self.requires is None or can(user, Verb.VIEW, self.requires)


registry = Registry()
registry.links.append(
    NavLink(START_SECTION, _("Start page"), "start", order=0, icon="home")
)
registry.sections[START_SECTION] = NavSection(START_SECTION, "", 0)


def register(pages_class: type[Pages]) -> type[Pages]:
    """Give a model its pages (class decorator)."""
    model = pages_class.model
    if model in registry.pages:
        msg = f"{model._meta.label} has pages already."
        raise ImproperlyConfigured(msg)
    registry.pages[model] = pages = pages_class()
    if not hasattr(model, "get_absolute_url"):
        # A row's address is its page, unless the model says otherwise.
        model.get_absolute_url = lambda row: pages.url("detail", row)
    return pages_class


def register_column(model: type[Model], column: Column) -> None:
    """Add a column to a model's list; it brings its own annotation."""
    registry.columns[model].append(column)


def register_filter(
    model: type[Model],
    name: str,
    new_filter: django_filters.Filter,
    *,
    requires: type[Model] | None = None,
) -> None:
    """Add a filter to a model's list, for those who may see what it asks about."""
    registry.filters[model][name] = RegisteredFilter(new_filter, requires)


def register_panel(model: type[Model], panel: type[Panel]) -> None:
    """Add a panel to the detail page of a model."""
    registry.panels[model].append(panel)


def register_related(
    model: type[Model], other: type[Model], path: str, label: Any = None
) -> None:
    """Count the other model's rows on a row's page, with a link to their list."""
    registry.related[model].append(Related(other, path, label))


def register_tile(tile: type[Tile]) -> type[Tile]:
    """Add a tile to the start page; also a class decorator."""
    registry.tiles.append(tile)
    return tile


def register_link(link: NavLink) -> None:
    """Add a menu entry that is not a model's list."""
    registry.links.append(link)


def register_section(section: NavSection) -> None:
    """Name a heading of the menu and give it a place."""
    registry.sections[section.key] = section


def navigation(user: User) -> list[dict[str, Any]]:
    """Return the menu of one person."""
    return registry.navigation(user)
