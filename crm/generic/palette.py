"""What Ctrl-K offers: every page of the menu and every short form one may use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from crm.generic.registry import registry
from crm.models import User

# The address names person and language, so a change of either is not kept waiting.
KEPT_FOR = 300


def groups(user: User) -> list[dict[str, Any]]:
    """Return the entries in the language of the moment."""
    pages = [
        {"label": item["label"], "url": item["url"], "icon": item["icon"] or "list"}
        for section in registry.navigation(user)
        for item in section["items"]
    ]
    forms = [
        {**item, "label": _("Add %(name)s") % {"name": item["label"]}, "quick": True}
        for item in registry.quick_adds(user)
    ]
    found = [{"label": _("Go to"), "entries": pages}]
    return [*found, {"label": _("Add"), "entries": forms}] if forms else found


def with_other_languages(user: User) -> list[dict[str, Any]]:
    """Return the entries with their names in the other languages, to be found by."""
    own = groups(user)
    here = translation.get_language()
    for code, _name in settings.LANGUAGES:
        if code == here:
            continue
        with translation.override(code):
            others = groups(user)
        for group, other in zip(own, others, strict=True):
            for entry, same in zip(group["entries"], other["entries"], strict=True):
                entry["also"] = f"{entry.get('also', '')} {same['label']}".strip()
    return own


def search_url() -> str:
    """Return where rows are searched, if there is such a place."""
    try:
        return reverse("search_suggest")
    except NoReverseMatch:
        return ""


@require_GET
@cache_control(private=True, max_age=KEPT_FOR)
def palette(request: HttpRequest) -> HttpResponse:
    """Answer with the entries as JSON."""
    entries = with_other_languages(request.user)
    return JsonResponse({"groups": entries, "search": search_url()})


urlpatterns = [path("palette/", palette, name="palette")]
