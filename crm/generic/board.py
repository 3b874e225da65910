"""A list laid out by state: what a model declares to have a board.

    board = Board(
        field="state",
        moves=lambda row: ROW_MOVES[RowState(row.state)],
        move=move_row,                       # callable(obj, target, actor, reason)
        order=("-opened_at", "-pk"),
        facts=["owner", MoneyColumn("total")],
    )

The board is the list in another layout (``?layout=board``): the same rights, filters
and search. docs/lists.md tells the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from crm.generic.columns import Column, column_for
from crm.statements import KeptQuery, columns_of, row_of

if TYPE_CHECKING:
    from crm.models import User

CARDS = 25
COUNT_LIMIT = 10_000
RECENT_DAYS = 90
# How a service calls a change of state in the audit log.
MOVE_VERBS = ("state", "moved", "converted")


@dataclass(frozen=True)
class BoardColumn:
    """One state: a choice of the field, or the related row."""

    key: str
    label: str
    target: Any
    is_closed: bool = False
    colour: str = ""
    group: Any = None


def since_last_move(start: str) -> Callable[[type[models.Model]], Any]:
    """Return since when rows are in their state, by the audit log, else by a field.

    One look-up by index for each card, never for the rows that are only counted.
    """

    def expression(model: type[models.Model]) -> Any:
        from crm.models import AuditEntry

        entries = AuditEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(model),
            object_id=OuterRef("pk"),
            verb__in=MOVE_VERBS,
        )
        newest = entries.order_by("-at").values("at")[:1]
        return Coalesce(Subquery(newest), F(start))

    return expression


@dataclass(frozen=True, kw_only=True)
class Board:
    """How the rows of a model lie on a board, and what moves them.

    ``field``         the field with the state: one with choices, or a relation
    ``moves``         ``callable(obj)`` → the states that it may go to
    ``move``          ``callable(obj, target, actor, reason)``: the model's service
    ``order``         the order of the cards; with ``field`` in front it needs an index
    ``facts``         columns on a card under its title: fields and related rows
    ``title``         the field with a card's title, by default the row's own name
    ``amount``, ``currency``  what a column adds up
    ``weight``        attribute of the related row: the expected chance in per cent
    ``closed``        ``callable(target)``: nothing more is to be done there
    ``closed_at``     when a row was closed: such columns show the last 90 days only
    ``asks``          ``callable(target)``: the move needs a reason
    ``elsewhere``     {state: name of the page} where the move takes more than a reason
    ``group``         relation of the related row, of which a board shows one
    ``column_order``  the order of related rows
    ``colour``        ``callable(target)``: the colour of a column's mark
    ``since``         ``callable(model)`` → since when a row is in its state
    ``calm``, ``late``  days until a card turns amber, and red
    ``quick``         fields of the quick form in a column; none: no quick form
    ``adds_in``       ``callable(target)``: a row may begin there
    """

    field: str
    moves: Callable[[Any], Iterable[Any]]
    move: Callable[[Any, Any, User, str], Any]
    order: tuple[str, ...]
    facts: tuple[str | Column, ...] = ()
    title: str = ""
    amount: str = ""
    currency: str = "currency"
    weight: str = ""
    closed: Callable[[Any], bool] = lambda target: False
    closed_at: str = ""
    asks: Callable[[Any], bool] = lambda target: False
    reason_label: Any = _("Reason")
    elsewhere: dict[Any, str] = field(default_factory=dict)
    group: str = ""
    column_order: tuple[str, ...] = ()
    colour: Callable[[Any], str] = lambda target: ""
    since: Callable[[type[models.Model]], Any] = since_last_move("updated_at")
    calm: int = 14
    late: int = 30
    quick: tuple[str, ...] = ()
    adds_in: Callable[[Any], bool] | None = None

    def __post_init__(self) -> None:
        """Refuse facts that cannot be told from the values of a row alone."""
        for one in self.facts:
            key, has_own = (
                (one, False) if isinstance(one, str) else (one.key, one.has_own_value)
            )
            if has_own or "__" in key:
                msg = f"{key!r} cannot stand on a card: it is no field of the row."
                raise ValueError(msg)

    def facts_of(self, model: type[models.Model], user: User) -> list[Column]:
        """Return the columns on a card that the person may see."""
        columns = [
            column_for(model, one) if isinstance(one, str) else one
            for one in self.facts
        ]
        return [column for column in columns if column.visible(user, model)]

    def key_of(self, obj: Any) -> str:
        """Return the key of the column that a row is in."""
        name = obj._meta.get_field(self.field).attname
        return str(getattr(obj, name))

    def paths(self, model: type[models.Model], facts: Iterable[Column]) -> list[str]:
        """Return what of a row is read for a card with these facts."""
        return [
            "pk",
            model._meta.get_field(self.field).attname,
            self.title_of(model),
            *(name.removeprefix("-") for name in self.order),
            *([self.closed_at] if self.closed_at else []),
            *(path for column in facts for path in column.paths),
        ]

    def title_of(self, model: type[models.Model]) -> str:
        """Return the field with a card's title."""
        return self.title or model.text_field

    def can_add_in(self, column: BoardColumn) -> bool:
        """Tell whether the quick form is offered in a column."""
        if not self.quick:
            return False
        if self.adds_in is not None:
            return self.adds_in(column.target)
        return not column.is_closed and column.target not in self.elsewhere

    def columns(self, model: type[models.Model], user: User) -> Columns:
        """Return every column that the person may see; related ones cost a query."""
        found = model._meta.get_field(self.field)
        if found.related_model is None:
            return Columns([self._column(found, one) for one in found.choices])
        rows = self._related_rows(found.related_model, user)
        return Columns(
            [
                BoardColumn(
                    str(row.pk),
                    str(row),
                    row,
                    self.closed(row),
                    self.colour(row),
                    getattr(row, self.group) if self.group else None,
                )
                for row in rows
            ]
        )

    def _related_rows(
        self, model: type[models.Model], user: User
    ) -> list[models.Model]:
        """Return the rows that are columns, in order, each with its group."""
        own = len(columns_of(model))
        found, groups = [], {}
        every = _related(model).rows(user, group=self.group, order=self.column_order)
        for values in every:
            row = row_of(model, values[:own])
            if self.group:
                group = values[own:]
                if group not in groups:
                    groups[group] = row_of(_model_at(model, self.group), group)
                setattr(row, self.group, groups[group])
            found.append(row)
        return found

    def _column(self, found: models.Field, choice: tuple[Any, Any]) -> BoardColumn:
        value, label = choice
        return BoardColumn(
            str(value), str(label), value, self.closed(value), self.colour(value)
        )

    def targets(self, obj: Any, columns: Columns) -> list[BoardColumn]:
        """Return the columns that a row may go to now."""
        allowed = set(self.moves(obj))
        return [column for column in columns.every if column.target in allowed]


