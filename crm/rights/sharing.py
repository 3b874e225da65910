"""Share one row with a person or a team, and take that back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.access import Verb, reaches, scope_of
from crm.audit import record
from crm.generic.base import GenericPage
from crm.generic.forms import use_pickers
from crm.generic.registry import registry
from crm.models import EventKind, Share, Team, User
from crm.models.sharing import ShareVerb
from crm.notifications.kinds import SHARE
from crm.notifications.telling import Telling, tell
from crm.security import events
from crm.shared import ways_to_wholes


def shares_of(row: models.Model) -> models.QuerySet:
    """Return with whom a row is shared."""
    label = type(row)._meta.label_lower
    rows = Share.objects.filter(model=label, object_id=row.pk)
    return rows.select_related("person", "team", "by")


def parts_of(model: type[models.Model]) -> list[str]:
    """Return what the rows are called that belong to a row of the model."""
    label = model._meta.label_lower
    return [
        str(one.model._meta.verbose_name_plural)
        for one in registry.pages.values()
        if label in ways_to_wholes(one.model).values()
    ]


def may_share(user: User, row: models.Model) -> bool:
    """Tell whether the person's own right to change reaches the row.

    A row that was shared with somebody is not theirs to share on.
    """
    scope = scope_of(user, Verb.CHANGE, type(row))
    return scope is not None and reaches(user, scope, row)


@transaction.atomic
def share_row(*, share: Share, row: models.Model, actor: User) -> Share:
    """Share a row, or change what a share lets do; both are logged.

    Raises PermissionDenied for an actor to whom the row does not belong.
    """
    if not may_share(actor, row):
        raise PermissionDenied
    share.model, share.object_id = type(row)._meta.label_lower, row.pk
    share.by = actor
    with_whom = {"person": share.person, "team": share.team}
    known = shares_of(row).filter(**with_whom).first()
    old = str(known) if known else None
    if known is not None:
        known.verb, known.note, known.by = share.verb, share.note, actor
        known.is_whole = share.is_whole
        share = known
    share.full_clean(validate_unique=False, validate_constraints=False)
    share.save()
    log(share, row, actor, [old, str(share)])
    if old is None:
        tell(_tellings(share, row, actor))
    return share


def _tellings(share: Share, row: models.Model, actor: User) -> list[Telling]:
    """Return what those are told to whom the row was opened."""
    people = [share.person_id]
    if share.team_id is not None:
        team = User.objects.active().filter(team=share.team_id)
        people = list(team.values_list("pk", flat=True))
    label = type(row)._meta.label_lower
    return [Telling(one, SHARE, label, [row.pk], actor.pk) for one in people]


@transaction.atomic
def unshare(*, share: Share, row: models.Model, actor: User) -> None:
    """Take a share back."""
    if not may_share(actor, row):
        raise PermissionDenied
    log(share, row, actor, [str(share), None])
    share.delete()


def log(share: Share, row: models.Model, actor: User, change: list[Any]) -> None:
    """Note it in the row's history and among the security events."""
    record(actor, "shared", row, {"shared": change})
    details = {"page": f"{share.model} {row.pk}"}
    details["added" if change[1] else "removed"] = change[1] or change[0]
    events.record(EventKind.SHARED, person=share.person, details=details)


class ShareForm(forms.ModelForm):
    """With whom, what they may do, and why."""

    person = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("Person"), required=False
    )
    team = forms.ModelChoiceField(
        Team.objects.none(), label=gettext_lazy("or a team"), required=False
    )
    verb = forms.ChoiceField(
        label=gettext_lazy("They may"), choices=ShareVerb.choices, initial="view"
    )

    class Meta:
        model = Share
        fields = ("person", "team", "verb", "is_whole", "note")

    def __init__(
        self, *args: Any, actor: User, model: type[models.Model], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if parts := parts_of(model):
            self.fields["is_whole"].help_text = capfirst(", ".join(parts))
        else:
            del self.fields["is_whole"]
        people = User.objects.visible_to(actor).active().exclude(pk=actor.pk)
        self.fields["person"].queryset = people
        self.fields["team"].queryset = Team.objects.visible_to(actor)
        use_pickers(self)

    def clean(self) -> dict[str, Any]:
        """Ask for exactly one of the two."""
        data = super().clean()
        if not self.errors and bool(data.get("person")) == bool(data.get("team")):
            raise ValidationError({"person": _("Choose a person or a team.")})
        return data

    def validate_unique(self) -> None:
        """Take a second share with the same people as a change of the first."""

    def validate_constraints(self) -> None:
        """Leave that to clean(), which says it beside the field."""

    def _get_validation_exclusions(self) -> set[str]:
        return super()._get_validation_exclusions() | {"model", "object_id"}


class SharePage(GenericPage):
    """With whom a row is shared; for those to whom it belongs."""

    verb = Verb.CHANGE
    template_name = "rights/share.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the form and the present shares."""
        row = self.find_own(pk)
        return self.show(row, ShareForm(actor=request.user, model=self.model))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Share the row, or take one share back."""
        row = self.find_own(pk)
        if "remove" in request.POST:
            return self.remove(row, request.POST["remove"])
        form = ShareForm(request.POST, actor=request.user, model=self.model)
        if not form.is_valid():
            return self.show(row, form, 422)
        share = share_row(share=form.save(commit=False), row=row, actor=request.user)
        messages.success(request, _("Shared with %(name)s.") % {"name": share})
        return redirect(request.path)

    def find_own(self, pk: int) -> models.Model:
        """Return the row if it is the person's to share."""
        row = self.find(pk)
        if not may_share(self.request.user, row):
            raise PermissionDenied
        return row

    def remove(self, row: models.Model, text: str) -> HttpResponse:
        """Take one share back; one that is gone already needs nothing."""
        found = {str(one.pk): one for one in shares_of(row)}
        if text in found:
            name = str(found[text])
            unshare(share=found[text], row=row, actor=self.request.user)
            messages.success(
                self.request, _("No longer shared with %(name)s.") % {"name": name}
            )
        return redirect(self.request.path)

    def show(
        self, row: models.Model, form: ShareForm, status: int = 200
    ) -> HttpResponse:
        """Answer with the page."""
        context = {
            "object": row,
            "form": form,
            "shares": shares_of(row),
            "title": _("Share: %(name)s") % {"name": row},
            "breadcrumbs": self.breadcrumbs(row),
        }
        return self.render(context, status=status)
