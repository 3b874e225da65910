"""Paging by key: every row once, in order, in both directions, whatever is empty."""

import datetime
import random

import pytest
from django.core import signing
from django.core.exceptions import FieldError
from django.db import connection
from django.db.models import F
from django.db.models.functions import Length
from django.test.utils import CaptureQueriesContext

from crm.generic.keyset import LAST, BadTokenError, Keyset
from crm.generic.searching import Among, Ids
from crm.models import Job, Tag
from crm.testing.world import make_person

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ORDERS = [
    ("pk",),
    ("-pk",),
    ("kind",),
    ("-kind", "-pk"),
    ("started_at",),
    ("-started_at",),
    ("owner__first_name",),
    ("-owner__first_name", "started_at"),
    ("kind", "-started_at"),
    ("-kind", "owner", "pk"),
    ("started_at", "-finished_at", "kind"),
    ("length",),
    ("-length", "kind"),
]


@pytest.fixture
def jobs(db):
    """Return rows with many ties and many empty values."""
    rng = random.Random(4)
    people = [make_person(name, None) for name in ("bea", "Zoë", "明")]

    def moment():
        return rng.choice(
            [None, START + datetime.timedelta(microseconds=rng.randrange(9))]
        )

    Job.objects.bulk_create(
        Job(
            kind=rng.choice(["a", "b", "ß", "d'e"]),
            owner=rng.choice([None, *people]),
            started_at=moment(),
            finished_at=moment(),
            message="x" * rng.randrange(3),
        )
        for _number in range(73)
    )
    return Job.objects.annotate(length=Length("message"))


def expected(queryset, order):
    """Return the primary keys by one plain sort, empty values last."""
    clauses = [
        F(name[1:]).desc(nulls_last=True)
        if name.startswith("-")
        else F(name).asc(nulls_last=True)
        for name in order
    ]
    last = F("pk").desc() if order[-1].startswith("-") else F("pk").asc()
    return list(queryset.order_by(*clauses, last).values_list("pk", flat=True))


def walk(keyset, token, direction):
    """Return the primary keys of all pages from one end to the other."""
    pages = []
    while True:
        page = keyset.page(token)
        pages.append([row.pk for row in page.objects])
        token = getattr(page, direction)
        if not token:
            return pages
        assert len(pages) < 100


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 7, 73, 100])
def test_every_row_comes_once_and_in_order(jobs, order, size):
    keyset = Keyset(jobs, order, size)
    forward = [pk for page in walk(keyset, "", "next") for pk in page]
    assert forward == expected(jobs, order)
    backward = [pk for page in walk(keyset, LAST, "previous")[::-1] for pk in page]
    # The first page is always a full one, so it may repeat rows of the second.
    assert list(dict.fromkeys(backward)) == forward


@pytest.mark.parametrize("order", ORDERS)
def test_rows_among_known_ids_are_sorted_not_walked(jobs, order):
    known = [pk for pk in expected(jobs, ("pk",)) if pk % 3]
    some = jobs.filter(Among(F("pk"), Ids.of(known[::-1])))
    keyset = Keyset(some, order, 7)
    forward = [pk for page in walk(keyset, "", "next") for pk in page]
    assert forward == expected(jobs.filter(pk__in=known), order)
    with CaptureQueriesContext(connection) as queries:
        keyset.page()
        Keyset(jobs.exclude(Among(F("pk"), Ids.of(known))), order, 7).page()
    sorts = ["GREATEST(" in query["sql"] for query in queries.captured_queries]
    assert sorts[0]
    assert not sorts[-1]


def test_rows_are_numbered_from_either_end(jobs):
    keyset = Keyset(jobs, ("started_at",), 30)
    first = keyset.page("", 73)
    second = keyset.page(first.next, 73)
    third = keyset.page(second.next, 73)
    assert [(page.start, page.end) for page in (first, second, third)] == [
        (1, 30),
        (31, 60),
        (61, 73),
    ]
    assert keyset.page(LAST, 73).start == 44
    assert keyset.page(third.previous, 73).start == 31
    # Beyond the exact count nobody knows the number.
    assert keyset.page(LAST, None).start is None


def test_a_page_survives_the_deletion_of_the_row_that_names_it(jobs):
    keyset = Keyset(jobs, ("kind", "-started_at"), 10)
    page = keyset.page()
    wanted = [row.pk for row in keyset.page(page.next).objects]
    Job.objects.filter(pk=page.objects[-1].pk).delete()
    assert [row.pk for row in keyset.page(page.next).objects] == wanted


def test_when_all_that_followed_is_gone_the_last_page_is_shown(jobs):
    keyset = Keyset(jobs, ("pk",), 60)
    page = keyset.page()
    Job.objects.filter(pk__gt=page.objects[-1].pk).delete()
    assert [row.pk for row in keyset.page(page.next).objects] == [
        row.pk for row in page.objects
    ]


def test_a_page_of_a_plain_order_is_one_query(jobs, django_assert_num_queries):
    for order in (("pk",), ("kind",), ("-kind", "pk")):
        keyset = Keyset(jobs, order, 10)
        token = keyset.page().next
        with django_assert_num_queries(1):
            keyset.page(token)


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "first",
        "\x00",
        "W10:abc",
        "🙂",
        "a" * 5000,
        signing.Signer().sign_object(["after", "kind,pk", ["a", 1], 1]),
    ],
)
def test_a_foreign_token_is_refused(jobs, token):
    with pytest.raises(BadTokenError):
        Keyset(jobs, ("kind",), 10).page(token)


def test_a_token_serves_only_the_list_and_order_it_was_made_for(jobs):
    token = Keyset(jobs, ("kind",), 10).page().next
    with pytest.raises(BadTokenError):
        Keyset(jobs, ("-kind",), 10).page(token)
    with pytest.raises(BadTokenError):
        Keyset(Tag.objects.annotate(kind=F("name")), ("kind",), 10).page(token)


def test_a_changed_token_is_refused(jobs):
    token = Keyset(jobs, ("kind",), 10).page().next
    changed = ("A" if token[0] != "A" else "B") + token[1:]
    with pytest.raises(BadTokenError):
        Keyset(jobs, ("kind",), 10).page(changed)


def test_an_unknown_order_is_a_programming_error(jobs):
    with pytest.raises(FieldError):
        Keyset(jobs, ("no_such_field",), 10)


@pytest.mark.parametrize("order", ORDERS)
def test_neighbours_are_the_rows_just_before_and_after(jobs, order):
    keyset = Keyset(jobs, order)
    wanted = expected(jobs, order)
    for pk in (wanted[0], *wanted[20:40], wanted[-1]):
        row = keyset.queryset.get(pk=pk)
        place = wanted.index(pk)
        found = [one and one.pk for one in keyset.neighbours(row)]
        before = wanted[place - 1] if place else None
        after = wanted[place + 1] if place + 1 < len(wanted) else None
        assert found == [before, after]


def test_a_row_that_left_the_list_still_has_its_neighbours(
    jobs, django_assert_num_queries
):
    order = ("kind", "-pk")
    row = Keyset(jobs, order).queryset.get(pk=expected(jobs, order)[30])
    others = jobs.exclude(pk=row.pk)
    with django_assert_num_queries(2):
        found = Keyset(others, order).neighbours(row)
    wanted = expected(jobs, order)
    assert [one.pk for one in found] == [wanted[29], wanted[31]]
