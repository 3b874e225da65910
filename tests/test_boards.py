"""What every board does, whatever lies on it."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

from crm.formatting import money
from crm.generic.registry import registry
from crm.models import AuditEntry
from crm.testing.access_matrix import page_tests
from crm.testing.query_budget import queries_of
from crm.testing.snapshot import unchanged
from crm.testing.world import PEOPLE, make_world

BOARDS = [pages for pages in registry.pages.values() if pages.board is not None]
JSON = {"Accept": "application/json"}


@pytest.fixture(params=BOARDS, ids=lambda pages: pages.model._meta.label)
def pages(request):
    """Return the pages of each model with a board."""
    return request.param


@pytest.fixture
def case(pages):
    """Return the model's standard tests, which know how its rows are made."""
    return page_tests()[pages.model]()


@pytest.fixture
def cast(db, case):
    """Return the people with the roles that fit the model."""
    return make_world(**case.roles)


def board_url(pages):
    return f"{pages.url('list')}?layout=board"


def cards_of(response):
    return [card.object for lane in response.context["lanes"] for card in lane.cards]


def open_move(pages, user, row):
    """Return a column that the row may be dragged to without a word, or None."""
    board = pages.board
    columns = board.columns(pages.model, user)
    for column in board.targets(row, columns):
        if not board.asks(column.target) and column.target not in board.elsewhere:
            return column
    return None


def test_cards_and_totals_are_those_of_visible_rows(pages, case, cast):
    rows = case.rows(cast)
    board = pages.board
    for name in PEOPLE:
        response = cast.client(name).get(board_url(pages))
        reached = case.reach(cast, name, "view")
        if name == "eve" or reached is None:
            assert response.status_code == (302 if name == "eve" else 403), name
            continue
        assert {row.pk for row in cards_of(response)} == {
            rows[owner].pk for owner in reached
        }
        sums = defaultdict(lambda: defaultdict(Decimal))
        counts = defaultdict(int)
        for owner in reached:
            row = rows[owner]
            row.refresh_from_db()
            counts[board.key_of(row)] += 1
            if board.amount and getattr(row, board.amount):
                code = getattr(row, board.currency)
                sums[board.key_of(row)][code] += getattr(row, board.amount)
        for lane in response.context["lanes"]:
            key = lane.column.key
            assert lane.head.count == counts[key]
            assert lane.head.totals == [
                money(total, code, 0) for code, total in sums[key].items()
            ]


def test_a_board_sends_as_many_queries_for_50_cards_as_for_3(pages, case, cast):
    client, url = cast.client("dev"), board_url(pages)
    measured = {}
    for count in (3, 50):
        for _number in range(count - pages.model._base_manager.count()):
            case.make(cast.ana)
        measured[count] = queries_of(client, url)
    assert len(measured[3]) == len(measured[50]), "\n".join(measured[50])
    name = pages.model._meta.model_name
    case.budget.check(name, "board", measured[50])
    if case.reach(cast, "ana", "view") is not None:
        limited = queries_of(cast.client("ana"), url)
        case.budget.check(name, "board_limited", limited)


def test_show_more_brings_every_card_once(pages, case, cast):
    for _number in range(30):
        case.make(cast.ana)
    client = cast.client("dev")
    lane = max(
        client.get(board_url(pages)).context["lanes"], key=lambda lane: len(lane.cards)
    )
    assert len(lane.cards) == 25
    url = f"{pages.url('list')}{lane.more_url}"
    response = client.get(url, headers={"HX-Request": "true"})
    assert "<html" not in response.text
    following = response.context["lane"]
    assert len(following.cards) == 5
    assert not following.more_url
    keys = {card.object.pk for card in [*lane.cards, *following.cards]}
    assert len(keys) == 30
    assert client.get(url).status_code == 200


def test_a_move_is_for_those_who_may_change_the_row(pages, case, cast):
    for name, owner, client, row in case.cases(cast):
        expected = case.expected(cast, name, owner, "view", "change")
        url = pages.url("move", row)
        assert client.get(url).status_code == expected, (name, owner)
        if expected != 200:
            target = open_move(pages, cast.dev, row)
            data = {pages.board.field: target.key, "from": pages.board.key_of(row)}
            with unchanged(*case.tables, AuditEntry):
                response = client.post(url, data, headers=JSON)
            assert response.status_code == expected, (name, owner)


def prepared(case, cast):
    """Return a row that can be moved, and its pages' first way for it."""
    row = case.make(cast.dev)
    return row, open_move(case.declared, cast.dev, row)


def test_a_move_goes_through_the_service_and_is_noted(pages, case, cast):
    row, target = prepared(case, cast)
    data = {
        pages.board.field: target.key,
        "from": pages.board.key_of(row),
        "back": board_url(pages),
    }
    url = pages.url("move", row)
    answer = cast.client("dev").post(url, data, headers=JSON)
    if answer.status_code == 422:
        # The row lacks what the model's rules ask for; they were asked.
        assert answer.json()["error"]
        return
    assert answer.status_code == 200
    assert answer.json()["column"] == target.key
    assert f'data-card="{row.pk}"' in answer.json()["card"]
    row.refresh_from_db()
    assert pages.board.key_of(row) == target.key
    assert AuditEntry.objects.filter(object_id=row.pk, actor=cast.dev).exists()


def test_of_two_who_drag_the_same_card_the_second_is_told(pages, case, cast):
    row, target = prepared(case, cast)
    client = cast.client("dev")
    url, shown = pages.url("move", row), pages.board.key_of(row)
    data = {pages.board.field: target.key, "from": shown}
    if client.post(url, data, headers=JSON).status_code == 422:
        pages.model._base_manager.filter(pk=row.pk).update(
            **{pages.board.field: target.key}
        )
    second = cast.client("dev")
    with unchanged(*case.tables, AuditEntry):
        answer = second.post(url, data, headers=JSON)
    assert answer.status_code == 409
    assert target.label in answer.json()["error"]
    assert second.post(url, data).status_code == 302


def test_a_move_that_makes_no_sense_is_refused_in_words(pages, case, cast):
    row = case.make(cast.dev)
    client, url = cast.client("dev"), pages.url("move", row)
    here = pages.board.key_of(row)
    for target in ("", "no such", "999999999", "\x00", here):
        with unchanged(*case.tables, AuditEntry):
            answer = client.post(url, {pages.board.field: target}, headers=JSON)
        assert answer.status_code == 422, target
        assert answer.json()["error"], target


def test_quick_add_makes_a_row_in_its_column(pages, case, cast):
    if not pages.board.quick:
        return
    client, url = cast.client("dev"), pages.url("boardadd")
    typed = case.form_data(cast)
    fields = {name: typed[name] for name in pages.board.quick if name in typed}
    lanes = [
        lane for lane in client.get(board_url(pages)).context["lanes"] if lane.add_url
    ]
    assert lanes
    for lane in lanes:
        column = {pages.board.field: lane.column.key}
        assert client.get(url, column).status_code == 200
        with unchanged(*case.tables):
            refused = client.post(url, column, headers={"HX-Request": "true"})
        assert refused.status_code == 422
        known = set(pages.model._base_manager.values_list("pk", flat=True))
        answer = client.post(url, fields | column, headers={"HX-Request": "true"})
        assert answer.headers["HX-Retarget"] == "#list"
        row = pages.model._base_manager.exclude(pk__in=known).get()
        assert pages.board.key_of(row) == lane.column.key
        assert AuditEntry.objects.filter(object_id=row.pk, verb="added").exists()
