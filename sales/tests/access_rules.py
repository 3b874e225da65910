"""Who may open the special addresses of the sales app."""

from crm.testing.access_matrix import Rule
from customers.models import Customer
from sales.models import Lead, Order

BUTTON = ("post",)
FORM = ("get", "post")
RULES = {
    "sales:report": Rule(Order),
    "sales:order_confirm": Rule(Order, "change", BUTTON),
    "sales:order_ship": Rule(Order, "change", BUTTON),
    "sales:order_complete": Rule(Order, "change", BUTTON),
    "sales:order_cancel": Rule(Order, "change", BUTTON),
    "sales:order_return": Rule(Order, "change", FORM, needs=((Order, "add"),)),
    "sales:lead_work": Rule(Lead, "change", BUTTON),
    "sales:lead_lose": Rule(Lead, "change", FORM),
    "sales:lead_convert": Rule(Lead, "change", FORM, needs=((Customer, "add"),)),
}
