"""Lists: what is shown, found, sorted, filtered, paged and taken away."""

import csv
import html
import io
import re
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crm.generic import listing
from crm.models import Grant, Tag
from customers.models import Contact, Customer
from sales.models import Order

LIST = "/customers/"


def add(owner, *names, **values):
    """Add customers by name."""
    return [Customer.objects.create(name=name, owner=owner, **values) for name in names]


def shown(response):
    """Return the names on a page of the list, in order."""
    return [row.object.name for row in response.context["rows"]]


def test_an_empty_list_offers_the_first_step(world, dev):
    text = dev.get(LIST).text
    assert "nothing here yet" in text
    assert "/customers/new/" in text


def test_an_empty_list_offers_nothing_that_one_may_not_do(world):
    Grant.objects.filter(
        model="customers.customer", verb__in=["add", "import"]
    ).delete()
    text = world.client("ana").get(LIST).text
    assert "nothing here yet" in text
    assert "/customers/new/" not in text


def test_a_list_that_is_filtered_empty_says_so(world, dev):
    add(world.ana, "Alpha")
    response = dev.get(LIST, {"q": "no such name"})
    assert "No row fits" in response.text
    assert "nothing here yet" not in response.text


def test_a_list_that_is_filtered_empty_offers_to_clear_all(world, dev):
    add(world.ana, "Alpha", city="Bonn")
    response = dev.get(LIST, {"q": "no such", "city": "Bonn", "columns": "name"})
    assert shown(response) == []
    (_before, empty) = response.text.split('class="empty-state"')
    (address,) = re.findall(r'href="([^"]+)"[^>]*><span>Clear all', empty)
    cleared = dev.get(LIST + html.unescape(address).removeprefix(LIST))
    assert shown(cleared) == ["Alpha"]
    assert not cleared.context["chips"]


def test_search_takes_every_word_in_any_field(world, dev):
    add(world.ana, "Berta Oak", email="berta@mail.example")
    add(world.ana, "Carl Oak", email="carl@mail.example")
    assert shown(dev.get(LIST, {"q": "oak carl"})) == ["Carl Oak"]
    assert shown(dev.get(LIST, {"q": "BERTA@"})) == ["Berta Oak"]
    assert shown(dev.get(LIST, {"q": "%"})) == []


def test_search_finds_chinese_names(world, dev):
    add(world.ana, "王小明", "李雷")
    assert shown(dev.get(LIST, {"q": "小明"})) == ["王小明"]


def test_a_filter_narrows_and_its_chip_leads_back(world, dev):
    add(world.ana, "Here", city="Bonn")
    add(world.ana, "There", city="Ulm")
    response = dev.get(LIST, {"city": "Bonn", "sort": "-name"})
    assert shown(response) == ["Here"]
    (chip,) = response.context["chips"]
    assert "Bonn" in chip.text
    assert shown(dev.get(LIST + chip.url)) == ["There", "Here"]


def test_the_chip_of_a_range_takes_both_ends_away(world, dev):
    add(world.ana, "One")
    data = {"created_at_after": "2030-01-01", "created_at_before": "2030-02-01"}
    response = dev.get(LIST, data)
    assert shown(response) == []
    (chip,) = response.context["chips"]
    assert shown(dev.get(LIST + chip.url)) == ["One"]


def test_a_wrong_filter_value_is_said_beside_its_field(world, dev):
    add(world.ana, "One", city="Bonn")
    add(world.ana, "Two", city="Ulm")
    response = dev.get(LIST, {"created_at_after": "not a day", "city": "Bonn"})
    assert response.context["filterset"].form["created_at"].errors
    # The others still count.
    assert shown(response) == ["One"]


def test_a_filter_offers_and_takes_only_visible_rows(world):
    (hidden,) = add(world.cleo, "Hidden")
    (own,) = add(world.ana, "Own")
    Contact.objects.create(customer=own, name="x")
    response = world.client("ana").get("/contacts/", {"customer": hidden.pk})
    assert response.context["filterset"].form["customer"].errors
    assert "Hidden" not in response.text


def test_sorting_by_a_heading_and_back(world, dev):
    add(world.ana, "B", city="1")
    add(world.ana, "A", city="2")
    page = dev.get(LIST, {"sort": "city"})
    assert shown(page) == ["B", "A"]
    (heading,) = [one for one in page.context["headings"] if one.direction]
    assert heading.direction == "ascending"
    assert shown(dev.get(LIST + heading.url)) == ["A", "B"]


def test_an_unknown_sort_is_the_usual_order(world, dev):
    add(world.ana, "B", "A")
    for sort in ("owner__password", "-nothing", "name'--", "?"):
        assert shown(dev.get(LIST, {"sort": sort})) == ["A", "B"]


