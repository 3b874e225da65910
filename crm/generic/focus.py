"""What a page of figures is about: a period and people, chosen once for all of it.

    /?period=last-12-months&team=5&person=12
    /?period=custom&start=2026-01-01&end=2026-03-31

Nothing is kept in the session: the address says it, and every link on the page passes
it on. What cannot be read is said beside its field, and the usual choice applies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Model, QuerySet
from django.forms.models import ModelChoiceIterator
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.access import Scope, Verb, owners_in_reach, people_condition, scope_of, widest
from crm.days import require_near
from crm.generic.widgets import PlainSelect
from crm.models import Team, User
from crm.models.users import full_name
from crm.periods import (
    EARLIEST,
    LATEST,
    Period,
    PeriodKey,
    period_before,
    period_of,
)
from crm.statements import read_all

USUAL = PeriodKey.LAST_12_MONTHS


def day_field(label: Any) -> forms.DateField:
    """Return a field for a day that can be left empty."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(
        label=label, required=False, validators=[require_near], widget=widget
    )


class NamedRows(ModelChoiceIterator):
    """The values and names of the rows that can be chosen.

    A row of each of hundreds of people only for its name cost a tenth of the page.
    """

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Return nobody first, then the rows in their order."""
        yield "", self.field.empty_label
        for pk, *names in self.queryset.values_list("pk", *self.field.named_by):
            yield pk, self.field.label_from_names(*names)


class TeamField(forms.ModelChoiceField):
    """Teams, each set in by its place in the tree."""

    iterator = NamedRows
    widget = PlainSelect
    named_by = ("name", "path")

    def label_from_names(self, name: str, path: str) -> str:
        """Return the name behind as much space as the tree is deep."""
        return "\N{EM SPACE}" * (path.count("/") - 2) + name


class PersonField(forms.ModelChoiceField):
    """People by their names."""

    iterator = NamedRows
    widget = PlainSelect
    named_by = User.name_fields

    def label_from_names(self, username: str, first_name: str, last_name: str) -> str:
        """Return the name as ``str`` of the person would."""
        return full_name(first_name, last_name, username)


class FocusForm(forms.Form):
    """The choice at the top of a page of figures."""

    period = forms.ChoiceField(
        label=_("Period"), choices=PeriodKey.choices, required=False
    )
    start = day_field(_("From"))
    end = day_field(_("To"))
    team = TeamField(
        label=_("Team"),
        queryset=Team.objects.none(),
        required=False,
        empty_label=_("All teams"),
    )
    person = PersonField(
        label=_("Person"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("Everybody"),
    )

    def __init__(self, data: Any, user: User, scope: str | None) -> None:
        super().__init__(data)
        teams, people = choices_for(user, scope)
        if teams is None:
            del self.fields["team"], self.fields["person"]
        else:
            self.fields["team"].queryset = teams
            self.fields["person"].queryset = people

    def clean(self) -> dict[str, Any]:
        """Refuse days that end before they start, and take days alone as a choice."""
        cleaned = super().clean()
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and end < start:
            self.add_error("end", _("The end lies before the start."))
        if not cleaned.get("period"):
            has_days = bool(start or end)
            cleaned["period"] = PeriodKey.CUSTOM if has_days else USUAL
        return cleaned


def choices_for(
    user: User, scope: str | None
) -> tuple[QuerySet | None, QuerySet | None]:
    """Return teams and people that a scope reaches; None where there is no choice."""
    people, teams = User.objects.all(), Team.objects.all()
    if scope == Scope.ALL:
        return teams, people.filter(is_active=True)
    if scope in (None, Scope.OWN) or user.team_id is None:
        return None, None
    if scope == Scope.SUBTREE:
        teams = teams.filter(path__startswith=user.team_path)
    else:
        teams = teams.filter(pk=user.team_id)
    return teams, people.filter(people_condition("pk", user, scope))


@dataclass
class Focus:
    """A period and people that a page is about."""

    user: User
    key: str
    period: Period
    team: Team | None = None
    person: User | None = None

    @property
    def before(self) -> Period | None:
        """Return the period to compare with."""
        return period_before(self.key, self.period)

    @cached_property
    def chosen(self) -> list[int] | None:
        """Return the ids of the chosen people; None if nobody was chosen."""
        if self.team is None:
            return [self.person.pk] if self.person else None
        people = User.objects.filter(team__path__startswith=self.team.path)
        if self.person is not None:
            people = people.filter(pk=self.person.pk)
        return list(people.values_list("pk", flat=True))

    def owners(self, model: type[Model]) -> list[int] | None:
        """Return whose rows count: the chosen people in reach; None means all rows."""
        reach = owners_in_reach(self.user, model)
        if reach is None or self.chosen is None:
            return self.chosen if reach is None else reach
        return sorted(set(reach) & set(self.chosen))

    def rows(self, model: type[Model]) -> QuerySet:
        """Return the visible rows of the chosen people.

        By ids of people, not by a join over teams: so an index by owner counts them.
        """
        owners = self.owners(model)
        if owners is None:
            return model.objects.visible_to(self.user)
        return model.objects.filter(**{f"{model.access_path}__in": owners})

    def read(
        self, statement: str, model: type[Model], *values: Any
    ) -> list[tuple[Any, ...]]:
        """Return what a statement says of the rows whose owners count.

        ``{whose}`` at its end becomes the condition that keeps them. For the figures of
        a page: Django takes longer to put a query together than the database to answer.
        """
        owners = self.owners(model)
        if owners is None:
            return read_all(statement.format(whose=""), values)
        whose = "AND owner_id = ANY(%s)"
        return read_all(statement.format(whose=whose), [*values, owners])

    @property
    def people_query(self) -> dict[str, str]:
        """Return the filters of a list that keep the rows of the chosen people."""
        found = {}
        if self.team is not None:
            found["team"] = str(self.team.pk)
        if self.person is not None:
            found["owner"] = str(self.person.pk)
        return found

    def days_query(self, field: str, period: Period | None = None) -> dict[str, str]:
        """Return the filters of a list that keep the rows of the period."""
        period = period or self.period
        found = {}
        if not period.is_open_at_start:
            found[f"{field}_after"] = period.start.isoformat()
        if not period.is_open_at_end:
            found[f"{field}_before"] = period.end.isoformat()
        return found

    @property
    def address(self) -> str:
        """Return the query of a page about the same."""
        found = {"period": str(self.key)}
        if self.key == PeriodKey.CUSTOM:
            if not self.period.is_open_at_start:
                found["start"] = self.period.start.isoformat()
            if not self.period.is_open_at_end:
                found["end"] = self.period.end.isoformat()
        if self.team is not None:
            found["team"] = str(self.team.pk)
        if self.person is not None:
            found["person"] = str(self.person.pk)
        return f"?{urlencode(found)}"


def with_usual_days(query: QueryDict, usual: Period) -> dict[str, str]:
    """Return the address with what is shown where it says nothing."""
    data = {"period": "" if query.get("start") or query.get("end") else USUAL.value}
    data |= {name: value for name, value in query.items() if value}
    if data["period"] == PeriodKey.CUSTOM and not data.keys() & {"start", "end"}:
        data |= {"start": usual.start.isoformat(), "end": usual.end.isoformat()}
    return data


def read_focus(
    request: HttpRequest, models: list[type[Model]]
) -> tuple[Focus, FocusForm]:
    """Read the address of a page that shows rows of these models.

    A team or a person outside every reach that the reader has is no choice at all.
    """
    user = request.user
    owned = [one for one in models if not getattr(one, "access_shared", False)]
    scopes = [scope_of(user, Verb.VIEW, model) for model in owned]
    scope = widest([one for one in scopes if one is not None])
    usual = period_of(USUAL, timezone.localdate())
    form = FocusForm(with_usual_days(request.GET, usual), user, scope)
    form.is_valid()
    read = form.cleaned_data
    key = PeriodKey(read.get("period") or USUAL)
    if key == PeriodKey.CUSTOM and not form.errors.keys() & {"start", "end"}:
        period = Period(read.get("start") or EARLIEST, read.get("end") or LATEST)
    else:
        key = USUAL if key == PeriodKey.CUSTOM else key
        period = period_of(key, timezone.localdate())
    focus = Focus(user, key, period, read.get("team"), read.get("person"))
    return focus, form
