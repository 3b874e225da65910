"""Groups of conditions in the address of a list."""

import datetime
import json
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from analytics.models import Run, Score
from crm.models import Grant, SavedView, Tag, User
from customers.models import Customer
from sales.models import Order

LIST = "/customers/"


def address(*groups, **others):
    """Return the parameters of groups of conditions."""
    return {"group": [json.dumps(group) for group in groups], **others}


def shown(response):
    """Return the names on a page of the list."""
    assert response.status_code == 200
    return [row.object.name for row in response.context["rows"]]


@pytest.fixture
def find(world):
    """Return a function: the names that fit groups of conditions, for a person."""

    def ask(*groups, name="dev", **others):
        response = world.client(name).get(LIST, address(*groups, **others))
        assert not response.context["listing"].conditions.errors
        return "".join(shown(response))

    return ask


@pytest.fixture
def people(world):
    """Return three customers that differ in everything."""
    today = timezone.localdate()
    values = {
        "A": {
            "city": "Leeds",
            "kind": "company",
            "annual_income": 100,
            "customer_since": today,
            "owner": world.ana,
        },
        "B": {
            "city": "leeds",
            "kind": "person",
            "annual_income": Decimal("250.50"),
            "customer_since": today - datetime.timedelta(days=40),
            "owner": world.ben,
        },
        "C": {"city": "", "kind": "person", "owner": None},
    }
    return {
        name: Customer.objects.create(name=name, **more)
        for name, more in values.items()
    }


DAY = str(timezone.localdate())
CASES = [
    (["city", "is", "Leeds"], "A"),
    (["city", "not", "Leeds"], "BC"),
    (["city", "contains", "EED"], "AB"),
    (["city", "contains", "%"], ""),
    (["city", "begins", "le"], "AB"),
    (["city", "empty"], "C"),
    (["city", "filled"], "AB"),
    (["annual_income", "eq", "250.5"], "B"),
    (["annual_income", "gte", 100], "AB"),
    (["annual_income", "lte", "100"], "A"),
    (["annual_income", "between", ["100", "100"]], "A"),
    (["annual_income", "empty"], "C"),
    (["customer_since", "on", DAY], "A"),
    (["customer_since", "before", DAY], "B"),
    (["customer_since", "after", DAY], ""),
    (["customer_since", "between", [DAY, DAY]], "A"),
    (["customer_since", "within", "today"], "A"),
    (["customer_since", "within", "last_30_days"], "A"),
    (["customer_since", "within", "last_90_days"], "AB"),
    (["customer_since", "older", "39"], "B"),
    (["customer_since", "older", 40], ""),
    (["customer_since", "empty"], "C"),
    (["created_at", "within", "today"], "ABC"),
    (["created_at", "within", "yesterday"], ""),
    (["kind", "any", ["company"]], "A"),
    (["kind", "any", ["company", "person"]], "ABC"),
    (["kind", "none", "company"], "BC"),
    (["owner", "empty"], "C"),
    (["owner__team", "filled"], "AB"),
    (["has_orders", "is", "no"], "ABC"),
    (["owner__email", "begins", "ana@"], "A"),
]


def test_each_comparison(people, find):
    wrong = {
        str(condition): (found, expected)
        for condition, expected in CASES
        if (found := find([condition])) != expected
    }
    assert not wrong


def test_conditions_of_a_group_hold_together_and_one_group_is_enough(people, find):
    leeds, company = ["city", "begins", "le"], ["kind", "any", "company"]
    assert find([leeds, company]) == "A"
    assert find([leeds], [["city", "empty"]]) == "ABC"
    assert find([leeds, company], [["city", "empty"]]) == "AC"
    # Plain filters and the search hold in addition.
    assert find([leeds], [["city", "empty"]], kind="person") == "BC"
    assert find([leeds], q="A") == "A"


def test_me_and_my_team_are_each_readers_own(world, people, find):
    assert find([["owner", "any", "me"]], name="ana") == "A"
    assert find([["owner", "any", "me"]], name="ben") == "B"
    Customer.objects.create(name="D", owner=world.abe)
    assert find([["owner", "any", "my_team"]], name="ana") == "AD"
    assert find([["owner", "any", ["my_team", str(world.ben.pk)]]]) == "B"
    User.objects.filter(pk=world.ana.pk).update(team=None)
    assert find([["owner", "any", "my_team"]], name="ana") == "A"


def test_tags_double_no_row(people, find):
    red, blue = Tag.objects.create(name="red"), Tag.objects.create(name="blue")
    people["A"].tags.set([red, blue])
    people["B"].tags.set([red])
    both = [str(red.pk), str(blue.pk)]
    assert find([["tags", "any", both]]) == "AB"
    assert find([["tags", "all", both]]) == "A"
    assert find([["tags", "none", str(blue.pk)]]) == "BC"
    assert find([["tags", "empty"]]) == "C"


