"""One search over every model: what fits best, by type, rights respected.

Five queries whatever is found: read the text, find ids, read the visible rows of all
types at once; and two more where so little was found that typing errors are allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import (
    BigIntegerField,
    Case,
    DateTimeField,
    F,
    IntegerField,
    Model,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce
from django.utils.text import capfirst

from crm.access import Verb, can, has_shared, owners_in_reach
from crm.generic.registry import registry
from crm.generic.searching import (
    MAX_IDS,
    Among,
    AnyOf,
    Asked,
    Ids,
    find,
    probe,
)
from crm.search.checking import checked
from crm.search.declaration import Search, all_searches
from crm.search.query import Query, is_chinese, read
from crm.statements import KeptQuery, read_all

if TYPE_CHECKING:
    from crm.generic.pages import Pages
    from crm.models import User

MAX_FOUND = 1_000
# Below that many hits words with a typing error count, too.
LITTLE = 3
# So many matches are held against the reader's rights first.
FIRST_LOOK = 400
WIDTH = 3
EXACT, USUAL, ALIKE = 0, 1, 2


@dataclass(frozen=True)
class Hit:
    """One row that was found, ready to be shown."""

    pk: int
    title: str
    facts: list[str]
    recent: datetime | None
    url: str
    rank: int = USUAL


@dataclass
class Group:
    """The hits of one type."""

    search: Search
    pages: Pages
    hits: list[Hit] = field(default_factory=list)
    url: str = ""
    more: bool = False

    @property
    def label(self) -> str:
        """Return the type's name, for many."""
        return capfirst(str(self.search.model._meta.verbose_name_plural))

    @property
    def type(self) -> str:
        """Return the type's name for programs."""
        return self.search.model._meta.label_lower

    @property
    def icon(self) -> str:
        """Return the type's symbol."""
        return self.pages.nav.icon if self.pages.nav else "list"

    @property
    def rank(self) -> int:
        """Return the best rank of the hits."""
        return min((hit.rank for hit in self.hits), default=ALIKE)


@dataclass
class Found:
    """The groups, and whether the text was too short to be searched."""

    query: Query
    groups: list[Group] = field(default_factory=list)
    is_too_short: bool = False


def find_all(user: User, text: str, limit: int = 5) -> Found:
    """Search every type that the person may see."""
    query = read(text)
    searches = [
        one.for_reader(user)
        for one in all_searches()
        if can(user, Verb.VIEW, one.model)
    ]
    if not query or not searches:
        return Found(query)
    if is_too_short(query):
        return Found(query, is_too_short=True)
    hits = hits_of(user, query, searches, limit)
    if sum(map(len, hits)) < LITTLE:
        mistaken = query.with_mistakes()
        if mistaken != query:
            alike = hits_of(user, mistaken, searches, limit, usual=ALIKE)
            for some, more in zip(hits, alike, strict=True):
                known = {hit.pk for hit in some}
                some += [hit for hit in more if hit.pk not in known]
                del some[limit + 1 :]
    groups = groups_of(searches, hits, query, limit)
    return Found(query, sorted(groups, key=lambda one: one.rank))


def is_too_short(query: Query) -> bool:
    """Tell whether the text is one letter, which everything has."""
    parts = [part for word in query.words for part, _alike in word.parts]
    return len(parts) == 1 and len(parts[0]) == 1 and not is_chinese(parts[0])


def groups_of(
    searches: list[Search], hits: list[list[Hit]], query: Query, limit: int
) -> list[Group]:
    """Make a group of each type that has hits, in the order of the menu."""
    found = []
    for search, some in zip(searches, hits, strict=True):
        if some:
            pages = registry.pages_of(search.model)
            url = f"{pages.url('list')}?{urlencode({'q': query.text})}"
            found.append(Group(search, pages, some[:limit], url, len(some) > limit))
    return found


def ids_of(
    user: User,
    query: Query,
    searches: list[Search],
    limit: int,
) -> dict[str, list[int]]:
    """Return {"place all" and "place exact": ids}, the latest first."""
    # The visible rows of the types of which some, or some words, are hidden.
    narrow = {
        place: all_rows(search).visible_to(user)
        for place, search in enumerate(searches)
        if search.is_checked or not sees_all(user, search)
    }
    most = MAX_IDS if narrow else MAX_FOUND
    asked, picks = conditions_of(query, searches), set(narrow)
    for place, search in enumerate(searches):
        key = f"{place} all"
        if key not in asked:
            continue
        owners = None
        if place in narrow and knows_owner(user, search):
            owners = owners_in_reach(user, search.model)
            picks.discard(place)
        # Of rows that are looked at once more any may be left out.
        is_cut = place in picks or search.is_checked or all_rows(search).query.where
        size = most if is_cut else limit + 1
        asked[key] = replace(asked[key], size=size, owners=owners)
    found = find(asked, most, newest=True)
    for key, one in found.items():
        found[key] = checked(searches[int(key.split()[0])], asked[key].query, one)
    ids = {key: one.first or one.numbers for key, one in found.items()}
    hidden = {}
    for place in narrow:
        key = f"{place} all"
        if place not in picks and key in found and found[key].is_all:
            ids[key] = ids[key][: limit + 1]
        elif ids.get(key):
            hidden[place] = found[key]
    probes = {
        place: probe("pk", searches[place], asked[f"{place} all"].query)
        for place in hidden
    }
    for place, pks in pick_visible(hidden, narrow, probes, limit).items():
        key = f"{place} all"
        if found[key].is_all:
            ids[key] = list(filter(pks.__contains__, ids[key]))[: limit + 1]
        else:
            ids[key] = found[key].numbers[:MAX_FOUND] + list(pks)
    return ids


