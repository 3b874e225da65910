"""The kept frame: nobody meets what belongs to another reader or another request."""

import re

import pytest
from django.test import Client

from crm.models import Grant, User
from crm.testing.world import sign_in

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
HOLE = "hole-"


def test_each_reader_sees_their_own_name_and_menu(world):
    world.ana.team.members.filter(pk=world.fay.pk).update(first_name="Faye")
    for _visit in range(2):
        dev, fay = world.client("dev").get("/").text, world.client("fay").get("/").text
        assert "Dev Tester" in dev
        assert 'href="/customers/"' in dev
        assert "Faye Tester" in fay
        assert "Dev Tester" not in fay
        assert 'href="/customers/"' not in fay
        assert HOLE not in dev + fay


def test_a_new_name_and_a_lost_right_are_seen_at_the_next_visit(world):
    client = world.client("ana")
    assert 'href="/customers/"' in client.get("/").text
    User.objects.filter(pk=world.ana.pk).update(first_name="Anita", is_staff=True)
    Grant.objects.filter(model="customers.customer", verb="view").delete()
    text = client.get("/").text
    assert "Anita Tester" in text
    assert 'href="/admin/"' in text
    assert 'href="/customers/"' not in text


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
