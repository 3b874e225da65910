"""What a person sees and why: now, and with rights that are not saved yet.

The person is asked about by ``crm.access`` itself, with the edited rights put in place
of the stored ones, so that the preview cannot say anything else than the pages do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.translation import gettext as _

from crm import formatting
from crm.access import (
    ANY_MODEL,
    SCOPE_RANK,
    Scope,
    Verb,
    VisibleQuerySet,
    hidden_fields,
    is_shared,
    paths_of,
    reaches,
    read_only_fields,
    scope_of,
    shared_ids,
)
from crm.generic import formats, searching
from crm.generic.counting import counts
from crm.generic.registry import registry
from crm.models import Role, User
from crm.rights.matrix import (
    State,
    controlled_models,
    field_label,
    name_of,
    state_of,
)

MOST = 10_000
# Rows that a part of a name may mean.
MOST_RECORDS = 5


@dataclass
class Right:
    """A verb that a person holds on a model: how far, and by which role."""

    verb: str
    scope: str
    role: str
    is_new: bool = False


@dataclass
class Seen:
    """What a person sees of a model, now and with the edited rights."""

    label: str
    rights: list[Right] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    now: str = ""
    then: str = ""
    fields: list[str] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Tell whether the edit changes anything here."""
        is_new = any(right.is_new for right in self.rights)
        return self.now != self.then or bool(self.lost) or is_new


class Viewer:
    """A person with the rights that some state of the roles gives."""

    def __init__(self, person: User, roles: dict[Role, State]) -> None:
        # Not the person themselves: what is known of their rights stays apart.
        self.user = User.objects.select_related("team").get(pk=person.pk)
        self.roles = {role.pk: role for role in roles}
        self.grants, rules = [], []
        for role, state in roles.items():
            for key, value in state.items():
                label, is_rule, name = key.partition("#")
                if not value:
                    continue
                if is_rule:
                    one = {"model": label, "field": name, "mode": value}
                    rules.append((role.pk, one))
                    continue
                label, _colon, verb = key.partition(":")
                self.grants.append((role.pk, label, verb, value))
        self.user.set_rights(self.grants)
        self.user.set_field_rules(rules)
        names = ("model", "object_id", "verb", "is_whole")
        self.user.set_shares(person.shares_with_me().values(*names))

    def right(self, verb: str, model: type[models.Model]) -> Right | None:
        """Return how far the person may do the verb, and which role says so."""
        scope = scope_of(self.user, verb, model)
        if scope is None:
            return None
        words = str(Scope(scope).label)
        if self.user.is_superuser:
            return Right(str(Verb(verb).label), words, _("superuser"))
        labels = (model._meta.label_lower, ANY_MODEL)
        names = [
            str(self.roles[role])
            for role, label, held, reach in self.grants
            if held == verb and reach == scope and label in labels
        ]
        roles = ", ".join(dict.fromkeys(names))
        return Right(str(Verb(verb).label), words, roles)

    def rows(self, model: type[models.Model]) -> models.QuerySet | None:
        """Return the rows that the person sees, where the model's rows are guarded."""
        rows = model._default_manager.all()
        if not isinstance(rows, VisibleQuerySet):
            return None
        pages = registry.pages_of(model)
        return (pages.queryset() if pages else rows).visible_to(self.user)

    def fields(self, model: type[models.Model]) -> list[str]:
        """Return the fields that are kept back, in words."""
        label, hidden = model._meta.label_lower, hidden_fields(self.user, model)
        found = [
            _("%(field)s: hidden") % {"field": field_label(label, name)}
            for name in sorted(hidden)
        ]
        return found + [
            _("%(field)s: read-only") % {"field": field_label(label, name)}
            for name in sorted(read_only_fields(self.user, model) - hidden)
        ]


def viewers(person: User, role: Role, edited: State) -> tuple[Viewer, Viewer]:
    """Return the person as rights are stored, and with one role as it was edited."""
    stored = {one: state_of(one) for one in person.roles.all()}
    changed = {one: edited if one == role else stored[one] for one in stored}
    return Viewer(person, stored), Viewer(person, changed)


