"""Statements that pages ask again and again: put together and planned once."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from django.db.backends.utils import CursorWrapper
    from django.db.models import Model, QuerySet

    from crm.models import User

# Of each query; some kilobytes each.
MOST_KEPT = 200


def read_one(statement: str, values: Sequence[Any]) -> tuple | None:
    """Return the first row of a statement, or None."""
    return next(iter(read_all(statement, values)), None)


def read_all(statement: str, values: Sequence[Any]) -> list[tuple]:
    """Return the rows of a statement that the server plans once per connection.

    To plan a short statement costs more than to run it. A cursor of Django puts the
    values into the text, so the server meets a new statement each time.
    """
    with _cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


@contextmanager
def _cursor() -> Iterator[CursorWrapper]:
    if connection.queries_logged:
        # Who reads the log wants the values in the text.
        with connection.cursor() as cursor:
            yield cursor
        return
    # As Django's own cursors do: a connection that broke is made anew.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    cursor = ServerBindingCursor(connection.connection)
    with connection.wrap_database_errors, connection.make_cursor(cursor) as wrapped:
        yield wrapped


@cache
def columns_of(model: type[Model], path: str = "") -> tuple[str, ...]:
    """Return what ``values_list`` is asked for to have a whole row, in its order."""
    prefix = f"{path}__" if path else ""
    return tuple(f"{prefix}{one.attname}" for one in model._meta.concrete_fields)


def row_of(model: type[Model], values: Sequence[Any]) -> Model:
    """Return the row that the values of ``columns_of`` make."""
    return model.from_db(connection.alias, columns_of(model), values)


class KeptQuery:
    """A query that Django puts together once for all who reach the same rows.

    ``build``   ``callable(user, *numbers, **shape)`` that returns a ``values_list``,
                or the text of a statement and its values
    ``models``  those whose rows it narrows by ``visible_to(user)``; without any it is
                alike for everybody, and nobody need be named

    Putting a query together costs Django more than the database needs to answer it. The
    text is kept by the shape and by all that ``visible_to`` asks of the reader, so it
    stays right when rights, teams or shares change; the numbers are sent anew each
    time. A query that depends on anything else (the time, a setting) must not be kept.
    """

    def __init__(
        self,
        build: Callable[..., QuerySet | tuple[str, list[Any]]],
        *models: type[Model],
    ) -> None:
        self.build, self.models = build, models
        self.kept: dict[Hashable, Statement] = {}

    def rows(self, user: User | None, *numbers: int, **shape: Hashable) -> list[tuple]:
        """Return the rows for these numbers."""
        statement = self.statement(user, len(numbers), **shape)
        return [] if statement is None else statement.rows(numbers)

    def statement(
        self, user: User | None, count: int, **shape: Hashable
    ) -> Statement | None:
        """Return the statement for ``count`` numbers; None for who may see nothing."""
        from crm.access import reach_of

        reach = tuple(reach_of(user, model) for model in self.models)
        if None in reach:
            return None
        key = (reach, tuple(shape.items()))
        statement = self.kept.get(key)
        if statement is None:
            statement = Statement(self.build(user, *PLACES[:count], **shape), count)
            if len(self.kept) >= MOST_KEPT:
                self.kept.clear()
            self.kept[key] = statement
        return statement


# Numbers that stand for those sent later: no key is below nought, and every column of
# whole numbers holds these, but those for counts, which go into the shape.
PLACES = (-32_001, -32_002, -32_003)
# The same as arrays of one number, as texts: many are sent as one.
ARRAYS = tuple(f"{{{place}}}" for place in PLACES)


def place_of(value: Any) -> int | None:
    """Return which of the numbers a value stands for."""
    for known in (PLACES, ARRAYS):
        if type(value) is not bool and isinstance(value, int | str) and value in known:
            return known.index(value)
    return None


class Statement:
    """The text of a query, with what has to be done to its values on both ways."""

    def __init__(self, rows: QuerySet | tuple[str, Sequence[Any]], count: int) -> None:
        self.converters = []
        if isinstance(rows, tuple):
            self.text, self.values = rows
        else:
            compiler = rows.query.get_compiler(connection=connection)
            self.text, self.values = compiler.as_sql()
            columns = [expression for expression, _sql, _alias in compiler.select]
            found = compiler.get_converters(columns)
            self.converters = [
                (place, convert, expression)
                for place, (all_of, expression) in found.items()
                for convert in all_of
            ]
        # Django gives numbers the type of their column; it is kept.
        self.places = [
            (place, which, type(value))
            for place, value in enumerate(self.values)
            if (which := place_of(value)) is not None
        ]
        if {which for _place, which, _type in self.places} != set(range(count)):
            msg = "The query does not ask for each of its numbers as a value."
            raise ValueError(msg)

    def filled(self, numbers: Sequence[int | str]) -> list[Any]:
        """Return the values with the numbers, or arrays of them, in their places."""
        values = list(self.values)
        for place, which, type_of in self.places:
            values[place] = type_of(numbers[which])
        return values

    def rows(self, numbers: Sequence[int | str]) -> list[tuple]:
        """Send the numbers in their places; return the rows as Python has them."""
        found = read_all(self.text, self.filled(numbers))
        return [self._converted(row) for row in found] if self.converters else found

    def _converted(self, row: tuple) -> tuple:
        values = list(row)
        for place, convert, expression in self.converters:
            values[place] = convert(values[place], expression, connection)
        return tuple(values)
