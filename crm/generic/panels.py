"""Parts of a detail page and tiles of the start page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.utils.translation import gettext_lazy as _

from crm.access import Verb, can, is_hidden
from crm.generic.cells import Links
from crm.generic.registry import registry
from crm.generic.tables import Column, column_for
from crm.models import Operation

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest

    from crm.generic.focus import Focus
    from crm.models import User


class Panel:
    """A part of a detail page; the template draws what ``get_context`` returns.

    The template is put inside a card with the title; ``bare`` leaves the card out.
    ``edge_to_edge``  its table reaches from side to side of the card
    ``lazy``     its queries wait until the reader comes to it; its title does not
    ``in_peek``  shown in the quick view, too: for what the row itself holds
    ``reads``    fields that it tells; it is not there where one of them is hidden
    """

    title: Any = ""
    template: str = ""
    order: int = 50
    column: str = "main"
    bare: bool = False
    edge_to_edge: bool = False
    lazy: bool = False
    in_peek: bool = False
    requires: type[Model] | None = None
    reads: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return the panel's name in addresses; a class is declared once per page."""
        return type(self).__name__.removesuffix("Panel").lower()

    def visible(self, user: User, obj: Model) -> bool:
        """Tell whether the person sees the panel on this row's page."""
        if any(is_hidden(user, type(obj), path) for path in self.reads):
            return False
        return self.requires is None or can(user, Verb.VIEW, self.requires)

    def get_context(self, request: HttpRequest, obj: Model) -> dict[str, Any]:
        """Return what the template needs."""
        return {}


class FieldsPanel(Panel):
    """Fields of the row with their labels; declared as an object, not as a class."""

    template = "generic/_fields_panel.html"
    order = 10
    in_peek = True

    def __init__(
        self,
        fields: list[str | Column],
        title: Any = "",
        *,
        order: int = 10,
        column: str = "main",
        hide_empty: bool = False,
    ) -> None:
        self.fields = fields
        self.title = title or _("Details")
        self.order = order
        self.column = column
        self.hide_empty = hide_empty

    def get_context(self, request: HttpRequest, obj: Model) -> dict[str, Any]:
        """Return (label, cell) pairs, without columns that the reader may not see."""
        from crm.generic.inline import editable_columns

        links = Links(request.user)
        model = type(obj)
        pages = registry.pages_of(model)
        may_edit = pages is not None and can(request.user, Verb.CHANGE, obj)
        known = editable_columns(pages, request.user) if may_edit else {}
        pairs = []
        for one in self.fields:
            column = column_for(model, one) if isinstance(one, str) else one
            if not column.visible(request.user, model):
                continue
            cell = column.cell(obj, links)
            cell.edit = column.key if column.key in known else ""
            if cell.text or not self.hide_empty:
                pairs.append((column.heading(model), cell))
        url = pages.url("list") if known else ""
        return {"fields": pairs, "object": obj, "cells_url": url}


class HistoryPanel(Panel):
    """Who changed the row, newest first."""

    title = _("History")
    template = "generic/_history_panel.html"
    column = "side"
    order = 90
    lazy = True
    limit: ClassVar[int] = 8

    def get_context(self, request: HttpRequest, obj: Model) -> dict[str, Any]:
        """Return the newest changes with what they were before."""
        from crm.generic.history import entries_of

        entries = entries_of(obj, request.user, self.limit)
        return {"entries": entries, "may_open": can(request.user, Verb.VIEW, Operation)}


class SharesPanel(Panel):
    """With whom the row is shared, and the way to share it."""

    title = _("Shared with")
    template = "rights/_shares.html"
    column = "side"
    order = 80
    lazy = True

    def get_context(self, request: HttpRequest, obj: Model) -> dict[str, Any]:
        """Return the shares, and where those to whom it belongs add one."""
        from crm.rights.sharing import may_share, shares_of

        pages = registry.pages_of(type(obj))
        url = pages.url("share", obj) if may_share(request.user, obj) else ""
        return {"shares": shares_of(obj), "share_url": url}


class Tile:
    """A part of the start page; ``request.focus`` says what the page is about."""

    title: Any = ""
    template: str = ""
    order: int = 50
    width: str = "third"
    requires: type[Model] | None = None
    # Whether what was chosen for the page applies to the tile.
    follows_period: bool = False
    follows_people: bool = True

    def visible(self, user: User) -> bool:
        """Tell whether the person sees the tile."""
        return self.requires is None or can(user, Verb.VIEW, self.requires)

    def aside(self, focus: Focus) -> Any:
        """Return what the reader should know of a choice that does not apply."""
        if not self.follows_people and focus.chosen is not None:
            return _("As of now, for everybody you may see.")
        return "" if self.follows_period else _("As of now.")

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the template needs."""
        return {}


def made(panel: Panel | type[Panel]) -> Panel:
    """Return the object, whether a class or an object was declared."""
    return panel() if isinstance(panel, type) else panel
