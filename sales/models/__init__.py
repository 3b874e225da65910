"""Models of sales."""

from sales.models.catalogue import Category, Product
from sales.models.orders import Order, OrderLine
from sales.models.pipeline import Lead, Opportunity, Pipeline, Stage, StageChange

__all__ = [
    "Category",
    "Lead",
    "Opportunity",
    "Order",
    "OrderLine",
    "Pipeline",
    "Product",
    "Stage",
    "StageChange",
]
