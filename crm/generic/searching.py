"""Search inside one list, through the search table.

A text with few matches is answered by their ids; of a frequent one the list is walked
in its own order and each row asked, so that both are quick under any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from crm.statements import read_all

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
FIND = """
    SELECT %s, f.ids, f.number, f.is_all, f.head
    FROM crm_search_find(%s, %s::tsquery, %s, %s::bigint[], %s, %s, %s) f"""
# Rows looked at to count the matches of a frequent text.
MAX_LOOKED_AT = 5_000


@dataclass(frozen=True)
class Ids:
    """The ids of matches as the text of an array, and whether those are all.

    Thousands of them go to the database and back without being read here. They are in
    no order; ``head`` are the first ones, as many as were asked for.
    """

    text: str = "{}"
    count: int = 0
    is_all: bool = True
    head: str = "{}"

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Ids:
        """Make an array of numbers."""
        texts = [str(number) for number in numbers]
        return cls(f"{{{','.join(texts)}}}", len(texts))

    @cached_property
    def numbers(self) -> list[int]:
        """Return the ids one by one; thousands take a while to read."""
        return numbers_in(self.text)

    @cached_property
    def first(self) -> list[int]:
        """Return the first ids in order."""
        return numbers_in(self.head)


def numbers_in(text: str) -> list[int]:
    """Return the numbers of the text of an array."""
    return [int(one) for one in text[1:-1].split(",") if one]


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
    hidden from the ``reader`` find nothing. ``size``: so many of the ids are wanted in
    the order of their places.
    """

    def __init__(
        self,
        model: type,
        text: str,
        owners: list[int] | None = None,
        reader: User | None = None,
        size: int = 0,
    ) -> None:
        self.search = search_of(model)
        self.reader = reader
        if self.search and reader is not None:
            self.search = self.search.for_reader(reader)
        self.owners = owners
        self.size = size
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
        searches = {"pk": self.search}
        asked = {"pk": self._asked(query)}
        for path, other in self.search.related_searches(self.reader).items():
            searches[f"{path}_id"] = other
            text = query.conditions(other, names_only=True)
            asked[f"{path}_id"] = Asked(other.kind, text)
        found = find({path: one for path, one in asked.items() if one.query})
        found = {
            path: checked(searches[path], asked[path].query, ids)
            for path, ids in found.items()
        }
        found = {path: ids for path, ids in found.items() if ids.count}
        condition, all_listed = None, True
        for path, ids in found.items():
            if ids.is_all:
                is_alone = path == "pk" and len(found) == 1
                part = Q((Among if is_alone else AnyOf)(F(path), ids))
            else:
                part = probe(path, searches[path], asked[path].query)
                all_listed = False
            condition = part if condition is None else condition | part
        return condition, all_listed

    def _asked(self, query: Query) -> Asked:
        text = query.conditions(self.search)
        # Of those that are looked at once more any may be left out.
        size = MAX_IDS if self.size and self.search.is_checked else self.size
        return Asked(self.search.kind, text, size, self.owners)

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
        """Return the matches, if ids are all there is."""
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


@dataclass(frozen=True)
class Asked:
    """What is looked for in the entries of one kind.

    ``query``    a tsquery
    ``size``     so many of the matches are wanted in order
    ``owners``   ids of the people whose rows are enough
    ``is_rare``  few rows can have it, such as a whole number
    """

    kind: int
    query: str
    size: int = 0
    owners: list[int] | None = None
    is_rare: bool = False


def find(
    asked: Mapping[str, Asked], most: int = MAX_IDS, *, newest: bool = False
) -> dict[str, Ids]:
    """Return {key: ids} for what is asked, in order the newest or by their places."""
    if not asked:
        return {}
    values: list[Any] = []
    for key, one in asked.items():
        values += [key, one.kind, one.query, most, one.owners, one.size, newest]
        values.append(one.is_rare)
    found = read_all(" UNION ALL ".join([FIND] * len(asked)), values)
    return {
        key: Ids(text or "{}", number, is_all, head or "{}")
        for key, text, number, is_all, head in found
    }


def narrow(rows: QuerySet, text: str, reader: User) -> QuerySet:
    """Keep the rows in which every word of the text is found."""
    return Matches(rows.model, text, reader=reader).narrow(rows)
