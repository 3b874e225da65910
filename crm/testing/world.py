"""A fixed cast for tests about rights.

    Company
    ├── North          Ben leads it
    │   └── North desk Ana and her colleague Abe work here
    └── South desk     Cleo works here

Ana, Abe and Cleo do the daily work, Ben is Ana's manager, Dev is the administrator, Fay
may sign in but holds no role, Eve is not signed in at all. Which role "daily work" and
"manager" mean differs by model: ``make_world(ana="agent", ben="service_manager")``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import Model
from django.test import Client

from crm.models import Role, Team, User

PEOPLE = ("ana", "abe", "ben", "cleo", "dev", "fay", "eve")
# What a page answers to one who is not signed in.
SIGN_IN = 302
OWNERS = ("ana", "abe", "ben", "cleo", "dev")
# Whose rows each person reaches by a scope: written out by hand, so that it can
# disagree with crm/access.py.
REACH = {
    "own": {name: {name} for name in OWNERS},
    "team": {
        "ana": {"ana", "abe"},
        "abe": {"ana", "abe"},
        "ben": {"ben"},
        "cleo": {"cleo"},
        "dev": {"dev"},
    },
    "subtree": {
        "ana": {"ana", "abe"},
        "abe": {"ana", "abe"},
        "ben": {"ana", "abe", "ben"},
        "cleo": {"cleo"},
        "dev": set(OWNERS),
    },
    "all": {name: set(OWNERS) for name in OWNERS},
}
# Who holds the same roles is judged alike.
ROLE_OF = {"abe": "ana", "cleo": "ana"}
WORKER, MANAGER, ADMINISTRATOR = "representative", "sales_manager", "administrator"


def standing(name: str, owner: str) -> tuple[bool, ...]:
    """Return how a person stands to an owner: who reaches whom by which scope."""
    if name not in OWNERS:
        return ()
    return tuple(
        whose in REACH[scope][who]
        for scope in REACH
        for who, whose in ((name, owner), (owner, name))
    )


def cases() -> list[tuple[str, str]]:
    """Return (person, owner) of every kind: those alike are there once.

    Two are alike when the people hold the same roles and stand to the owner in the
    same way. The lists are asked about every person and owner, in one page each.
    """
    kinds = {}
    for owner in OWNERS:
        for name in PEOPLE:
            kind = (ROLE_OF.get(name, name), standing(name, owner))
            kinds.setdefault(kind, (name, owner))
    return list(kinds.values())


@dataclass
class World:
    """The people and their teams."""

    ana: User
    abe: User
    ben: User
    cleo: User
    dev: User
    fay: User
    teams: dict[str, Team] = field(default_factory=dict)
    # What PageTests has read of the grants: {(name, verb, model): scope}.
    scopes: dict[tuple[str, str, type[Model]], str] = field(default_factory=dict)

    def client(self, name: str) -> Client:
        """Return a browser of the person; Eve's is not signed in."""
        browser = Client()
        if name != "eve":
            sign_in(browser, getattr(self, name))
        return browser

    def clients(self) -> dict[str, Client]:
        """Return a browser of each person, for those who ask often."""
        return {name: self.client(name) for name in PEOPLE}

    def owners(self) -> dict[str, User]:
        """Return those to whom rows belong."""
        return {name: getattr(self, name) for name in OWNERS}


def sign_in(browser: Client, person: User) -> None:
    """Give the browser a session of the person, as a login would leave it.

    A tenth of what ``force_login`` costs, which the tests do thousands of times.
    """
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session["started"] = session["seen"] = int(time.time())
    session.create()
    browser.cookies[settings.SESSION_COOKIE_NAME] = session.session_key


def make_person(name: str, team: Team | None, *roles: str) -> User:
    """Make a person with roles, without a password."""
    return make_people({name: (team, *roles)})[name]


def make_people(
    places: Mapping[str, tuple[Team | str | None, ...]],
) -> dict[str, User]:
    """Make people at once: {name: (team, role, …)}."""
    usernames = {name: name.replace(" ", ".") for name in places}
    User.objects.bulk_create(
        User(
            username=usernames[name],
            first_name=name.capitalize(),
            last_name="Tester",
            email=f"{usernames[name]}@example.com",
            team=team,
            password="!",
        )
        for name, (team, *_roles) in places.items()
    )
    found = {
        one.username: one
        for one in User.objects.select_related("team").filter(
            username__in=usernames.values()
        )
    }
    people = {name: found[usernames[name]] for name in places}
    known = {role.code: role for role in Role.objects.all()}
    User.roles.through.objects.bulk_create(
        User.roles.through(user=people[name], role=known[code])
        for name, (_team, *codes) in places.items()
        for code in codes
        if code in known
    )
    return people


def make_world(ana: str = WORKER, ben: str = MANAGER) -> World:
    """Make the cast; Ana's role is also Abe's and Cleo's."""
    company = Team.objects.create(name="Company")
    north = Team.objects.create(name="North", parent=company)
    desk = Team.objects.create(name="North desk", parent=north)
    south = Team.objects.create(name="South desk", parent=company)
    people = make_people(
        {
            "ana": (desk, ana),
            "abe": (desk, ana),
            "ben": (north, ben),
            "cleo": (south, ana),
            "dev": (company, ADMINISTRATOR),
            "fay": (desk,),
        }
    )
    teams = {"company": company, "north": north, "desk": desk, "south": south}
    return World(**people, teams=teams)


@pytest.fixture
def world(db: None) -> World:
    """Return the cast with the roles of sales work."""
    return make_world()