def test_a_day_begins_where_the_reader_is(world, find):
    row = Customer.objects.create(name="Late", owner=world.ana)
    moment = datetime.datetime(2026, 3, 1, 20, tzinfo=datetime.UTC)
    Customer.objects.filter(pk=row.pk).update(created_at=moment)
    assert find([["created_at", "on", "2026-03-01"]]) == "Late"
    User.objects.filter(pk=world.dev.pk).update(time_zone="Asia/Shanghai")
    assert find([["created_at", "on", "2026-03-01"]]) == ""
    assert find([["created_at", "on", "2026-03-02"]]) == "Late"


def test_values_of_related_rows_count_only_where_they_can_be_seen(world):
    theirs = Customer.objects.create(name="Hidden", city="Bonn", owner=world.cleo)
    own = Customer.objects.create(name="Own", city="Ulm", owner=world.ana)
    for number, customer in enumerate([theirs, own]):
        Order.objects.create(number=f"S{number}", customer=customer, owner=world.ana)

    def numbers(name, condition):
        response = world.client(name).get("/orders/", address([condition]))
        rows = response.context["rows"]
        return {row.object.number for row in rows}, response

    city = ["customer__city", "is", "Bonn"]
    assert numbers("dev", city)[0] == {"S0"}
    assert numbers("ana", city)[0] == set()
    assert numbers("ana", ["customer__city", "filled"])[0] == {"S1"}
    found, response = numbers("ana", ["customer", "any", str(theirs.pk)])
    assert response.context["listing"].conditions.errors
    assert "Hidden (" not in response.text
    # A row that is hidden and one that does not exist are the same error.
    gone = numbers("ana", ["customer", "any", "987654321"])[1]
    errors = [one.context["listing"].conditions.errors for one in (response, gone)]
    assert errors[0] == errors[1]


def test_results_of_analyses_are_conditions(world, find):
    a, b, c = (
        Customer.objects.create(name=name, owner=world.ana) for name in ("A", "B", "C")
    )
    run = Run.objects.create(
        key="ltv", as_of=timezone.now(), state="done", is_current=True
    )
    for row, value in ((a, 100), (b, 900)):
        Score.objects.create(run=run, object_id=row.pk, value=value)
    assert find([["lifetime_value", "gte", "500"]]) == "B"
    assert find([["lifetime_value", "between", ["50", "900"]]]) == "AB"
    assert find([["lifetime_value", "empty"]]) == "C"
    assert find([["rfm", "empty"]]) == "ABC"


def test_the_chance_that_a_customer_still_buys_is_a_condition(world, find):
    a, b, c, d = (
        Customer.objects.create(name=name, owner=world.ana) for name in "ABCD"
    )
    old, run = (
        Run.objects.create(
            key="ltv", as_of=timezone.now(), state="done", is_current=current
        )
        for current in (False, True)
    )
    Score.objects.create(run=old, object_id=d.pk, details={"p_alive": 0.9})
    for row, chance in ((a, 0.29), (b, 0.8), (c, None)):
        details = {"p_alive": chance}
        Score.objects.create(run=run, object_id=row.pk, value=1, details=details)
    assert find([["still_buying", "gte", "29"]]) == "AB"
    assert find([["still_buying", "lte", "29"]]) == "A"
    assert find([["still_buying", "between", ["30", "80"]]]) == "B"
    assert find([["still_buying", "gte", "0"]]) == "AB"
    assert find([["still_buying", "empty"]]) == "CD"
    assert find([["still_buying", "filled"]]) == "AB"
    assert find([["still_buying", "gte", "50"]], [["name", "is", "D"]]) == "BD"
    assert find(still_buying_min="30") == "B"
    assert find(still_buying_max="100") == "AB"


def test_what_one_may_not_see_cannot_be_asked(world, people):
    Grant.objects.filter(model="analytics.run", role__code="representative").delete()
    response = world.client("ana").get(
        LIST, address([["lifetime_value", "gte", "5"]], sort="lifetime_value")
    )
    assert shown(response) == ["A"]
    assert "column that is gone" in response.text
    builder = world.client("ana").get("/customers/condition/").text
    assert "lifetime_value" not in builder
    assert "still_buying" not in builder
    assert "city" in builder


BAD = [
    "not json",
    "[" * 9000,
    "{}",
    "null",
    '["city","is","x"]',
    "[[]]",
    '[["city"]]',
    '[["city","is"]]',
    '[["city","is",null]]',
    '[["city","is",{"a":1}]]',
    '[["city","is",[["x"]]]]',
    '[["city","is",["a","b"]]]',
    '[["city","is","a","b"]]',
    '[["city","between",["a","b"]]]',
    '[["city","is","\\u0000"]]',
    '[["city","is","\\ud800"]]',
    json.dumps([["city", "is", "x" * 300]]),
    json.dumps([["city", "any", ["x"] * 3000]]),
    json.dumps([["city", "is", "x"]] * 300),
    '[["password","is","x"]]',
    '[["owner__password","begins","p"]]',
    '[["owner__is_superuser","is","yes"]]',
    '[["id","is","1"]]',
    '[["annual_income","gte","many"]]',
    '[["annual_income","gte","NaN"]]',
    '[["annual_income","gte",Infinity]]',
    '[["annual_income","gte","1e999999"]]',
    '[["annual_income","between",["5","1"]]]',
    '[["annual_income","gte",' + "9" * 4000 + "]]",
    '[["customer_since","on","tomorrow"]]',
    '[["customer_since","on","0001-01-01"]]',
    '[["customer_since","within","last_99_days"]]',
    '[["customer_since","older","99999"]]',
    '[["customer_since","older","-1"]]',
    '[["kind","any",["alien"]]]',
    '[["owner","any",["99999999999999999999999"]]]',
    '[["owner","any",["1 OR 1=1"]]]',
    '[["owner","any",["²"]]]',
    '[["tags","any",["me"]]]',
    '[["rfm","any",["alien"]]]',
    '[["lifetime_value","gte","x"]]',
    '[["still_buying","between",["60","x"]]]',
]


