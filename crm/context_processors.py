"""What the frame around every page needs."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.functional import SimpleLazyObject

from crm.frame import key_of
from crm.generic.registry import registry
from crm.keys import key_labels

THEMES = ("light", "dark", "auto")
BEHAVIOURS = tuple(
    f"js/{name}.js"
    for name in (
        "sidebar",
        "menus",
        "keys",
        "dialogs",
        "guard",
        "drafts",
        "save-keys",
        "quick-add",
        "palette",
        "bell",
        "mentions",
        "filters",
        "formset",
        "requests",
        "rows",
        "search",
        "cells",
    )
)


def shell(request: HttpRequest) -> dict[str, object]:
    """Return navigation, languages and the reader's choices of look."""
    theme = request.COOKIES.get("theme", "auto")
    found: dict[str, object] = {
        # Parts of pages are rendered too; only whole pages look at the navigation.
        "navigation": SimpleLazyObject(lambda: navigation(request)),
        "languages": SimpleLazyObject(languages),
        "quick_adds": SimpleLazyObject(lambda: registry.quick_adds(request.user)),
        "address": request.get_full_path(),
        "behaviours": BEHAVIOURS,
        "key_labels": lambda: key_labels(translation.get_language()),
        "theme": theme if theme in THEMES else "auto",
        "sidebar": "narrow" if request.COOKIES.get("sidebar") == "narrow" else "wide",
    }
    found["frame_key"] = SimpleLazyObject(lambda: key_of(request, found))
    return found


def navigation(request: HttpRequest) -> list[dict]:
    """Return the person's menu; the entry nearest to the address is the active one."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    sections = registry.navigation(user)
    items = [item for section in sections for item in section["items"]]
    here = [item for item in items if is_under(request.path, item["url"])]
    active = max(here, key=lambda item: len(item["url"]), default=None)
    return [
        {
            **section,
            "items": [{**item, "active": item is active} for item in section["items"]],
        }
        for section in sections
    ]


def is_under(path: str, url: str) -> bool:
    """Say whether an address lies below an entry; the start page owns only itself."""
    return path == url or (url != "/" and path.startswith(url))


def languages() -> list[dict[str, object]]:
    """Return the languages, each by its own name."""
    current = translation.get_language()
    return [
        {"code": code, "name": name, "active": code == current}
        for code, name in settings.LANGUAGES
    ]
