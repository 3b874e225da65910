"""Rows that may be the same as one that is about to be added."""

import json
from pathlib import Path

import pytest
from django.conf import settings

from crm.search.similar import similar
from customers.models import Customer

pytestmark = pytest.mark.django_db


def names(user, **values):
    return {one.obj.name: one.reasons for one in similar(Customer, user, values)}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"phone": "0171/2345678"}, "Same phone number"),
        ({"email": "ZOE@garden.example"}, "Same e-mail address"),
        ({"name": "Müller, Zoe"}, "Same name"),
        ({"name": "Zoe Mxxler"}, None),
        ({"name": "Zoe Mullr"}, "Nearly the same name"),
        ({"name": "Somebody else"}, None),
        ({"name": "", "phone": "", "email": None}, None),
    ],
)
def test_the_reason_is_told(world, values, reason):
    Customer.objects.create(
        name="Zoë Müller",
        phone="+49 171 2345678",
        email="zoe@garden.example",
        owner=world.ana,
    )
    assert names(world.ana, **values) == ({"Zoë Müller": [reason]} if reason else {})


def test_chinese_names_are_compared_by_sound_too(world):
    Customer.objects.create(name="张三", owner=world.ana)
    assert names(world.ana, name="Zhang San") == {
        "张三": ["A name that sounds the same"]
    }
    assert names(world.ana, name="张三") == {"张三": ["Same name"]}


def test_hidden_rows_are_not_named(world):
    Customer.objects.create(name="Hidden Oak", phone="030 1234567", owner=world.cleo)
    assert names(world.ana, name="Hidden Oak", phone="030 1234567") == {}


def test_the_most_alike_come_first(world):
    Customer.objects.create(name="Ana Oak", owner=world.ana)
    Customer.objects.create(name="Ana Oak", phone="030 1234567", owner=world.ana)
    first = similar(
        Customer, world.ana, {"name": "Ana Oak", "phone": "030 1234567"}, limit=1
    )
    assert first[0].reasons == ["Same phone number", "Same name"]


def test_no_naughty_string_makes_the_warning_or_the_picker_stumble(world):
    strings = json.loads(Path(settings.DATA_DIR, "blns", "blns.json").read_text())
    Customer.objects.create(name="Ana Oak", phone="030 1234567", owner=world.ana)
    client = world.client("ana")
    for place in range(0, len(strings), 4):
        name, phone, email = (strings[place - back] for back in range(3))
        typed = {"name": name, "phone": phone, "email": email}
        answer = client.get("/customers/similar/", typed)
        assert answer.status_code == 200, typed
        assert len(answer.context["found"]) <= 1
        answer = client.get("/customers/choices/", {"q": name})
        assert answer.status_code == 200, name
        assert isinstance(answer.json()["results"], list)
