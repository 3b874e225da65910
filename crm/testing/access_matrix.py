"""Every address × every role × one's own, a team mate's and a stranger's row.

The addresses come from the URL configuration. The generic ones are known by their
pages; every other one has a rule in ``<app>/tests/access_rules.py``:

    RULES = {
        "app:thing_close": Rule(Thing, "change", methods=("post",)),
        "app:board": Rule(Thing),                # a page without a row
        "profile": SIGNED_IN,                    # for everyone who is signed in
        "webhook": PUBLIC,                       # for strangers too
    }
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from crm.generic.inline import editable_columns
from crm.models import Role, Team, User
from crm.testing.pages import PageTests
from crm.testing.rights import scope_by_grants
from crm.testing.world import make_people, sign_in

# Whose rows a scope reaches, seen from one person.
REACH = {
    "own": {"own"},
    "team": {"own", "team"},
    "subtree": {"own", "team"},
    "all": {"own", "team", "stranger"},
}
VERBS = {
    "list": "view",
    "choices": "view",
    "condition": "view",
    "layout": "view",
    "detail": "view",
    "peek": "view",
    "panel": "view",
    "neighbours": "view",
    "similar": "view",
    "quick": "add",
    "add": "add",
    "edit": "change",
    "delete": "delete",
    "merge": "delete",
    "move": "change",
    "share": "change",
    "boardadd": "add",
    "export": "export",
    "card": "export",
    "import": "import",
}
READ_ONLY = (
    "list",
    "choices",
    "condition",
    "detail",
    "peek",
    "panel",
    "neighbours",
    "similar",
    "export",
    "card",
    "import",
)
ONLY_SENT_TO = ("layout",)
# Pages of installed packages; they guard themselves.
FOREIGN_NAMESPACES = {"admin"}
FOREIGN_PREFIXES = ("account_", "socialaccount_")


@dataclass(frozen=True)
class Rule:
    """Who may open an address, and what they may send there."""

    model: type[models.Model] | None = None
    verb: str = "view"
    methods: tuple[str, ...] = ("get",)
    # How the row that the address names is made; by default as in the model's tests.
    make: Callable[[User], models.Model] | None = None
    # What the address is made of, given the row.
    kwargs: Callable[[models.Model], dict[str, Any]] | None = None
    data: dict[str, Any] = field(default_factory=dict)
    is_public: bool = False
    # Further rights that it takes, asked after the row was found: (model, verb).
    needs: tuple[tuple[type[models.Model], str], ...] = ()
    # A right that the grants of one model do not tell.
    allows: Callable[[User], bool] | None = None
    # Hidden from everyone but its owner, however far their rights reach.
    is_own_only: bool = False
    # Answers such as 404 that are right for one who may, for the sent data.
    also: tuple[int, ...] = ()


SIGNED_IN = Rule(None)
PUBLIC = Rule(None, is_public=True)


@dataclass(frozen=True)
class Route:
    """One address of the URL configuration."""

    name: str
    parameters: tuple[str, ...]
    pages: Any = None

    @property
    def page(self) -> str:
        """Return which of the generic pages it is."""
        return self.name.rsplit("_", 1)[-1]

    def url(self, rule: Rule, row: models.Model | None) -> str:
        """Return the address, of a row if it takes one."""
        if not self.parameters:
            return reverse(self.name)
        kwargs = rule.kwargs(row) if rule.kwargs else {self.parameters[0]: row.pk}
        return reverse(self.name, kwargs=kwargs)


def routes() -> list[Route]:
    """Return all addresses that are ours, by name."""
    return sorted(_walk(get_resolver(), ()), key=lambda route: route.name)


def _walk(resolver: URLResolver, namespaces: tuple[str, ...]) -> Iterator[Route]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            if one.namespace not in FOREIGN_NAMESPACES:
                inner = (*namespaces, one.namespace) if one.namespace else namespaces
                yield from _walk(one, inner)
        elif not (one.name or "").startswith(FOREIGN_PREFIXES) and not foreign(one):
            name = ":".join(
                (*namespaces, one.name or f"(without a name) {one.pattern}")
            )
            parameters = tuple(one.pattern.converters)
            yield Route(
                name,
                parameters,
                getattr(one.callback, "view_initkwargs", {}).get("pages"),
            )


def foreign(pattern: URLPattern) -> bool:
    """Tell views of installed packages."""
    module = pattern.callback.__module__.split(".")[0]
    return not Path(settings.BASE_DIR, module).is_dir()


def grouped(found: list[Route]) -> dict[str, list[Route]]:
    """Return the addresses by what they have in common: those of one model together."""
    groups: dict[str, list[Route]] = {}
    for route in found:
        groups.setdefault(route.name.rpartition("_")[0] or route.name, []).append(route)
    return groups


def declared_rules() -> dict[str, Rule]:
    """Return the rules of all apps' special addresses."""
    rules: dict[str, Rule] = dict(import_module("tests.access_rules").RULES)
    for config in apps.get_app_configs():
        folder = Path(config.path)
        if (folder / "tests" / "access_rules.py").exists():
            rules |= import_module(f"{config.name}.tests.access_rules").RULES
    return rules


