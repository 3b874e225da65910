"""Addresses of the search."""

from django.urls import path

from crm.search import views

urlpatterns = [
    path("search/", views.search_page, name="search"),
    path("search/suggest/", views.suggest, name="search_suggest"),
]
