"""Write notes at rows and find people to mention in them."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.generic.detail import Part
from crm.generic.patience import TooSlowError, limited
from crm.generic.registry import registry
from crm.history.context import offer_undo
from crm.models import User
from crm.notes import services
from crm.notes.finding import find_notes
from crm.notes.forms import NoteForm
from crm.notes.mentions import find_people, to_typed
from crm.notes.panels import NotesPanel
from crm.notifications.reach import visible_ids

PEOPLE = 6


@require_GET
@never_cache
def note_list(request: HttpRequest) -> HttpResponse:
    """Search the notes at everything that the person may see; the latest first."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    found, is_too_slow = [], False
    try:
        with limited():
            found = find_notes(request.user, text)
    except TooSlowError:
        is_too_slow = True
    context = {
        "title": _("Notes"),
        "text": text,
        "found": found,
        "is_too_slow": is_too_slow,
    }
    return render(request, "notes/list.html", context)


@require_POST
def note_add(request: HttpRequest, label: str, pk: int) -> HttpResponse:
    """Write a note at a row."""
    row = services.row_of(label, pk, request.user)
    form = form_of(request, row, request.POST)
    if not form.is_valid():
        return answer(request, row, form)
    text = form.cleaned_data["text"]
    with transaction.atomic():
        services.let_in(form.strangers, row, request.user)
        services.write_note(row=row, text=text, actor=request.user)
    return answer(request, row)


def form_of(request: HttpRequest, row: models.Model, *args, **kwargs) -> NoteForm:
    """Return the form of a note at the row."""
    url = reverse("crm:note_people", args=[row._meta.label_lower, row.pk])
    return NoteForm(*args, row=row, actor=request.user, url=url, **kwargs)


def answer(
    request: HttpRequest,
    row: models.Model,
    form: NoteForm | None = None,
    *,
    gone: bool = False,
) -> HttpResponse:
    """Draw the panel anew to htmx; without it go back to the row, or say the error."""
    pages = registry.pages_of(type(row))
    url = pages.url("detail", row)
    if not request.htmx and form is None:
        return redirect(url)
    panel = NotesPanel()
    part = Part(panel, panel.get_context(request, row, form))
    context = {"object": row, "panel": panel, "part": part}
    if gone:
        context |= {"gone": True, "number": request.operation, "next": url}
    status = 422 if form is not None else 200
    if request.htmx:
        context |= part.context
        return render(request, "generic/_part.html", context, status=status)
    context["breadcrumbs"] = [{"label": str(row), "url": url}]
    return render(request, "generic/panel.html", context, status=status)


@require_http_methods(["GET", "POST"])
def note_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one's own note."""
    note, row = services.find(pk, request.user)
    if not services.may_edit(request.user, note):
        raise PermissionDenied
    text, people = to_typed(note.text)
    initial = {"text": text, "mention": people}
    form = form_of(request, row, request.POST or None, initial=initial)
    url = registry.pages_of(type(row)).url("detail", row)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            services.let_in(form.strangers, row, request.user)
            services.rewrite_note(
                note=note, text=form.cleaned_data["text"], actor=request.user
            )
        offer_undo(request, _("The note was changed."))
        return redirect(url)
    context = {
        "title": _("Edit note"),
        "form": form,
        "row_url": url,
        "breadcrumbs": [{"label": str(row), "url": url}],
    }
    status = 422 if form.is_bound else 200
    return render(request, "notes/edit.html", context, status=status)


@require_POST
def note_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a note away; it can be brought back."""
    note, row = services.find(pk, request.user)
    services.remove_note(note=note, row=row, actor=request.user)
    if request.htmx:
        return answer(request, row, gone=True)
    offer_undo(request, _("The note was deleted."))
    return redirect(registry.pages_of(type(row)).url("detail", row))


@require_GET
@never_cache
def note_people(request: HttpRequest, label: str, pk: int) -> HttpResponse:
    """Offer people whose name has what was typed; say who could not see the row."""
    row = services.row_of(label, pk, request.user)
    text = request.GET.get("q", "").strip()[:60]
    people = find_people(request.user, text, PEOPLE)
    context = {"people": [{"person": one, "sees": sees(one, row)} for one in people]}
    return render(request, "notes/_people.html", context)


def sees(person: User, row: models.Model) -> bool:
    """Tell whether a person may see the row."""
    return bool(visible_ids(person, row._meta.label_lower, [row.pk]))


urlpatterns = [
    path("notes/", note_list, name="note_list"),
    path("notes/<str:label>/<int:pk>/", note_add, name="note_add"),
    path("notes/<str:label>/<int:pk>/people/", note_people, name="note_people"),
    path("notes/<int:pk>/edit/", note_edit, name="note_edit"),
    path("notes/<int:pk>/remove/", note_remove, name="note_remove"),
]
