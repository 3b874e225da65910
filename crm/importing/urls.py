"""Addresses of the import pages; crm/urls.py puts them into the namespace ``crm``."""

from django.urls import path

from crm.importing import views

urlpatterns = [
    path("imports/", views.import_list, name="import_list"),
    path("imports/new/", views.import_new, name="import_new"),
    path("imports/<int:pk>/", views.import_detail, name="import_detail"),
    path("imports/<int:pk>/columns/", views.import_map, name="import_map"),
    path("imports/<int:pk>/check/", views.import_check, name="import_check"),
    path("imports/<int:pk>/start/", views.import_start, name="import_start"),
    path("imports/<int:pk>/rejected/", views.import_rejects, name="import_rejects"),
]
