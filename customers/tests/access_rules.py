"""Who may open the special addresses of the customers app."""

from crm.testing.access_matrix import Rule
from customers.models import Customer, DuplicatePair, Interaction
from customers.tests.recipes import make_pair

RULES = {
    "customers:customer_timeline": Rule(Customer),
    "customers:customer_log": Rule(
        Customer,
        methods=("post",),
        needs=((Interaction, "add"),),
        # Seen, but somebody else's: what is noted there would be out of reach.
        also=(403,),
    ),
    "customers:duplicatepair_scan": Rule(DuplicatePair, "run", methods=("post",)),
    "customers:duplicatepair_dismiss": Rule(
        DuplicatePair, "change", methods=("post",), make=make_pair
    ),
    "customers:duplicatepair_reopen": Rule(
        DuplicatePair, "change", methods=("post",), make=make_pair
    ),
}
