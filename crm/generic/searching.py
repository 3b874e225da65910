"""Search inside one list, through the search table.

A text with few matches is answered by their ids; of a frequent one the list is walked
in its own order and each row asked, so that both are quick under any order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import (
    Case,
    Count,
    F,
    IntegerField,
    Lookup,
    Q,
    QuerySet,
    Sum,
    When,
)
from django.db.models.sql.where import AND

from crm.search.checking import Shown, checked
from crm.search.declaration import search_of
from crm.search.query import Query, clean_text, read

if TYPE_CHECKING:
    from crm.models import User
    from crm.search.declaration import Search

__all__ = [
    "Among",
    "AnyOf",
    "Ids",
    "Matches",
    "Probe",
    "clean_text",
    "is_few",
    "narrow",
    "probe",
]

MAX_IDS = 10_000
PROBE = """(
    SELECT probed.tokens @@ %s::tsquery FROM crm_searchentry probed
    WHERE probed.kind = %s AND probed.object_id = {}
)"""
LATEST_FIRST = " ORDER BY f.recent DESC, f.object_id DESC"
IN_PLACE = " ORDER BY f.place, f.object_id"
# Rows looked at to count the matches of a frequent text.
MAX_LOOKED_AT = 5_000


@dataclass(frozen=True)
class Ids:
    """The ids of matches as the text of an array, and whether those are all.

    Thousands of them go to the database and back without being read here.
    """

    text: str = "{}"
    count: int = 0
    is_all: bool = True

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Ids:
        """Make an array of numbers."""
        texts = [str(number) for number in numbers]
        return cls(f"{{{','.join(texts)}}}", len(texts))

    @cached_property
    def numbers(self) -> list[int]:
        """Return the ids one by one; thousands take a while to read."""
        return [int(text) for text in self.text[1:-1].split(",") if text]


class AnyOf(Lookup):
    """A number is one of ``Ids``, sent as one array: thousands cost no parsing."""

    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list]:
        """Compare with the array."""
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s::bigint[])", [*params, self.rhs.text]


class Among(AnyOf):
    """The same for rows that have to be looked up first and sorted then.

    Left alone the database walks the order of the list and may find the matches at its
    far end; ``Keyset`` sorts rows with this condition instead (``is_few``).
    """


def is_few(rows: QuerySet) -> bool:
    """Tell whether the rows are among ids that are known."""
    nodes = [rows.query.where]
    while nodes:
        node = nodes.pop()
        if isinstance(node, Among):
            return True
        if getattr(node, "connector", "") == AND and not node.negated:
            nodes += node.children
    return False


class Probe(Lookup):
    """The entry of a row matches; asked row by row, never turned into a join."""

    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list]:
        """Look the entry up by the row's id."""
        left, params = self.process_lhs(compiler, connection)
        kind, query = self.rhs
        return PROBE.format(left), [query, kind, *params]


def probe(path: str, search: Search, text: str) -> Q:
    """Return the condition that the row of an id matches, by what its reader sees."""
    found = Q(Probe(F(path), (search.kind, text)))
    return found & Q(Shown(F(path), (search, text))) if search.is_checked else found


