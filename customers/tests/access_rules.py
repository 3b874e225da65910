"""Who may open the special addresses of the customers app."""

from crm.testing.access_matrix import Rule
from customers.models import Customer, Interaction

RULES = {
    "customers:customer_timeline": Rule(Customer),
    "customers:customer_log": Rule(
        Customer,
        methods=("post",),
        needs=((Interaction, "add"),),
        # Seen, but somebody else's: what is noted there would be out of reach.
        also=(403,),
    ),
}
