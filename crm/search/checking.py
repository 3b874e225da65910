"""Look again at what was found for a reader from whom searched words are hidden.

All words of a row stand in one entry, whatever column they come from. For such a reader
each match is therefore asked once more, by the words of the columns that they see.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Lookup

from crm.search.triggers import Definition

if TYPE_CHECKING:
    from crm.generic.searching import Ids
    from crm.search.declaration import Search

SHOWN = "(SELECT {tokens} @@ %s::tsquery FROM {table} shown WHERE shown.{pk} = {left})"
CHECK = """
    SELECT array_agg(found.id)::text, count(*), (
        SELECT array_agg(first.id ORDER BY first.place)::text
        FROM unnest(%s::bigint[]) WITH ORDINALITY first (id, place)
        WHERE {first}
    )
    FROM unnest(%s::bigint[]) found (id)
    WHERE {shown}
"""


class Shown(Lookup):
    """A row matches by what its reader sees of it; asked row by row."""

    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list]:
        """Make the row's tokens anew, of the columns that are left."""
        left, params = self.process_lhs(compiler, connection)
        search, query = self.rhs
        return shown_sql(search, left), [query, *params]


def shown_sql(search: Search, left: str) -> str:
    """Return the condition that the row of an id matches a query by what is shown."""
    names = Definition(search).names
    # "%" stands in expressions over texts, too.
    tokens = names["tokens"].replace("%", "%%")
    return SHOWN.format(tokens=tokens, table=names["table"], pk=names["pk"], left=left)


def checked(search: Search, query: str, ids: Ids) -> Ids:
    """Return the ids of rows that match by what the reader sees; one query."""
    if not search.is_checked or not ids.count:
        return ids
    with connection.cursor() as cursor:
        sql = CHECK.format(
            shown=shown_sql(search, "found.id"), first=shown_sql(search, "first.id")
        )
        cursor.execute(sql, [ids.head, query, ids.text, query])
        text, count, head = cursor.fetchone()
    return replace(ids, text=text or "{}", count=count, head=head or "{}")