class Matches:
    """What one text matches among the rows of one model.

    With ``owners``, ids of people, matches of others may be left out. Fields that are
    hidden from the ``reader`` find nothing.
    """

    def __init__(
        self,
        model: type,
        text: str,
        owners: list[int] | None = None,
        reader: User | None = None,
    ) -> None:
        self.search = search_of(model)
        self.reader = reader
        if self.search and reader is not None:
            self.search = self.search.for_reader(reader)
        self.owners = owners
        self.query = read(text) if self.search else Query(text)

    @cached_property
    def _found(self) -> tuple[Q | None, bool]:
        """Return the condition (None: nothing matches), and whether it lists ids."""
        condition, is_listed = self._condition(self.query)
        if condition is None:
            condition, is_listed = self._word_by_word()
        if condition is None:
            mistaken = self.query.with_mistakes()
            if mistaken != self.query:
                condition, is_listed = self._condition(mistaken)
        return condition, is_listed

    def _word_by_word(self) -> tuple[Q | None, bool]:
        """Let one word be found in the row and another in what it refers to."""
        words = self.query.words
        if len(words) < 2 or not self.search.related:
            return None, True
        whole, all_listed = Q(), True
        for word in words:
            condition, is_listed = self._condition(Query(word.typed, (word,)))
            if condition is None:
                return None, True
            whole, all_listed = whole & condition, all_listed and is_listed
        return whole, all_listed

    def _condition(self, query: Query) -> tuple[Q | None, bool]:
        asked = {"pk": (self.search, query.conditions(self.search))}
        for path, other in self.search.related_searches(self.reader).items():
            asked[f"{path}_id"] = (other, query.conditions(other, names_only=True))
        asked = {path: one for path, one in asked.items() if one[1]}
        found = find(
            {path: (one.kind, text) for path, (one, text) in asked.items()},
            order=IN_PLACE,
            owners={"pk": self.owners},
        )
        found = {path: checked(*asked[path], ids) for path, ids in found.items()}
        found = {path: ids for path, ids in found.items() if ids.count}
        condition, all_listed = None, True
        for path, ids in found.items():
            search, text = asked[path]
            if ids.is_all:
                is_alone = path == "pk" and len(found) == 1
                part = Q((Among if is_alone else AnyOf)(F(path), ids))
            else:
                part, all_listed = probe(path, search, text), False
            condition = part if condition is None else condition | part
        return condition, all_listed

    @property
    def is_listed(self) -> bool:
        """Tell whether the matches are few, so that anything over them is quick."""
        return self._found[1]

    def narrow(self, rows: QuerySet) -> QuerySet:
        """Keep the rows that match."""
        if self.search is None:
            return rows
        condition = self._found[0] if self.query else None
        return rows.none() if condition is None else rows.filter(condition)

    @property
    def ids(self) -> Ids | None:
        """Return the matches in the order of their places, if ids are all there is."""
        condition = self._found[0] if self.query else None
        if condition is None or len(condition.children) != 1:
            return None
        (only,) = condition.children
        return only.rhs if isinstance(only, Among) and only.lhs == F("pk") else None

    def count_some(self, rows: QuerySet) -> tuple[int, bool]:
        """Count the matches among the first of the rows; tell whether that is all."""
        looked_at = (
            rows.order_by()
            .annotate(
                _hit=Case(
                    When(self._found[0], then=1),
                    default=0,
                    output_field=IntegerField(),
                )
            )
            .values("pk", "_hit")[: MAX_LOOKED_AT + 1]
            .aggregate(rows=Count("pk"), hits=Sum("_hit"))
        )
        return looked_at["hits"] or 0, looked_at["rows"] <= MAX_LOOKED_AT

    def count_all(self, limit: int) -> int:
        """Count the entries that match a frequent text, up to a limit.

        For readers who may see all of them: nothing is checked.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT crm_search_count(%s::tsquery, %s)",
                [self.query.conditions(self.search), limit],
            )
            return cursor.fetchone()[0]


def find(
    asked: dict[str, tuple[int, str]],
    most: int = MAX_IDS,
    order: str = "",
    owners: dict[str, list[int] | None] | None = None,
) -> dict[str, Ids]:
    """Return {key: ids} for {key: (kind, tsquery)}.

    ``owners`` are {key: ids of the people whose rows are enough}.
    """
    if not asked:
        return {}
    one = (
        "(SELECT %s, array_agg(f.object_id{})::text, count(*), bool_and(f.is_all)"
        " FROM crm_search_find(%s, %s, %s, %s) f)"
    )
    params = [
        value
        for key, (kind, text) in asked.items()
        for value in (key, kind, text, most, (owners or {}).get(key))
    ]
    with connection.cursor() as cursor:
        parts = [one.format(order)] * len(asked)
        cursor.execute(" UNION ALL ".join(parts), params)
        return {
            key: Ids(text or "{}", count, is_all is not False and count <= most)
            for key, text, count, is_all in cursor.fetchall()
        }


def narrow(rows: QuerySet, text: str, reader: User) -> QuerySet:
    """Keep the rows in which every word of the text is found."""
    return Matches(rows.model, text, reader=reader).narrow(rows)
