"""What an import may use is what the pages of its author reach."""

import pytest
from django.db import connection

from crm.access import Verb
from crm.importing.staging import fetch_all
from crm.importing.work import Work
from crm.models import Grant
from tests.machines.models import Machine


def condition(actor, verb, expression="m.id"):
    """Return SQL that is true where the import of a person leaves a machine alone."""
    work = Work(None, None, actor, "", frozenset(), {}, "", 1)
    return work.out_of_reach(Machine, verb, expression)


def ask(beyond, before=""):
    """Return what a question for the machines that are left alone answers."""
    rows = fetch_all(f"{before} SELECT m.id FROM machines_machine m WHERE {beyond}")  # noqa: S608
    return [value for (value,) in rows]


@pytest.fixture
def machines(world):
    people = (world.ana, world.abe, world.ben, world.cleo, world.dev, None)
    made = [
        Machine.objects.create(serial=f"S{place}", name="Lathe", owner=owner)
        for place, owner in enumerate(people)
    ]
    return {one.pk for one in made}


@pytest.mark.parametrize("scope", ["own", "team", "subtree", "all"])
@pytest.mark.parametrize("name", ["ana", "ben", "cleo"])
def test_an_import_leaves_alone_what_the_pages_do_not_reach(
    world, machines, name, scope
):
    person = getattr(world, name)
    Grant.objects.filter(model="machines.machine").delete()
    for role in person.roles.all():
        Grant.objects.create(
            role=role, model="machines.machine", verb="change", scope=scope
        )
    person = type(person).objects.get(pk=person.pk)
    seen = set(
        Machine.objects.visible_to(person, "change").values_list("pk", flat=True)
    )
    assert seen
    beyond = condition(person, Verb.CHANGE)
    if scope == "all":
        assert (beyond, seen) == ("", machines)
    else:
        assert set(ask(beyond)) == machines - seen != set()


def test_nobody_and_who_has_no_right(world, machines):
    """An import by the program itself reaches every row."""
    assert condition(None, Verb.CHANGE) == ""
    assert set(ask(condition(world.ana, Verb.DELETE))) == machines


def test_rows_that_are_not_found_are_out_of_reach(world, machines):
    beyond = condition(world.ana, Verb.CHANGE, "NULL::bigint")
    assert set(ask(beyond)) == machines


def test_the_rows_in_reach_are_joined_and_not_searched_one_by_one(world, machines):
    """Where they do not fit into memory, that was a scan for each row of the file."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO machines_machine (created_at, updated_at, is_demo, serial,"
            " name, state, owner_id) SELECT now(), now(), false, n, n, 'running', %s"
            " FROM generate_series(1, 5000) n",
            [world.ana.pk],
        )
        cursor.execute("ANALYZE machines_machine")
        cursor.execute("SET LOCAL work_mem = '64kB'")
    text = "\n".join(ask(condition(world.ana, Verb.CHANGE), "EXPLAIN"))
    assert "Anti Join" in text
    assert "SubPlan" not in text
