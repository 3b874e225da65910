"""Saving, changing and deleting the saved views of lists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from crm.access import Verb, can, get_visible_or_404, require
from crm.exceptions import UserVisibleError
from crm.generic import saved_views
from crm.generic.registry import registry
from crm.models import Role, SavedView, User


class ViewForm(forms.ModelForm):
    """Name, readers and place of a view; which roles it opens for, if one may say."""

    default_for = forms.ModelMultipleChoiceField(
        Role.objects.all(),
        label=gettext_lazy("Opens first for"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=SavedView._meta.get_field("default_for").help_text,
    )

    class Meta:
        model = SavedView
        fields = ("name", "sharing", "is_pinned", "position", "default_for")

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["position"].required = False
        if not saved_views.may_manage_all(actor):
            del self.fields["default_for"]

    def clean_position(self) -> int:
        """Take no position for the first one."""
        return self.cleaned_data.get("position") or 0


def pages_of(key: str, user: User) -> Any:
    """Return the pages of a list that the person may open, or answer 404."""
    try:
        model = apps.get_model(key)
    except (LookupError, ValueError) as error:
        raise Http404 from error
    pages = registry.pages_of(model)
    if pages is None or not can(user, Verb.VIEW, model):
        raise Http404
    return pages


def find_view(user: User, pk: int, verb: str = Verb.CHANGE) -> SavedView:
    """Return a view that the person may change, or answer 404."""
    view = get_visible_or_404(SavedView, user, pk, verb)
    pages_of(view.list_key, user)
    return view


def leave(view: SavedView) -> HttpResponse:
    """Lead to the list as the view shows it."""
    pages = registry.pages_of(apps.get_model(view.list_key))
    return redirect(f"{pages.url('list')}?view={view.pk}")


def show(request: HttpRequest, form: ViewForm, pages: Any) -> HttpResponse:
    """Answer with the form of a view."""
    view = form.instance
    names = capfirst(str(pages.model._meta.verbose_name_plural))
    context = {
        "form": form,
        "view": view if view.pk else None,
        "query": view.query,
        "list_key": view.list_key,
        "title": _("Edit the view") if view.pk else _("Save as a view"),
        "breadcrumbs": [{"label": names, "url": pages.url("list")}],
        "cancel_url": f"{pages.url('list')}?{view.query}",
    }
    status = 422 if form.errors else 200
    return render(request, "generic/view_form.html", context, status=status)


def save(request: HttpRequest, view: SavedView) -> HttpResponse:
    """Save a view from its form; what is wrong is said there."""
    pages = pages_of(view.list_key, request.user)
    sent = request.POST if request.method == "POST" else None
    form = ViewForm(sent, instance=view, actor=request.user)
    if sent is None or not form.is_valid():
        return show(request, form, pages)
    try:
        view = saved_views.save_view(
            view=form.save(commit=False),
            actor=request.user,
            roles=form.cleaned_data.get("default_for"),
        )
    except UserVisibleError as error:
        form.add_error(None, str(error))
        return show(request, form, pages)
    messages.success(request, _("The view is saved."))
    return leave(view)


def view_add(request: HttpRequest) -> HttpResponse:
    """Save an address as a new view."""
    require(request.user, Verb.ADD, SavedView)
    sent = request.POST if request.method == "POST" else request.GET
    try:
        query = saved_views.clean_query(sent.get("query", ""))
    except UserVisibleError as error:
        messages.error(request, str(error))
        return redirect("start")
    return save(
        request, SavedView(list_key=sent.get("list_key", "")[:100], query=query)
    )


def view_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a view, share it, give it a place."""
    return save(request, find_view(request.user, pk))


@require_POST
def view_update(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a view stand for another address."""
    view = find_view(request.user, pk)
    try:
        view.query = saved_views.clean_query(request.POST.get("query", ""))
        saved_views.save_view(view=view, actor=request.user)
    except UserVisibleError as error:
        messages.error(request, str(error))
        return leave(view)
    messages.success(request, _("The view is saved."))
    return leave(view)


@require_POST
def view_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a view."""
    view = find_view(request.user, pk, Verb.DELETE)
    pages = pages_of(view.list_key, request.user)
    saved_views.delete_view(view=view, actor=request.user)
    messages.success(request, _("The view is deleted."))
    return redirect(f"{pages.url('list')}?view=all")


urlpatterns = [
    path("views/new/", view_add, name="view_add"),
    path("views/<int:pk>/", view_edit, name="view_edit"),
    path("views/<int:pk>/update/", view_update, name="view_update"),
    path("views/<int:pk>/delete/", view_delete, name="view_delete"),
]
