"""Addresses: the generic pages of every app, then the few that are not generic.

An app adds special pages by ``<app>/urls.py``; they share the app's namespace and come
first.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from crm import job_pages, profile, view_pages
from crm.admin import register_missing
from crm.attachments import views as attachment_views
from crm.generic import export_job, palette, start
from crm.generic.registry import registry
from crm.history import log, trash
from crm.history import views as history_views
from crm.importing import urls as import_urls
from crm.notes import views as note_views
from crm.notifications import views as notification_views
from crm.rights import views as rights_views
from crm.search import urls as search_urls
from crm.security import admin as admin_of_security


def app_urls() -> list[URLResolver]:
    """Return one namespace per app with its special and its generic pages."""
    by_app: dict[str, list[URLPattern | URLResolver]] = {
        "crm": [
            *job_pages.urlpatterns,
            *attachment_views.urlpatterns,
            *note_views.urlpatterns,
            *notification_views.urlpatterns,
            *import_urls.urlpatterns,
            *view_pages.urlpatterns,
            *export_job.urlpatterns,
            *history_views.urlpatterns,
            *trash.urlpatterns,
            *log.urlpatterns,
            *rights_views.urlpatterns,
        ]
    }
    for config in apps.get_app_configs():
        name = f"{config.name}.urls"
        if (
            is_ours(config.name)
            and config.name != "crm"
            and find_spec(name) is not None
        ):
            by_app[config.label] = list(import_module(name).urlpatterns)
    for pages in registry.pages.values():
        by_app.setdefault(pages.namespace, []).extend(pages.urlpatterns())
    return [
        path("", include((patterns, label), namespace=label))
        for label, patterns in by_app.items()
    ]


def is_ours(name: str) -> bool:
    """Tell our apps from installed packages."""
    return Path(settings.BASE_DIR, *name.split(".")).is_dir()


register_missing()
admin_of_security.register()

# All are asked for by name: errors, allauth's limits, Django's admin.
handler500 = "crm.errors.server_error"
handler429 = "crm.security.throttling.too_many"
urlpatterns = [
    path("", start.start, name="start"),
    path("healthz", start.healthz, name="healthz"),
    path("accounts/", include("crm.account_urls")),
    # Whoever is inside the administration changes a password where all others do.
    path(
        "admin/password_change/",
        RedirectView.as_view(pattern_name="account_change_password"),
    ),
    path("admin/", admin.site.urls),
    *profile.urlpatterns,
    *search_urls.urlpatterns,
    *palette.urlpatterns,
    *app_urls(),
]
