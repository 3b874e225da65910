"""Addresses of the customers app beyond its generic pages."""

from django.urls import path

from customers import views
from customers.choices import PairState

urlpatterns = [
    path("customers/<int:pk>/log/", views.log, name="customer_log"),
    path("customers/<int:pk>/timeline/", views.timeline, name="customer_timeline"),
    path("customers/duplicates/scan/", views.scan, name="duplicatepair_scan"),
    path(
        "customers/duplicates/<int:pk>/dismiss/",
        views.judge,
        {"state": PairState.DISMISSED},
        name="duplicatepair_dismiss",
    ),
    path(
        "customers/duplicates/<int:pk>/reopen/",
        views.judge,
        {"state": PairState.OPEN},
        name="duplicatepair_reopen",
    ),
]