def seen_by(now: Viewer, then: Viewer) -> list[Seen]:
    """Return what the person sees of each model that has pages, or rights on it."""
    parts: dict[tuple[str, str], models.QuerySet] = {}
    found = {}
    for label, model in controlled_models().items():
        old = {verb: now.right(verb, model) for verb in Verb}
        new = {verb: then.right(verb, model) for verb in Verb}
        if not any(old.values()) and not any(new.values()):
            continue
        line = found[label] = Seen(name_of(label), fields=then.fields(model))
        for verb in Verb:
            if new[verb]:
                line.rights.append(new[verb])
                before = old[verb] and old[verb].scope
                new[verb].is_new = before != new[verb].scope
            elif old[verb]:
                line.lost.append(str(verb.label))
        for when, viewer in (("now", now), ("then", then)):
            rows = viewer.rows(model)
            if rows is not None:
                parts[label, when] = rows
    numbers = counts(parts, MOST)
    for (label, when), number in numbers.items():
        setattr(found[label], when, in_figures(number))
    labels = [config.label for config in apps.get_app_configs()]
    labels.sort(key=lambda one: one == "crm")
    order = {label: place for place, label in enumerate(labels)}
    ours = sorted(found, key=lambda label: (order[label.partition(".")[0]], label))
    return [found[label] for label in ours]


def in_figures(number: int) -> str:
    """Return a count that is exact up to the limit."""
    if number > MOST:
        return f"{formatting.number(MOST)}+"
    return formatting.number(number)


# --- One record -----------------------------------------------------------------------


@dataclass
class Answer:
    """Whether a person sees a record, and why."""

    record: str
    sees: bool
    why: str
    # With the edited rights, where that differs.
    then_sees: bool | None = None
    then_why: str = ""


def records(asker: User, label: str, text: str) -> list[models.Model]:
    """Return the rows that a number or a part of a name means, which the asker sees."""
    model = controlled_models().get(label)
    pages = registry.pages_of(model) if model else None
    if pages is None or not text:
        return []
    rows = pages.queryset().visible_to(asker)
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return list(rows.filter(pk=text))
    if not pages.is_searchable:
        return []
    return list(searching.narrow(rows, text, asker).order_by("pk")[:MOST_RECORDS])


def answer(record: models.Model, now: Viewer, then: Viewer) -> Answer:
    """Return whether the person sees the record now and with the edited rights."""
    found = Answer(str(record), *verdict(record, now))
    sees, why = verdict(record, then)
    if (sees, why) != (found.sees, found.why):
        found.then_sees, found.then_why = sees, why
    return found


def verdict(record: models.Model, viewer: Viewer) -> tuple[bool, str]:
    """Return whether the viewer sees the record, and the reason as a sentence."""
    model = type(record)
    right = viewer.right(Verb.VIEW, model)
    if right is None:
        return False, _("No role lets them view this kind of row.")
    scope = scope_of(viewer.user, Verb.VIEW, model)
    sees = reaches(viewer.user, scope, record)
    if not sees and record.pk in shared_ids(viewer.user, Verb.VIEW, model):
        return True, _("It is shared with them or with their team.")
    if not sees and is_shared(viewer.user, Verb.VIEW, record):
        return True, _("What it belongs to is shared with them or with their team.")
    words = {"role": right.role, "scope": right.scope, "owners": owners_of(record)}
    if SCOPE_RANK[scope] == SCOPE_RANK[Scope.ALL]:
        return sees, _("%(role)s reaches every row of this kind.") % words
    if getattr(model, "access_shared", False):
        return sees, _("%(role)s lets them view, and these rows are nobody's.") % words
    if sees:
        return True, _("%(role)s reaches “%(scope)s”; %(owners)s.") % words
    text = _("The widest reach is “%(scope)s” (%(role)s); %(owners)s.")
    return False, text % words


def owners_of(record: models.Model) -> str:
    """Return in words whose the record is."""
    said = []
    for path in paths_of(type(record)):
        person: Any = record if path == "pk" else formats.value_at(record, path)
        if person is None:
            said.append(_("it belongs to nobody"))
        elif person.team is None:
            said.append(_("its owner %(name)s is in no team") % {"name": person})
        else:
            words = {"name": person, "team": person.team}
            said.append(_("its owner %(name)s is in %(team)s") % words)
    return "; ".join(dict.fromkeys(said))
