"""Models of sales."""

from sales.models.catalogue import Category, Product
from sales.models.orders import Order, OrderLine
from sales.models.pipeline import Lead, Opportunity, Pipeline, Stage, StageChange
from sales.models.rollups import ChangedDay, Grain, OrderSum

__all__ = [
    "Category",
    "ChangedDay",
    "Grain",
    "Lead",
    "Opportunity",
    "Order",
    "OrderLine",
    "OrderSum",
    "Pipeline",
    "Product",
    "Stage",
    "StageChange",
]
