"""What the pages of customers show."""

from crm.access import Scope, Verb, reaches, scope_of
from crm.models import User
from customers.models import Contact, Customer, Interaction

MAX_CONTACTS = 20


def may_log(user: User, customer: Customer) -> bool:
    """Tell whether the person may write down an interaction with this customer."""
    scope = scope_of(user, Verb.ADD, Interaction)
    if scope in (None, Scope.ALL):
        return scope is not None
    # An interaction belongs to the owner of its customer.
    return reaches(user, scope, customer)


def contacts_of(user: User, customer: Customer) -> list[Contact]:
    """Return the customer's people, the first contact first."""
    contacts = Contact.objects.visible_to(user).filter(customer=customer)
    return list(contacts.order_by("-is_primary", "name", "pk")[:MAX_CONTACTS])
