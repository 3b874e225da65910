"""What people read where the program itself failed."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.template import loader

from crm.jobs.runner import is_interruption

# Seconds after which a database that was restarted answers again, usually.
AGAIN = "5"


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500, or 503 where the database was away and trying again will do."""
    is_away = is_interruption(sys.exc_info()[1])
    text = loader.render_to_string("500.html", {"is_away": is_away})
    if not is_away:
        return HttpResponse(text, status=500)
    return HttpResponse(text, status=503, headers={"Retry-After": AGAIN})
