"""Addresses of the service app beyond its generic pages."""

from django.urls import path

from service import views

urlpatterns = [
    path("tickets/<int:pk>/assign/", views.assign, name="ticket_assign"),
    path("tickets/<int:pk>/take/", views.take, name="ticket_take"),
    path("tickets/<int:pk>/messages/", views.reply, name="ticket_reply"),
    path("tickets/<int:pk>/category/", views.categorise, name="ticket_categorise"),
]