def conditions_of(query: Query, searches: list[Search]) -> dict[str, Asked]:
    """Return {"place all" and "place exact": what is asked} of what can match."""
    asked = {}
    for place, search in enumerate(searches):
        for key, text in (
            (f"{place} all", query.conditions(search)),
            (f"{place} exact", query.exact(search)),
        ):
            if text:
                is_rare = key.endswith("exact")
                asked[key] = Asked(search.kind, text, is_rare=is_rare)
    return asked


def knows_owner(user: User, search: Search) -> bool:
    """Tell whether an entry's owner says if its row is visible."""
    return bool(
        search.owner
        and not all_rows(search).query.where
        and not has_shared(user, Verb.VIEW, search.model)
    )


def pick_visible(
    hidden: dict[int, Ids],
    narrow: dict[int, QuerySet],
    probes: dict[int, Q],
    limit: int,
) -> dict[int, set[int]]:
    """Return {place: matches that are visible}, enough to show the latest of them.

    The latest matches come first; the others are looked at only where among those too
    few are visible. Of a frequent text some are looked for among all that is visible.
    """
    picked: dict[int, set[int]] = {place: set() for place in hidden}
    for start, end in ((0, FIRST_LOOK), (FIRST_LOOK, None)):
        parts = []
        for place, found in hidden.items():
            some = found.first[start:end]
            if len(picked[place]) > limit or not (some or start == 0):
                continue
            pk, rows = F("pk"), narrow[place].order_by()
            if found.is_all:
                rows = rows.filter(Among(pk, Ids.of(some)))
            elif start == 0:
                rows = rows.filter(probes[place])[: 2 * limit]
            else:
                continue
            parts.append(rows.values_list(Value(place), Cast(pk, BigIntegerField())))
        for place, pk in together(parts):
            picked[place].add(pk)
    return picked


def all_rows(search: Search) -> QuerySet:
    """Return the rows of a type before rights are asked."""
    return registry.pages_of(search.model).queryset()


def hits_of(
    user: User, query: Query, searches: list[Search], limit: int, usual: int = USUAL
) -> list[list[Hit]]:
    """Return the best hits of each type, one more than wanted where there are more."""
    found = ids_of(user, query, searches, limit)
    texts, values = [], []
    for place, search in enumerate(searches):
        exact, ids = (found.get(f"{place} {key}", []) for key in ("exact", "all"))
        if exact or ids:
            arrays = [Ids.of(exact).text, Ids.of([*exact, *ids]).text]
            shape = {"search": search, "place": place, "usual": usual, "limit": limit}
            statement = shown_of(search.model).statement(user, len(arrays), **shape)
            if statement is not None:
                texts.append(f"({statement.text})")
                values += statement.filled(arrays)
    hits: list[list[Hit]] = [[] for _ in searches]
    if texts:
        for place, *row in read_all(" UNION ALL ".join(texts), values):
            hits[place].append(hit_of(searches[place], row))
    for some in hits:
        some.sort(
            key=lambda hit: (hit.rank, -hit.recent.timestamp() if hit.recent else 0)
        )
    return hits


@cache
def shown_of(model: type[Model]) -> KeptQuery:
    """Return the query for the rows of a type that are shown."""
    return KeptQuery(shown, model)


def together(parts: list[QuerySet]) -> Iterable[Any]:
    """Read the rows of several models by one query."""
    if len(parts) < 2:
        return parts[0] if parts else ()
    return parts[0].union(*parts[1:], all=True)


def sees_all(user: User, search: Search) -> bool:
    """Tell whether the person sees every row of the type."""
    from crm.access import Scope, scope_of

    scope = scope_of(user, Verb.VIEW, search.model)
    return scope == Scope.ALL or getattr(search.model, "access_shared", False)


def shown(
    user: User,
    exact: int,
    ids: int,
    *,
    search: Search,
    place: int,
    usual: int,
    limit: int,
) -> QuerySet:
    """Return the rows as values of the same shape for every type, best first."""
    empty = Value("", output_field=TextField())
    is_exact = When(AnyOf(F("pk"), Ids.of([exact])), then=EXACT)
    columns: dict[str, Any] = {
        "_place": Value(place, output_field=IntegerField()),
        "_pk": Cast(F("pk"), BigIntegerField()),
        "_rank": Case(is_exact, default=usual, output_field=IntegerField()),
        "_recent": Value(None, output_field=DateTimeField()),
    }
    if search.recent:
        columns["_recent"] = Cast(F(search.recent), DateTimeField())
    for kind, paths in (("title", search.title), ("fact", search.facts)):
        for number in range(WIDTH):
            value = empty
            if number < len(paths):
                value = Coalesce(Cast(F(paths[number]), TextField()), empty)
            columns[f"_{kind}{number}"] = value
    rows = all_rows(search).visible_to(user).filter(Among(F("pk"), Ids.of([ids])))
    return (
        rows.annotate(**columns)
        .order_by("_rank", F("_recent").desc(nulls_last=True), "-_pk")
        .values_list(*columns)[: limit + 1]
    )


def hit_of(search: Search, values: list[Any]) -> Hit:
    """Make a hit of one row of values."""
    pk, rank, recent, *texts = values
    title = dict(zip(search.title, texts[:WIDTH], strict=False))
    # The row's own words for itself need no more than these columns.
    row = search.model(pk=pk, **title)
    facts = [
        in_words(search, path, text)
        for path, text in zip(search.facts, texts[WIDTH:], strict=False)
        if text
    ]
    url = registry.pages_of(search.model).url("detail", row)
    return Hit(pk, str(row), facts, recent, url, rank)


def in_words(search: Search, path: str, text: str) -> str:
    """Return the label of a choice, or the text itself."""
    if "__" in path:
        return text
    choices = dict(search.model._meta.get_field(path).flatchoices)
    return str(choices.get(text, text))
