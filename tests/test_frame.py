"""The kept frame: nobody meets what belongs to another reader or another request."""

import re
from html import unescape
from urllib.parse import parse_qs

import pytest
from django.test import Client

from crm.models import Grant, User
from crm.testing.world import sign_in
from customers.models import Customer

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
HOLE = "hole-"
MENU = re.compile(r'id="user-menu".*?</summary>', re.DOTALL)


def test_each_reader_sees_their_own_name_and_menu(world):
    for _visit in range(2):
        text = {one: world.client(one).get("/").text for one in ("ana", "abe", "fay")}
        for name, others in (("ana", "Abe"), ("abe", "Ana"), ("fay", "Ana")):
            menu = MENU.search(text[name])[0]
            assert f"{name.capitalize()} Tester" in menu
            assert f"{others} Tester" not in menu
            assert HOLE not in text[name]
        assert 'href="/customers/"' in text["ana"]
        assert 'href="/customers/"' not in text["fay"]


def test_two_people_of_one_name_are_told_apart(world):
    User.objects.filter(pk__in=[world.ana.pk, world.abe.pk]).update(first_name="Kim")
    for name in ("ana", "abe"):
        # The browser keeps what somebody used recently by this address.
        own = rf'data-url="/palette/\?en-{getattr(world, name).pk}"'
        assert re.search(own, world.client(name).get("/").text)


def test_parts_of_a_list_are_those_of_the_visit(world):
    """What can be done with rows and the form of a new view are drawn only once."""
    Customer.objects.bulk_create(
        Customer(name=f"<b>Oak {number}", city="Leeds", owner=owner)
        for number in range(60)
        for owner in (world.ana, world.dev)
    )
    Grant.objects.filter(
        role__code="representative", model="customers.customer", verb="delete"
    ).delete()
    for text in ('<b>"Oak', "oak"):
        for name in ("ana", "dev", "ana"):
            client = world.client(name)
            page = client.get("/customers/", {"q": text, "city": "Leeds"}).text
            assert HOLE not in page
            assert '<b>"Oak' not in page
            assert len(set(TOKEN.findall(page))) == 1
            asked = set(re.findall(r'name="query" value="([^"]*)"', page))
            assert {parse_qs(unescape(one))["q"][0] for one in asked} == {text}
            count = {"ana": "60", "dev": "120"}[name]
            assert f'data-select-all="{count}"' in page
            has_delete = "/customers/bulk/delete/" in page
            assert has_delete == (name == "dev")
    chinese = client.get("/customers/", headers={"Accept-Language": "zh-hans"}).text
    assert "Clear the selection" not in chinese


def test_what_changes_is_seen_at_the_next_visit(world):
    client = world.client("ana")
    assert 'href="/customers/"' in client.get("/").text
    User.objects.filter(pk=world.ana.pk).update(first_name="Anita")
    assert "Anita Tester" in MENU.search(client.get("/").text)[0]
    User.objects.filter(pk=world.ana.pk).update(is_staff=True)
    assert 'href="/admin/"' in client.get("/").text
    Grant.objects.filter(model="customers.customer", verb="view").delete()
    assert 'href="/customers/"' not in client.get("/").text


def test_language_and_place_are_those_of_the_visit(world):
    client = world.client("dev")
    english = client.get("/customers/").text
    chinese = client.get("/people/", headers={"Accept-Language": "zh-hans"}).text
    assert re.search(r'href="/customers/" aria-current="page"', english)
    assert re.search(r'href="/people/" aria-current="page"', chinese)
    assert "客户" in chinese
    assert "Sign out" not in chinese


@pytest.mark.parametrize(
    "query", ['?q="><script>alert(1)</script>', "?q='onload='x", "?q=客户&a=1"]
)
def test_an_address_cannot_break_out_of_the_frame(world, query):
    client = world.client("dev")
    client.get("/customers/")
    text = client.get(f"/customers/{query}").text
    assert "<script>alert" not in text
    (back,) = re.findall(r'name="next" value="([^"]*)"', text)
    assert back.startswith("/customers/?q=")
    assert "'" not in back


def test_the_token_of_the_kept_menu_is_the_readers_own(world):
    world.client("dev").get("/")
    client = Client(enforce_csrf_checks=True)
    sign_in(client, world.dev)
    (token, *others) = TOKEN.findall(client.get("/").text)
    assert set(others) <= {token}
    stranger = Client(enforce_csrf_checks=True)
    sign_in(stranger, world.dev)
    refused = stranger.post("/accounts/logout/", {"csrfmiddlewaretoken": token})
    assert refused.status_code == 403
    assert stranger.get("/").status_code == 200
    done = client.post("/accounts/logout/", {"csrfmiddlewaretoken": token})
    assert done.status_code == 302
    assert client.get("/").status_code == 302
