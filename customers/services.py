"""Writes of the customers app."""

from django.db import transaction
from django.utils import timezone

from crm.access import Verb, require_in_reach
from crm.audit import record
from crm.models import User
from customers.choices import Direction, InteractionKind
from customers.models import Contact, Customer, Interaction


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
        others.exclude(pk=contact.pk).update(is_primary=False)
    return contact