def rule_of(route: Route, rules: dict[str, Rule]) -> Rule | None:
    """Return the rule of an address, or None if nobody wrote one."""
    if route.name in rules:
        return rules[route.name]
    if route.pages is None:
        return None
    if route.page.startswith("bulk-"):
        action = route.pages.bulk_action(route.page.removeprefix("bulk-"))
        return Rule(route.pages.model, action.verb, ("get", "post"))
    if route.page == "cell":
        declared = route.pages.declared_table()
        name = next(iter(editable_columns(route.pages, table=declared)))
        return Rule(
            route.pages.model,
            "change",
            ("get", "post"),
            kwargs=lambda row: {"pk": row.pk, "column": name},
        )
    if route.page not in VERBS:
        return None
    methods = ("get",) if route.page in READ_ONLY else ("get", "post")
    if route.page in ONLY_SENT_TO:
        methods = ("post",)
    kwargs = also = None
    if route.page == "panel":
        # A model without a history has no panel of that name.
        kwargs, also = lambda row: {"pk": row.pk, "key": "history"}, (404,)
    return Rule(
        route.pages.model, VERBS[route.page], methods, kwargs=kwargs, also=also or ()
    )


def page_tests() -> dict[type[models.Model], type[PageTests]]:
    """Return the standard tests that exist, by model."""
    for config in apps.get_app_configs():
        for path in sorted(Path(config.path, "tests").glob("test_*.py")):
            if "PageTests" in path.read_text("utf-8"):
                import_module(f"{config.name}.tests.{path.stem}")
    return {
        cls.pages.model: cls for cls in _subclasses(PageTests) if "pages" in vars(cls)
    }


def _subclasses(cls: type) -> Iterator[type]:
    for one in cls.__subclasses__():
        yield one
        yield from _subclasses(one)


@dataclass
class Matrix:
    """One person per role in one team, a team mate and a stranger."""

    people: dict[str, User]
    mate: User
    stranger: User
    signed_in: dict[str, Client]
    scopes: dict[tuple[str, str, type[models.Model]], str] = field(default_factory=dict)

    def browsers(self) -> dict[str, Client]:
        """Return a new browser for each role, in the session that it signed in to."""
        found = {}
        for role, known in self.signed_in.items():
            found[role] = Client(raise_request_exception=False)
            found[role].cookies.update(known.cookies)
        return found

    def rows(
        self, make: Callable[[User], models.Model]
    ) -> Iterator[tuple[str, str, models.Model]]:
        """Yield (role, whose, row)."""
        theirs = {"team": make(self.mate), "stranger": make(self.stranger)}
        for role, person in self.people.items():
            yield role, "own", make(person)
            for whose, row in theirs.items():
                yield role, whose, row

    def scope(self, role: str, verb: str, model: type[models.Model]) -> str:
        """Return the scope by a role's grants, which do not change meanwhile."""
        key = (role, verb, model)
        if key not in self.scopes:
            self.scopes[key] = scope_by_grants(self.people[role], verb, model)
        return self.scopes[key]

    def reach(self, role: str, rule: Rule) -> tuple[str, ...]:
        """Return the scopes by which a role is judged: roles alike are judged alike."""
        if rule.model is None:
            return (role,)
        return tuple(self.scope(role, verb, rule.model) for verb in ("view", rule.verb))

    def allowed(self, role: str, rule: Rule, whose: str = "") -> int:
        """Return 200, 403 or 404 as the grants say."""
        if rule.allows is not None and not rule.allows(self.people[role]):
            return 403
        if rule.model is None:
            return 200
        if rule.is_own_only and whose in ("team", "stranger"):
            scope = self.scope(role, "view", rule.model)
            return 404 if scope else 403
        reached = {"own", "team", "stranger"}
        for verb in {"view", rule.verb}:
            scope = self.scope(role, verb, rule.model)
            if not scope:
                return 403
            if not getattr(rule.model, "access_shared", False):
                reached &= REACH[scope]
        if whose and whose not in reached:
            return 404
        lacks = any(not self.scope(role, verb, model) for model, verb in rule.needs)
        return 403 if lacks else 200


def make_matrix() -> Matrix:
    """Make the people."""
    team = Team.objects.create(name="Here")
    elsewhere = Team.objects.create(name="Elsewhere")
    places = {
        **{role.code: (team, role.code) for role in Role.objects.all()},
        "no role": (team, None),
        "mate": (team, "representative"),
        "stranger": (elsewhere, "representative"),
    }
    people = make_people(places)
    mate, stranger = people.pop("mate"), people.pop("stranger")
    signed_in = {role: Client() for role in people}
    for role, browser in signed_in.items():
        sign_in(browser, people[role])
    return Matrix(people, mate, stranger, signed_in)