@cache
def _related(model: type[models.Model]) -> KeptQuery:
    """Return the query for rows that are columns: every page of a board asks it."""

    def build(user: User, *, group: str, order: tuple[str, ...]) -> models.QuerySet:
        paths = columns_of(model)
        if group:
            paths += columns_of(_model_at(model, group), group)
        return model.objects.visible_to(user).order_by(*order).values_list(*paths)

    return KeptQuery(build, model)


def _model_at(model: type[models.Model], name: str) -> type[models.Model]:
    return model._meta.get_field(name).related_model


class Columns:
    """The columns of a board; of several groups one is shown at a time."""

    def __init__(self, every: list[BoardColumn]) -> None:
        self.every = every

    @cached_property
    def groups(self) -> list[Any]:
        """Return the groups in order, each once."""
        return list(dict.fromkeys(one.group for one in self.every if one.group))

    def by_key(self, key: str) -> BoardColumn | None:
        """Return the column of a key."""
        return next((column for column in self.every if column.key == key), None)

    def chosen_group(self, wanted: str) -> Any:
        """Return the group of a key, or the first one."""
        for group in self.groups:
            if str(group.pk) == wanted:
                return group
        return self.groups[0] if self.groups else None

    def of(self, group: Any) -> list[BoardColumn]:
        """Return the columns of a group; without groups all of them."""
        return [column for column in self.every if column.group == group]
