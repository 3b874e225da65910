"""Buttons of a detail page; an action is an object in ``Pages.actions``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.http import urlencode

from crm.access import Verb, can, read_only_fields

if TYPE_CHECKING:
    from django.http import HttpRequest


@dataclass(frozen=True)
class Action:
    """A button that opens a page or posts to it.

    ``applies``  ``callable(user, obj) -> bool``, for example by the state of the row
    ``writes``   fields that pressing it changes: not offered where a rule forbids that
    """

    label: Any
    url_name: str
    verb: str = Verb.CHANGE
    method: str = "get"
    icon: str = ""
    style: str = ""
    applies: Callable[[Any, Any], bool] | None = None
    writes: tuple[str, ...] = ()

    def visible(self, user: Any, obj: Any) -> bool:
        """Tell whether the person may press the button on this row."""
        if not can(user, self.verb, obj):
            return False
        if read_only_fields(user, type(obj)).intersection(self.writes):
            return False
        return self.applies is None or self.applies(user, obj)

    def url(self, request: HttpRequest, obj: Any) -> str:
        """Return the address behind the button."""
        return reverse(self.url_name, args=[obj.pk])


@dataclass(frozen=True)
class AddAction(Action):
    """A button that adds a row about this one; its short form opens in a dialog.

    ``values``  ``callable(obj) -> dict``: what the form begins with
    """

    verb: str = Verb.VIEW
    values: Callable[[Any], dict[str, Any]] | None = None
    is_quick = True

    def url(self, request: HttpRequest, obj: Any) -> str:
        """Return the address of the long form, for where no script runs."""
        return f"{reverse(self.url_name)}?{urlencode(self.values(obj))}"
