"""The page of results, and the suggestions while one types."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from crm.search.finding import Found, find_all
from crm.search.query import MAX_LENGTH, MAX_WORDS, too_long

PER_TYPE = 5
SUGGESTED_PER_TYPE = 3
SUGGESTED = 10


@require_GET
def search_page(request: HttpRequest) -> HttpResponse:
    """Show what was found, grouped by type."""
    found = find_all(request.user, request.GET.get("q", ""), PER_TYPE)
    context = {"found": found, "notes": notes(request, found), "title": _("Search")}
    return render(request, "search/page.html", context)


@require_GET
@never_cache
def suggest(request: HttpRequest) -> HttpResponse:
    """Suggest a few rows: a part of the page, or JSON for those who ask for it."""
    found = find_all(request.user, request.GET.get("q", ""), SUGGESTED_PER_TYPE)
    shorten(found)
    if request.accepts("text/html"):
        context = {"found": found, "notes": notes(request, found)}
        response = render(request, "search/_suggestions.html", context)
    else:
        response = JsonResponse(as_data(found), safe=False)
    patch_vary_headers(response, ["Accept"])
    return response


def shorten(found: Found) -> None:
    """Keep as many hits as fit under the box, the best types first."""
    left = SUGGESTED
    for group in found.groups:
        group.hits = group.hits[:left]
        left -= len(group.hits)
    found.groups = [group for group in found.groups if group.hits]


def as_data(found: Found) -> list[dict[str, Any]]:
    """Return the hits for programs."""
    return [
        {
            "type": group.type,
            "label": group.label,
            "icon": group.icon,
            "title": hit.title,
            "text": " · ".join(hit.facts),
            "url": hit.url,
        }
        for group in found.groups
        for hit in group.hits
    ]


def notes(request: HttpRequest, found: Found) -> list[str]:
    """Return in sentences what was not done as it was asked for."""
    typed = " ".join(request.GET.get("q", "").split())
    said = []
    if len(typed) > MAX_LENGTH:
        said.append(too_long())
    elif len(typed.split()) > MAX_WORDS:
        said.append(
            _("Only the first %(number)s words are searched.") % {"number": MAX_WORDS}
        )
    if found.is_too_short:
        said.append(_("Type at least two letters, or one Chinese character."))
    elif typed and not found.query:
        said.append(_("There is no letter or digit in this text to search for."))
    return said
