"""Demo products, orders, leads and opportunities."""

from crm.seeding import Demo
from sales.seed_catalogue import add_catalogue
from sales.seed_orders import add_orders
from sales.seed_pipeline import add_leads, add_opportunities


def seed(demo: Demo) -> None:
    """Add what the demo company sells, sold, and hopes to sell."""
    add_catalogue(demo)
    add_orders(demo)
    add_leads(demo)
    add_opportunities(demo)