def test_a_bad_condition_is_said_and_the_others_count(world, people):
    good = json.dumps([["kind", "any", "company"]])
    client = world.client("dev")
    for text in BAD:
        response = client.get(LIST, {"group": [text, good]})
        assert shown(response) == ["A"], text
        errors = response.context["listing"].conditions.errors
        assert errors, text
        assert response.text.count("list-warning") == len(errors)


def test_the_chip_of_a_bad_condition_takes_it_away(world, people):
    client = world.client("dev")
    query = address([["no_such", "is", "x"], ["city", "is", "Leeds"]])
    response = client.get(LIST, query | {"group": [*query["group"], "broken"]})
    assert shown(response) == ["A"]
    (gone, good), (broken,) = response.context["condition_groups"]
    assert "chip-wrong" in response.text
    assert good.error == ""
    once = client.get(LIST + gone.url)
    assert len(once.context["listing"].conditions.errors) == 1
    twice = client.get(LIST + once.context["condition_groups"][1][0].url)
    assert shown(twice) == ["A"]
    assert not twice.context["listing"].conditions.errors


def test_there_is_a_limit_to_groups(world, people):
    one = [["city", "empty"]]
    response = world.client("dev").get(LIST, address(*[one] * 300))
    assert shown(response) == ["C"]
    assert len(response.context["listing"].conditions.errors) == 1


def test_a_chip_takes_one_condition_away(world, people):
    query = address(
        [["city", "begins", "le"], ["kind", "any", "person"]], [["city", "empty"]]
    )
    response = world.client("dev").get(LIST, query | {"sort": "-name"})
    assert shown(response) == ["C", "B"]
    first, second = response.context["condition_groups"]
    assert "Kind any of Person" in f"{first[1].label} {first[1].text}"
    assert shown(world.client("dev").get(LIST + first[1].url)) == ["C", "B", "A"]
    assert shown(world.client("dev").get(LIST + second[0].url)) == ["B"]


def test_the_file_holds_the_same_rows(world, people):
    query = address([["city", "is", "Leeds"]], columns="name")
    text = world.client("dev").get("/customers/export/", query).getvalue().decode()
    assert text.split() == ["\ufeffName", "A"]


def test_strange_texts_go_through_everything(world):
    """Search, plain filter, condition and the name of a view take any text."""
    file = Path(settings.DATA_DIR, "blns", "blns.json")
    texts = [text for text in json.loads(file.read_text("utf-8")) if text]
    client = world.client("dev")
    clean = [text.replace("\x00", "")[:80] for text in texts]
    clean = [text for text in clean if text.strip()]
    Customer.objects.bulk_create(
        Customer(name=f"n{place}", city=text, owner=world.ana)
        for place, text in enumerate(clean)
    )
    for start in range(0, len(clean), 10):
        some = clean[start : start + 10]
        groups = [[["city", "is", text]] for text in some]
        found = client.get(LIST, address(*groups, q="n"))
        names = set(shown(found))
        assert {f"n{start + place}" for place in range(len(some))} <= names, some
    for start in range(0, len(texts), 40):
        text = texts[start]
        assert client.get(LIST, {"q": text, "city": text}).status_code == 200
        group = json.dumps([[text, text, text], ["kind", "any", [text]]])
        assert client.get(LIST, {"group": group}).status_code == 200
        sent = {
            "list_key": "customers.customer",
            "name": clean[start % len(clean)][:80],
        }
        client.post("/views/new/", sent | {"query": f"q={text}", "sharing": "private"})
    assert SavedView.objects.count() > 5
    assert client.get(LIST).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_list_that_takes_too_long_says_so(world, settings):
    """A table that another session holds stands for one that is slow to search."""
    settings.LIST_TIMEOUT_MS = 100
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("LOCK TABLE customers_customer IN ACCESS EXCLUSIVE MODE")
        response = world.client("dev").get(LIST, {"city": "Bonn"})
        other.rollback()
    assert response.status_code == 200
    assert "Finding these rows takes too long" in response.text
    assert "Narrow it" in response.text
    assert "nothing here yet" not in response.text
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
