"""The start page: tiles that the apps registered."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crm.generic.focus import read_focus
from crm.generic.registry import registry


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Show the tiles that the person sees, in order."""
    tiles = sorted((tile() for tile in registry.tiles), key=lambda tile: tile.order)
    seen = [tile for tile in tiles if tile.visible(request.user)]
    models = [tile.requires for tile in seen if tile.requires is not None]
    request.focus, form = read_focus(request, models)
    parts = [
        {
            "tile": tile,
            "context": tile.get_context(request),
            "aside": tile.aside(request.focus),
        }
        for tile in seen
    ]
    context = {"parts": parts, "focus": request.focus, "focus_form": form}
    return render(request, "generic/start.html", context)


@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer a load balancer: the process runs and reaches the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")
