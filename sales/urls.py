"""Addresses of the sales app beyond its generic pages."""

from django.urls import path

from sales import views
from sales.choices import OrderState

MOVES = {
    "confirm": OrderState.CONFIRMED,
    "ship": OrderState.SHIPPED,
    "complete": OrderState.COMPLETED,
    "cancel": OrderState.CANCELLED,
}

urlpatterns = [
    path("sales/", views.sales_report, name="report"),
    *(
        path(
            f"orders/<int:pk>/{move}/",
            views.move_order,
            {"state": str(state)},
            name=f"order_{move}",
        )
        for move, state in MOVES.items()
    ),
    path("orders/<int:pk>/return/", views.return_order, name="order_return"),
    path("leads/<int:pk>/work/", views.work_on_lead, name="lead_work"),
    path("leads/<int:pk>/lose/", views.lose_lead, name="lead_lose"),
    path("leads/<int:pk>/convert/", views.convert_lead, name="lead_convert"),
]
