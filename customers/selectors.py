"""What the pages of customers show."""

from datetime import datetime

from django.db.models import Q

from crm.access import Scope, Verb, reaches, scope_of
from crm.models import Job, JobState, User
from customers.choices import PairState
from customers.models import Contact, Customer, DuplicatePair, Interaction

MAX_CONTACTS = 20
MAX_PAIRS = 5


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


def open_pairs_of(user: User, customer: Customer) -> list[DuplicatePair]:
    """Return the customers that may be this one, the surest first.

    Only those of which the person may see both.
    """
    either = Q(customer_a=customer) | Q(customer_b=customer)
    rows = DuplicatePair.objects.visible_to(user).filter(either, state=PairState.OPEN)
    rows = rows.select_related("customer_a", "customer_b")
    return list(rows.order_by("-score", "-pk")[:MAX_PAIRS])


def last_scan(kind: str) -> tuple[Job | None, datetime | None]:
    """Return the search for duplicates under way, and when the last one ended."""
    ended = running = None
    states = (JobState.QUEUED, JobState.RUNNING, JobState.DONE)
    for job in Job.objects.filter(kind=kind, state__in=states).order_by("-pk")[:20]:
        if job.state != JobState.DONE:
            running = running or job
        elif ended is None:
            ended = job.finished_at
    return running, ended
