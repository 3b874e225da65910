"""The start page: tiles that the apps registered."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crm.generic.registry import registry


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Show the tiles that the person sees, in order."""
    tiles = sorted((tile() for tile in registry.tiles), key=lambda tile: tile.order)
    parts = [
        {"tile": tile, "context": tile.get_context(request)}
        for tile in tiles
        if tile.visible(request.user)
    ]
    return render(request, "generic/start.html", {"parts": parts})


@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer a load balancer: the process runs and reaches the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")
