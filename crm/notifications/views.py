"""The bell, the list of notifications, and what a person wants to hear."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from crm.generic.rows import find_row
from crm.models import Notification
from crm.notifications import choices, follows, showing

PAGE_SIZE = 50
IN_PANEL = 12
ROWS_LISTED = 100


@require_GET
@never_cache
def notification_count(request: HttpRequest) -> JsonResponse:
    """Answer the bell; the number came along with the person."""
    return JsonResponse({"unread": request.user.unread_count})


@require_GET
@never_cache
def notification_panel(request: HttpRequest) -> HttpResponse:
    """Show the newest, for the bell."""
    newest = list(showing.of(request.user)[:IN_PANEL])
    context = shown(request, newest)
    return render(request, "notifications/_panel.html", context)


@require_GET
@never_cache
def notification_list(request: HttpRequest) -> HttpResponse:
    """List a person's notifications, newest first."""
    only_unread = request.GET.get("show") == "unread"
    rows = showing.unread_of(request.user) if only_unread else showing.of(request.user)
    try:
        place = int(request.GET.get("from", "0"))
    except ValueError:
        place = 0
    place = min(max(place, 0), 10_000)
    page = list(rows[place : place + PAGE_SIZE + 1])
    kept = "show=unread&" if only_unread else ""
    more = len(page) > PAGE_SIZE
    context = shown(request, page[:PAGE_SIZE]) | {
        "title": _("Notifications"),
        "only_unread": only_unread,
        "next_url": f"?{kept}from={place + PAGE_SIZE}" if more else "",
        "first_url": f"?{kept}" if place else "",
    }
    return render(request, "notifications/list.html", context)


def shown(request: HttpRequest, page: list[Notification]) -> dict[str, Any]:
    """Return what of a page the person may see; the rest leaves the bell's count."""
    lines = showing.lines_of(request.user, page)
    showing.put_out_of_sight(request.user, lines, page)
    return {"groups": showing.grouped(lines)}


def own(request: HttpRequest, pk: int) -> Notification:
    """Return a notification of the person's own, or answer 404."""
    found = showing.of(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@require_GET
@never_cache
def notification_open(request: HttpRequest, pk: int) -> HttpResponse:
    """Go to what it is about; whoever opens it has read it, and the rest about it."""
    one = own(request, pk)
    lines = showing.lines_of(request.user, [one])
    about = showing.of(request.user).filter(pk=one.pk)
    if one.object_id is not None:
        about = showing.of(request.user).filter(
            model=one.model, object_id=one.object_id
        )
    showing.mark_read(request.user, about)
    if not lines:
        messages.info(request, _("You can no longer see what this was about."))
        return redirect("crm:notification_list")
    if lines[0].row is not None:
        return redirect(lines[0].row.get_absolute_url())
    rows, count = showing.rows_of_many(request.user, one, ROWS_LISTED)
    context = {
        "title": lines[0].text,
        "line": lines[0],
        "rows": rows,
        "count": count,
        "is_cut": count > len(rows),
        "breadcrumbs": [
            {"label": _("Notifications"), "url": reverse("crm:notification_list")}
        ],
    }
    return render(request, "notifications/many.html", context)


@require_POST
def notification_read(request: HttpRequest) -> HttpResponse:
    """Mark one as read, with all about the same row, or every one."""
    rows = showing.of(request.user)
    text = request.POST.get("one", "")
    if text:
        if not text.isdecimal() or len(text) > 18:
            raise Http404
        one = own(request, int(text))
        same = {"pk": one.pk}
        if one.object_id is not None:
            same = {"model": one.model, "object_id": one.object_id}
        rows = rows.filter(**same)
    showing.mark_read(request.user, rows)
    if request.htmx:
        return notification_panel_after(request)
    return redirect("crm:notification_list")


def notification_panel_after(request: HttpRequest) -> HttpResponse:
    """Draw the bell's panel anew, with the new count."""
    request.user.__dict__.pop("unread_count", None)
    context = shown(request, list(showing.of(request.user)[:IN_PANEL]))
    return render(
        request,
        "notifications/_panel.html",
        context | {"unread": request.user.unread_count},
    )


@require_http_methods(["GET", "POST"])
def notification_settings(request: HttpRequest) -> HttpResponse:
    """Choose by kind what comes into the list, and what by mail."""
    form = choices.ChoicesForm(request.POST or None, person=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your settings are saved."))
        return redirect("crm:notification_settings")
    context = {
        "title": _("Notification settings"),
        "form": form,
        "breadcrumbs": [
            {"label": _("Notifications"), "url": reverse("crm:notification_list")}
        ],
    }
    status = 422 if form.is_bound else 200
    return render(request, "notifications/settings.html", context, status=status)


@require_POST
def follow(request: HttpRequest, label: str, pk: int) -> HttpResponse:
    """Follow a row that one may see, mute it, or neither."""
    row = find_row(label, pk, request.user, takes="takes_notes")
    stance = request.POST.get("stance", "")
    follows.set_stance(user=request.user, row=row, stance=stance)
    if request.htmx:
        from crm.notes.views import answer

        return answer(request, row)
    return redirect(row.get_absolute_url())


urlpatterns = [
    path("notifications/", notification_list, name="notification_list"),
    path("notifications/count/", notification_count, name="notification_count"),
    path("notifications/panel/", notification_panel, name="notification_panel"),
    path("notifications/read/", notification_read, name="notification_read"),
    path(
        "notifications/settings/", notification_settings, name="notification_settings"
    ),
    path("notifications/<int:pk>/", notification_open, name="notification_open"),
    path("follow/<str:label>/<int:pk>/", follow, name="follow"),
]
