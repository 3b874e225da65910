"""Every address × role × one's own, a team mate's, a stranger's row × GET and POST."""

import pytest
from django.core.cache import caches
from django.db import transaction
from django.test import Client

from crm.testing.access_matrix import (
    Rule,
    declared_rules,
    grouped,
    make_matrix,
    page_tests,
    routes,
    rule_of,
)
from crm.testing.snapshot import files_of, state_of

ROUTES = routes()
GROUPS = grouped(ROUTES)
RULES = declared_rules()


def test_every_address_has_a_rule():
    """A new address is refused here until somebody says who may open it."""
    unknown = [route.name for route in ROUTES if rule_of(route, RULES) is None]
    assert not unknown, f"Name their rules in <app>/tests/access_rules.py: {unknown}"


def test_no_rule_is_left_over():
    names = {route.name for route in ROUTES}
    assert set(RULES) <= names, set(RULES) - names


def send(client, method, url, rule):
    """Send a request and take back what it did; say what came, and what changed."""
    files = files_of()
    if method == "get":
        response = client.get(url)
        if response.streaming:
            b"".join(response.streaming_content)
        return response.status_code, files_of() != files
    tables = [rule.model] if rule.model else []
    before = state_of(*tables)
    savepoint = transaction.savepoint()
    status = client.post(url, rule.data).status_code
    changed = state_of(*tables) != before or files_of() != files
    transaction.savepoint_rollback(savepoint)
    return status, changed


def judge(rule, method, expected, got, changed):
    """Return what is wrong with an answer, or nothing."""
    if method not in rule.methods:
        is_refused = got in (405, 403, 404) and not changed
        return "" if is_refused else "takes a method that it should not"
    if expected == 200:
        wrong = got in (401, 403, 404, 405) or got >= 500
        return f"is refused with {got}" if wrong and got not in rule.also else ""
    if changed:
        return "changed something though it was refused"
    return "" if got == expected else f"gets {got} instead of {expected}"


def faults(route, rule, matrix=None):
    """Return what is wrong with an address, for every role and row."""
    matrix = matrix or make_matrix()
    make = rule.make
    if make is None and rule.model is not None and route.parameters:
        make = page_tests()[rule.model]().make
    clients = matrix.browsers()
    stranger = Client(raise_request_exception=False)
    cases = (
        list(matrix.rows(make))
        if route.parameters and make
        else [(role, "", None) for role in matrix.people]
    )
    wrong = []
    seen = set()
    for role, whose, row in cases:
        url = route.url(rule, row)
        expected = matrix.allowed(role, rule, whose)
        # Every role meets a row of its own; whose rights reach as far as another role's
        # is not asked again about the rows of others.
        case = (matrix.reach(role, rule), whose, expected)
        if whose in ("team", "stranger"):
            if case in seen:
                continue
            seen.add(case)
        for method in ("get", "post"):
            got, changed = send(clients[role], method, url, rule)
            fault = judge(rule, method, expected, got, changed)
            if fault:
                wrong.append(f"{method} {url}: {role}, {whose or 'any'} row: {fault}")
    for method in ("get", "post"):
        got, changed = send(stranger, method, url, rule)
        if rule.is_public:
            assert got not in (401, 403)
            assert got < 500
        elif got != 302 or changed:
            wrong.append(f"{method} {url}: not signed in: {got}")
    return wrong


@pytest.mark.parametrize("group", GROUPS)
def test_each_role_gets_what_its_grants_say(db, group):
    """The people are made once for a group; each address starts from them alone."""
    matrix = make_matrix()
    wrong = []
    for route in GROUPS[group]:
        rule = rule_of(route, RULES)
        if rule is None:
            wrong.append(f"{route.name}: no rule")
            continue
        caches["process"].clear()
        with transaction.atomic():
            wrong += faults(route, rule, matrix)
            transaction.set_rollback(True)
    assert not wrong, "\n".join(wrong)


def test_the_judge_is_not_blind():
    """A test that cannot fail is a defect, so the judge is judged."""
    rule = Rule(None, methods=("get",))
    assert judge(rule, "get", 404, 200, changed=False)
    assert judge(rule, "get", 200, 500, changed=False)
    assert judge(rule, "get", 200, 404, changed=False)
    assert judge(rule, "get", 403, 403, changed=True)
    assert judge(rule, "post", 403, 200, changed=False)
    assert not judge(rule, "get", 403, 403, changed=False)


def test_the_admin_is_for_staff(world):
    assert world.client("ana").get("/admin/").status_code == 302
    world.dev.is_staff = True
    world.dev.save()
    assert world.client("dev").get("/admin/").status_code == 200
