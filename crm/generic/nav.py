"""A model's place in the menu."""

from dataclasses import dataclass
from typing import Any

from crm.generic.registry import NavLink, NavSection

__all__ = ["Nav", "NavLink", "NavSection"]


@dataclass(frozen=True)
class Nav:
    """The menu entry of a model's list; section is an app label or a registered key."""

    section: str
    label: Any = None
    order: int = 50
    icon: str = ""
