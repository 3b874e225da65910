"""Lists in the order of a score: every row once, forwards and backwards."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.utils import timezone

from analytics.columns import score_value
from analytics.models import AnalysisKey, Run, RunState, Score
from crm.generic.keyset import LAST, Keyset
from customers.models import Customer

pytestmark = pytest.mark.django_db
VALUES = [5.0, 5.0, 1.5, None, 9.25, 5.0, 0.0, 7.0]
WITHOUT = 5


@pytest.fixture
def rows():
    """Return customers in the list's terms; some values are equal, some missing."""
    run = Run.objects.create(
        key=AnalysisKey.LTV,
        state=RunState.PUBLISHED,
        is_current=True,
        as_of=timezone.now(),
    )
    for number, value in enumerate([*VALUES, *[None] * WITHOUT]):
        customer = Customer.objects.create(name=f"Customer {number}")
        if number < len(VALUES):
            Score.objects.create(run=run, object_id=customer.pk, value=value)
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    return score_value("worth", AnalysisKey.LTV)(Customer.objects.all(), request)


def leaf_through(keyset, token, attribute):
    """Return the rows of all pages from one on."""
    pages = [keyset.page(token)]
    while getattr(pages[-1], attribute):
        pages.append(keyset.page(getattr(pages[-1], attribute)))
    return [[(row.worth, row.pk) for row in page.objects] for page in pages]


@pytest.mark.parametrize("sign", [1, -1])
def test_every_row_comes_once_in_order(rows, sign):
    keyset = Keyset(rows, (("-" if sign < 0 else "") + "worth",), size=3)
    forwards = sum(leaf_through(keyset, "", "next"), [])
    everyone = [(row.worth, row.pk) for row in rows]
    filled = sorted(one for one in everyone if one[0] is not None)[::sign]
    empty = sorted(one[1] for one in everyone if one[0] is None)[::sign]
    assert forwards == filled + [(None, pk) for pk in empty]
    backwards = leaf_through(keyset, LAST, "previous")
    seen = sum(reversed(backwards), [])
    assert set(seen) == set(forwards)
    assert [one for one in seen if seen.count(one) == 1][-6:] == forwards[-6:]


def test_neighbours_follow_the_same_order(rows):
    keyset = Keyset(rows, ("-worth",), size=50)
    listed = keyset.page().objects
    for place, row in enumerate(listed):
        before, after = keyset.neighbours(row)
        assert before == (listed[place - 1] if place else None)
        assert after == (listed[place + 1] if place + 1 < len(listed) else None)


def test_the_order_is_read_from_the_scores_own_index(rows):
    part = Keyset(rows, ("-worth",))
    sql = str(part.filled.order_by("-worth").query)
    assert "SELECT U0" not in sql.split("ORDER BY")[1]
    assert '"analytics_score"."value"' in sql
