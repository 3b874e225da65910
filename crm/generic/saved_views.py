"""Saved views of a list: which one an address means, and who may do what with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import JSONObject
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from crm.access import Scope, Verb, require, scope_of
from crm.audit import record
from crm.exceptions import UserVisibleError
from crm.models import ListLayout, SavedView, Sharing, User
from crm.models.lists import MAX_QUERY
from crm.statements import read_one

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crm.models import Role

ALL = "all"
# What does not belong to a view: a place in the list, and the mark of a view.
NOT_KEPT = ("page", "view")
MAX_VIEWS = 100
# Teams above one another that the compiled query has room for.
DEPTH = 12
KEY = "(the list)"
LAYOUT_FIELDS = ("columns", "widths", "density")
FIELDS = ("pk", "name", "query", "owner_id", "is_pinned", "is_for_role")


@dataclass(frozen=True)
class View:
    """A saved view as a list shows it."""

    pk: int
    name: str
    query: str
    owner_id: int | None
    is_pinned: bool
    is_for_role: bool

    @property
    def url(self) -> str:
        """Return the address that opens it."""
        return f"?view={self.pk}"


def kept_query(user: User, key: str) -> QuerySet:
    """Return the query for the views that a person may open, and the layout."""
    views = SavedView.objects.open_to(user).filter(list_key=key)
    layout = ListLayout.objects.filter(person=user, list_key=key)
    as_views = JSONObject(**{name: F(name) for name in FIELDS})
    as_layout = JSONObject(**{name: F(name) for name in LAYOUT_FIELDS})
    return (
        User.objects.filter(pk=user.pk)
        .annotate(
            kept_views=ArraySubquery(
                views.annotate(as_json=as_views).values("as_json")[:MAX_VIEWS]
            ),
            kept_layout=ArraySubquery(
                layout.annotate(as_json=as_layout).values("as_json")
            ),
        )
        .values("kept_views", "kept_layout")
    )


@cache
def _compiled() -> tuple[str, tuple[Any, ...]]:
    """Compile the query for nobody: every list asks it, and to put it together takes
    ten times as long as to run it. The numbers below 0 are filled in later.
    """
    nobody = User(pk=-1)
    nobody.__dict__["team_path"] = "/".join(str(-2 - place) for place in range(DEPTH))
    return kept_query(nobody, KEY).query.sql_with_params()


class KeptOfList:
    """What one person has kept of one list, in one query: views and layout."""

    def __init__(self, user: User, key: str, address: QueryDict) -> None:
        self.user, self.key, self.address = user, key, address

    @cached_property
    def _row(self) -> dict[str, list[dict[str, Any]]]:
        teams = [int(one) for one in self.user.team_path.split("/") if one]
        if len(teams) > DEPTH:
            return kept_query(self.user, self.key).get()
        sql, params = _compiled()
        known = {-1: self.user.pk, KEY: self.key}
        # Teams that are not there have the number 0, as no row has.
        padded = teams + [0] * (DEPTH - len(teams))
        known |= {-2 - place: team for place, team in enumerate(padded)}
        found = read_one(sql, [known.get(one, one) for one in params])
        names = ("kept_views", "kept_layout")
        return {
            name: [json.loads(one) for one in texts]
            for name, texts in zip(names, found, strict=True)
        }

    @cached_property
    def views(self) -> list[View]:
        """Return the views that the person may open, in order."""
        return [View(**one) for one in self._row["kept_views"]]

    @cached_property
    def layout(self) -> dict[str, Any]:
        """Return columns, widths and density, as far as the person chose any."""
        return next(iter(self._row["kept_layout"]), {})

    @property
    def default(self) -> View | None:
        """Return the view that opens first for one of the person's roles."""
        return next((one for one in self.views if one.is_for_role), None)

    @cached_property
    def is_alone(self) -> bool:
        """Tell whether the address says no more than which view, or nothing."""
        return set(self.address) <= set(NOT_KEPT)

    @cached_property
    def view(self) -> View | None:
        """Return the view that the address means or marks."""
        name = self.address.get("view", "")
        if not name and self.is_alone:
            return self.default
        return next((one for one in self.views if str(one.pk) == name), None)

    @property
    def is_missing(self) -> bool:
        """Tell whether the address names a view that is not there for the reader."""
        name = self.address.get("view", "")
        return bool(name) and name != ALL and self.view is None

    def query(self) -> QueryDict:
        """Return the address with what the view stands for."""
        if self.view is None or not self.is_alone:
            return self.address
        found = QueryDict(self.view.query, mutable=True)
        found["view"] = str(self.view.pk)
        if "page" in self.address:
            found["page"] = self.address["page"]
        return found

    def url(self, query: QueryDict) -> str:
        """Return an address; one that narrows nothing must not open a view instead."""
        if set(query) <= {"view"} and (self.view or self.default):
            query = copied(query)
            query["view"] = ALL
        return f"?{query.urlencode()}"


def copied(query: QueryDict) -> QueryDict:
    """Return an address to be changed; a page has dozens, and Django's copy is deep."""
    found = QueryDict(mutable=True)
    for name, values in query.lists():
        found.setlist(name, list(values))
    return found


def clean_query(text: str) -> str:
    """Return the part of an address that a view keeps."""
    if len(text) > MAX_QUERY:
        raise UserVisibleError(_("This address is too long to be kept as a view."))
    query = QueryDict(
        text.lstrip("?").replace("%00", "").replace("\x00", ""), mutable=True
    )
    for name in NOT_KEPT:
        query.pop(name, None)
    for name in list(query):
        values = [value for value in query.getlist(name) if value]
        query.setlist(name, values) if values else query.pop(name)
    return query.urlencode()


def may_manage(user: User, view: SavedView) -> bool:
    """Tell whether a person may change a view: the owner, and administrators."""
    return view.owner_id == user.pk or may_manage_all(user)


def may_manage_all(user: User) -> bool:
    """Tell whether a person keeps the views of everyone in order."""
    return scope_of(user, Verb.CHANGE, SavedView) == Scope.ALL


@transaction.atomic
def save_view(
    *,
    view: SavedView,
    actor: User,
    roles: Iterable[Role] | None = None,
) -> SavedView:
    """Save a new or changed view; a team's view belongs to its author's team."""
    is_new = view.pk is None
    if is_new:
        require(actor, Verb.ADD, SavedView)
        view.owner = actor
        own = SavedView.objects.filter(owner=actor, list_key=view.list_key)
        if own.count() >= MAX_VIEWS:
            raise UserVisibleError(_("You have 100 views of this list; delete some."))
    if view.sharing == Sharing.TEAM:
        view.team = view.owner.team if view.owner else actor.team
        if view.team is None:
            raise UserVisibleError(_("You belong to no team to share this view with."))
    else:
        view.team = None
    view.save()
    if roles is not None:
        view.default_for.set(roles)
    record(actor, "added" if is_new else "changed", view)
    return view


@transaction.atomic
def delete_view(*, view: SavedView, actor: User) -> None:
    """Delete a view for everyone who sees it."""
    record(actor, "deleted", view)
    view.delete()
