"""The field history as administrators search it."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from crm.access import Verb, hidden_fields, require
from crm.generic.patience import TooSlowError, limited
from crm.history.tables import tracked_models
from crm.history.views import describe
from crm.models import Change, ChangeVerb, User

PAGE_SIZE = 50
# Looked at without a wish: the newest.
DAYS = 30


class Without(models.Func):
    """The values of a change without some columns."""

    template, arg_joiner = "(%(expressions)s)", " - "
    output_field = models.JSONField()


class SearchForm(forms.Form):
    """What to look for; everything is optional."""

    model = forms.ChoiceField(label=gettext_lazy("Kind of row"), required=False)
    object_id = forms.IntegerField(
        label=gettext_lazy("Number of the row"),
        required=False,
        min_value=1,
        max_value=2**63 - 1,
    )
    person = forms.ModelChoiceField(
        User.objects.all(), label=gettext_lazy("Person"), required=False
    )
    verb = forms.ChoiceField(
        label=gettext_lazy("What was done"),
        choices=[("", gettext_lazy("Everything")), *ChangeVerb.choices],
        required=False,
    )
    text = forms.CharField(
        label=gettext_lazy("Old or new value has"), required=False, max_length=200
    )
    since = forms.DateField(
        label=gettext_lazy("From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    until = forms.DateField(
        label=gettext_lazy("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A text is not looked for in what the reader may not see.
        self.hidden = sorted(
            model._meta.get_field(name).column
            for model in tracked_models().values()
            for name in hidden_fields(user, model)
            if model._meta.get_field(name).concrete
            and not model._meta.get_field(name).many_to_many
        )
        names = [
            (label, capfirst(str(model._meta.verbose_name)))
            for label, model in tracked_models().items()
            if not model._meta.auto_created
        ]
        names.sort(key=lambda pair: pair[1])
        self.fields["model"].choices = [("", _("All")), *names]

    def clean_text(self) -> str:
        """Take the text as it stands in the log, where special signs are escaped."""
        return self.cleaned_data["text"].replace("\\", "\\\\").replace('"', '\\"')

    def rows(self) -> models.QuerySet:
        """Return the changes that fit, newest first."""
        wanted = self.cleaned_data
        rows = Change.objects.select_related("operation__actor").order_by("-pk")
        if wanted["model"]:
            rows = rows.filter(model=wanted["model"])
        if wanted["object_id"]:
            pk = wanted["object_id"]
            rows = rows.filter(models.Q(object_id=pk) | Change.added_has(pk))
        if wanted["person"]:
            rows = rows.filter(operation__actor=wanted["person"])
        if wanted["verb"]:
            rows = rows.filter(verb=wanted["verb"])
        if wanted["text"]:
            kept = models.Value(self.hidden, ArrayField(models.TextField()))
            rows = rows.annotate(
                old_text=Cast(Without("old", kept), models.TextField()),
                new_text=Cast(Without("new", kept), models.TextField()),
            ).filter(
                models.Q(old_text__icontains=wanted["text"])
                | models.Q(new_text__icontains=wanted["text"])
            )
        since = wanted["since"] or (
            None if wanted["object_id"] else timezone.localdate() - _days(DAYS)
        )
        if since:
            rows = rows.filter(at__date__gte=since)
        if wanted["until"]:
            rows = rows.filter(at__date__lte=wanted["until"])
        return rows


def _days(number: int) -> datetime.timedelta:
    return datetime.timedelta(days=number)


@require_GET
def change_list(request: HttpRequest) -> HttpResponse:
    """Search the field history."""
    require(request.user, Verb.VIEW, Change)
    form = SearchForm(request.GET, user=request.user)
    page: list[Change] = []
    too_slow = False
    before = request.GET.get("before", "")
    if form.is_valid():
        rows = form.rows()
        if before.isdecimal() and len(before) < 19:
            rows = rows.filter(pk__lt=before)
        try:
            with limited():
                page = list(rows[: PAGE_SIZE + 1])
        except TooSlowError:
            too_slow = True
    query = {key: value for key, value in request.GET.items() if key != "before"}
    older = (
        {**query, "before": page[PAGE_SIZE - 1].pk} if len(page) > PAGE_SIZE else None
    )
    context = {
        "title": _("Field history"),
        "form": form,
        "days": DAYS,
        "is_too_slow": too_slow,
        "changes": describe(page[:PAGE_SIZE], request),
        "first_url": f"?{urlencode(query)}" if before else "",
        "next_url": f"?{urlencode(older)}" if older else "",
    }
    return render(request, "history/change_list.html", context)


urlpatterns = [path("changes/", change_list, name="change_list")]