def test_pages_lead_through_the_whole_list_and_back(world, dev):
    names = [f"{number:03}" for number in range(123)]
    add(world.ana, *names)
    response = dev.get(LIST)
    found, pages = [], []
    while True:
        found += shown(response)
        pages.append((response.context["page"].start, response.context["page"].end))
        if not response.context["next_url"]:
            break
        response = dev.get(LIST + response.context["next_url"])
    assert found == names
    assert pages == [(1, 50), (51, 100), (101, 123)]
    back = dev.get(LIST + response.context["previous_url"])
    assert shown(back) == names[50:100]
    last = dev.get(LIST + back.context["last_url"])
    assert shown(last) == names[-50:]
    assert (last.context["page"].start, last.context["page"].end) == (74, 123)
    assert shown(dev.get(LIST + last.context["first_url"])) == names[:50]


def test_a_page_keeps_filter_search_and_sort(world, dev):
    add(world.ana, *[f"x{number:03}" for number in range(60)], city="Bonn")
    add(world.ana, *[f"y{number:03}" for number in range(60)], city="Ulm")
    first = dev.get(LIST, {"city": "Bonn", "q": "x", "sort": "-name"})
    assert shown(first)[0] == "x059"
    second = dev.get(LIST + first.context["next_url"])
    assert shown(second) == [f"x{number:03}" for number in range(9, -1, -1)]


@pytest.mark.parametrize("token", ["x", "a:b", "WzFd:zzz", "\x00", "💥", "x" * 3000])
def test_a_changed_page_token_is_the_first_page_with_a_word_about_it(world, dev, token):
    add(world.ana, "A")
    response = dev.get(LIST, {"page": token})
    assert response.status_code == 200
    assert shown(response) == ["A"]
    assert "this is the first one" in response.text


def test_a_page_token_opens_no_row_beyond_the_own_rights(world, dev):
    add(world.cleo, *[f"{number:03}" for number in range(70)])
    add(world.ana, "zz")
    token = dev.get(LIST).context["next_url"]
    page = world.client("ana").get(LIST + token)
    assert shown(page) == ["zz"]
    # Where the other list stood says nothing of this one.
    assert "51–" not in page.text
    assert "1 row" in page.text


def test_what_is_no_filter_is_said_and_nothing_is_done_with_all(world, dev):
    """A link with a filter that is gone, or of somebody who sees more."""
    add(world.ana, *"ABC")
    gone = {"colour": "red", "kind": "person", "empty": ""}
    page = dev.get(LIST, gone)
    assert shown(page) == ["A", "B", "C"]
    assert "there is no such filter, or not for you: colour." in page.text
    assert "empty" not in page.context["listing"].left_out
    sent = {"query": urlencode(gone), "all": "1"}
    refused = dev.post("/customers/bulk/delete/", sent | {"confirmed": "1"})
    assert "not certain which rows" in refused.text or refused.status_code in (302, 422)
    assert Customer.objects.count() == 3
    assert "no such filter" not in dev.get(LIST, {"kind": "person", "page": ""}).text


def test_an_address_of_ten_thousand_ids_is_answered(world, dev):
    add(world.ana, "Oak")
    ids = range(10_000)
    joined = dev.get(LIST, {"owner": ",".join(map(str, ids))})
    assert joined.status_code == 200
    assert "Select a valid choice" in joined.text
    many = dev.get(LIST, {"owner": ids})
    assert many.status_code == 400
    assert "Nothing was changed" in many.text
    stranger = Client().get(LIST, {"q": "x" * 20_000})
    assert stranger.url == "/accounts/login/"


def test_a_text_that_is_too_long_is_cut_and_said(world, dev):
    add(world.ana, "Oak")
    page = dev.get(LIST, {"q": "oak " + "x" * 5_000})
    assert "only its first 200 characters count" in page.text
    assert "characters count" not in dev.get(LIST, {"q": "oak"}).text


def test_counts_are_exact_to_a_limit(world, dev, monkeypatch):
    monkeypatch.setattr(listing, "COUNT_LIMIT", 5)
    add(world.ana, *"ABCDE")
    response = dev.get(LIST)
    assert (response.context["count"].number, response.context["count"].is_exact) == (
        5,
        True,
    )
    add(world.ana, "F")
    response = dev.get(LIST)
    assert (response.context["count"].number, response.context["count"].is_exact) == (
        5,
        False,
    )
    assert "5+" in response.text
    # That there are more is remembered, for the same rows and filters only.
    with CaptureQueriesContext(connection) as again:
        assert "5+" in dev.get(LIST).text
    counted = "SELECT count(*) FROM (SELECT"
    assert not any(one["sql"].startswith(counted) for one in again.captured_queries)
    assert dev.get(LIST, {"kind": "person"}).context["count"].is_exact is False
    Customer.objects.filter(name__in="ABC").update(kind="company")
    assert dev.get(LIST, {"kind": "company"}).context["count"].number == 3
    assert world.client("cleo").get(LIST).context["count"].number == 0


