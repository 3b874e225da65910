"""What a flat file can fill in sales."""

from sales.imports.leads import LeadImporter
from sales.imports.opportunities import OpportunityImporter
from sales.imports.orders import OrderImporter
from sales.imports.products import ProductImporter

__all__ = [
    "LeadImporter",
    "OpportunityImporter",
    "OrderImporter",
    "ProductImporter",
]
