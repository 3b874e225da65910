"""Writes of the customers app."""

from django.db import transaction
from django.utils import timezone

from crm.access import Verb, require_in_reach
from crm.audit import record
from crm.history.context import consequence
from crm.jobs import enqueue
from crm.models import Job, User
from customers.choices import Direction, InteractionKind, PairState
from customers.models import Contact, Customer, DuplicatePair, Interaction

# The kind of the job that looks for duplicates; the analyses declare it.
DUPLICATES = "duplicates"


@transaction.atomic
def log_interaction(
    *,
    customer: Customer,
    actor: User,
    kind: str,
    subject: str,
    body: str = "",
    direction: str = Direction.OUT,
) -> Interaction:
    """Write down what was just said; the actor must be allowed to for this customer."""
    interaction = Interaction(
        customer=customer,
        kind=kind,
        # A note to ourselves has no direction.
        direction=Direction.NONE if kind == InteractionKind.NOTE else direction,
        subject=subject,
        body=body,
        occurred_at=timezone.now(),
        owner=actor,
    )
    interaction.full_clean()
    interaction.save()
    require_in_reach(actor, Verb.ADD, interaction)
    record(actor, "added", interaction)
    return interaction


@transaction.atomic
def save_contact(*, contact: Contact) -> Contact:
    """Save a contact; a customer has one first contact, the one chosen last."""
    Customer.objects.select_for_update().get(pk=contact.customer_id)
    contact.full_clean()
    contact.save()
    if contact.is_primary:
        others = Contact.objects.filter(customer=contact.customer, is_primary=True)
        with consequence():
            others.exclude(pk=contact.pk).update(is_primary=False)
    return contact


def start_scan(*, actor: User) -> Job:
    """Queue a search for duplicates; one that waits already is joined."""
    # The same key as the schedule's, so that the two never run at once.
    job = enqueue(DUPLICATES, owner=actor, dedupe_key=f"scheduled/{DUPLICATES}")
    record(actor, "started", job)
    return job


@transaction.atomic
def judge_pair(*, pair: DuplicatePair, actor: User, state: PairState) -> bool:
    """Note that two customers are not one, or take that back; False if it was so."""
    pair = DuplicatePair.objects.select_for_update(of=("self",)).get(pk=pair.pk)
    if pair.state == state:
        return False
    is_dismissed = state == PairState.DISMISSED
    changes = {"state": [pair.state, str(state)]}
    pair.state = state
    pair.dismissed_by = actor if is_dismissed else None
    pair.dismissed_at = timezone.now() if is_dismissed else None
    pair.save(update_fields=["state", "dismissed_by", "dismissed_at", "updated_at"])
    require_in_reach(actor, Verb.CHANGE, pair)
    record(actor, "changed", pair, changes)
    return True