def test_columns_can_be_chosen(world, dev):
    add(world.ana, "A", region="Hesse")
    usual = dev.get(LIST)
    assert "Hesse" not in usual.text
    menu = dev.get(LIST, {"panel": "columns"})
    (choice,) = [one for one in menu.context["column_choices"] if one.label == "Region"]
    assert not choice.is_shown
    assert "Hesse" in dev.get(LIST, {"columns": f"name,{choice.key}"}).text


def test_only_the_visible_columns_cost_a_join(world, dev):
    add(world.ana, "A")

    def list_query(**data):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            dev.get(LIST, data)
        return next(
            one["sql"] for one in captured.captured_queries if "LIMIT 51" in one["sql"]
        )

    assert "crm_user" in list_query()
    assert "crm_user" not in list_query(columns="name")


def test_a_related_row_is_a_link_only_for_those_who_may_open_it(world):
    (customer,) = add(world.cleo, "Cleo's customer")
    Order.objects.create(number="S1", customer=customer, owner=world.ana)
    text = world.client("ana").get("/orders/").text
    assert f'href="/customers/{customer.pk}/"' not in text
    text = world.client("dev").get("/orders/").text
    assert f'href="/customers/{customer.pk}/"' in text


def test_names_are_escaped(world, dev):
    add(world.ana, "<script>alert(1)</script>")
    text = dev.get(LIST, {"q": "<script>"}).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def export(client, **data):
    """Return the lines of a list's file."""
    response = client.get("/customers/export/", data)
    assert response.status_code == 200
    raw = response.getvalue()
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))


def test_the_file_holds_what_the_list_shows(world, dev):
    add(world.ana, "B", city="Bonn")
    add(world.ana, "A", city="Bonn")
    add(world.ana, "C", city="Ulm")
    lines = export(dev, city="Bonn", sort="-name", columns="name,city")
    assert lines == [["Name", "City"], ["B", "Bonn"], ["A", "Bonn"]]


def test_the_file_holds_only_rows_that_one_may_take_away(world):
    add(world.ana, "Own")
    add(world.abe, "Mate's")
    assert shown(world.client("ana").get(LIST)) == ["Mate's", "Own"]
    lines = export(world.client("ana"), columns="name")
    assert lines == [["Name"], ["Own"]]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_file_is_a_formula(world, dev, start):
    add(world.ana, f"{start}cmd|' /C calc'!A0")
    cell = export(dev, columns="name")[1][0]
    assert cell.startswith("'")


def test_numbers_in_the_file_stay_numbers(world, dev):
    add(world.ana, "A", annual_income="1234567.50")
    assert export(dev, columns="name,annual_income")[1] == ["A", "1234567.50"]


def test_an_export_streams_in_few_queries(world, dev):
    add(world.ana, *[f"{number:03}" for number in range(120)])
    with CaptureQueriesContext(connection) as captured:
        dev.get("/customers/export/").getvalue()
    assert len(captured) <= 8


def test_the_picker_finds_by_what_is_typed(world):
    add(world.ana, "Alpha", "Beta")
    add(world.cleo, "Alphabet of Cleo")
    answer = world.client("ana").get("/customers/choices/", {"q": "alph"}).json()
    assert [one["text"] for one in answer["results"]] == ["Alpha"]


def test_the_picker_answers_with_few(world, dev):
    add(world.ana, *[f"A{number}" for number in range(40)])
    assert len(dev.get("/customers/choices/", {"q": "a"}).json()["results"]) == 20


def test_the_menu_shows_what_each_may_open(world):
    def labels(name):
        response = world.client(name).get("/")
        return {
            item["label"]
            for one in response.context["navigation"]
            for item in one["items"]
        }

    assert "Customers" in labels("ana")
    assert "Customers" not in labels("fay")


def test_a_list_takes_posts_for_nothing(world, dev):
    assert dev.post(LIST).status_code == 405


def test_shared_rows_are_the_same_for_all(world):
    Tag.objects.create(name="one")
    for name in ("ana", "cleo"):
        assert len(world.client(name).get("/tags/").context["rows"]) == 1
