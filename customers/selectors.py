"""What the pages of customers show."""

from datetime import datetime

from django.db.models import Q, QuerySet

from crm.access import Scope, Verb, reaches, scope_of
from crm.models import Job, JobState, User
from crm.statements import KeptQuery
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


def _open_pairs(user: User, customer: int) -> QuerySet:
    either = Q(customer_a=customer) | Q(customer_b=customer)
    rows = DuplicatePair.objects.visible_to(user).filter(either, state=PairState.OPEN)
    return rows.order_by("-score", "-pk").values_list("pk")[:MAX_PAIRS]


OPEN_PAIRS = KeptQuery(_open_pairs, DuplicatePair, Customer)


def open_pairs_of(user: User, customer: Customer) -> list[DuplicatePair]:
    """Return the customers that may be this one, the surest first.

    Only those of which the person may see both. Few customers have any: most pages ask
    for the keys alone.
    """
    keys = [pk for (pk,) in OPEN_PAIRS.rows(user, customer.pk)]
    if not keys:
        return []
    rows = DuplicatePair.objects.visible_to(user).filter(pk__in=keys)
    rows = rows.select_related("customer_a", "customer_b")
    return list(rows.order_by("-score", "-pk"))


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
