"""Addresses of the customers app beyond its generic pages."""

from django.urls import path

from customers import views

urlpatterns = [
    path("customers/<int:pk>/log/", views.log, name="customer_log"),
    path("customers/<int:pk>/timeline/", views.timeline, name="customer_timeline"),
]
