"""Writes around leads."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.access import Verb, require_in_reach
from crm.audit import record
from crm.exceptions import UserVisibleError
from crm.models import User
from customers.choices import Kind
from customers.models import Contact, Customer
from sales.choices import LEAD_MOVES, LeadState
from sales.models import Lead, Opportunity
from sales.services.opportunities import first_stage, save_opportunity
from sales.signals import announce, lead_saved


@dataclass(frozen=True)
class Conversion:
    """What a converted lead became."""

    lead: Lead
    customer: Customer
    opportunity: Opportunity | None


@transaction.atomic
def save_lead(
    *, lead: Lead, actor: User, changes: dict[str, Any] | None = None
) -> Lead:
    """Save a new or edited lead and let the apps above score it."""
    verb = "added" if lead.pk is None else "changed"
    lead.full_clean()
    lead.save()
    record(actor, verb, lead, changes)
    announce(lead_saved, lead)
    return lead


@transaction.atomic
def move_lead(*, lead: Lead, actor: User, state: str, reason: str = "") -> Lead:
    """Take up, lose or reopen a lead; converting is ``convert_lead``."""
    if state == LeadState.CONVERTED:
        msg = "A lead is converted by convert_lead."
        raise ValueError(msg)
    lead = lock_for(lead, LeadState(state))
    old, lead.state = lead.state, LeadState(state)
    lead.closed_at = timezone.now() if state == LeadState.LOST else None
    lead.lost_reason = reason if state == LeadState.LOST else ""
    lead.full_clean()
    lead.save(update_fields=["state", "closed_at", "lost_reason", "updated_at"])
    record(actor, "state", lead, {"state": [old, lead.state]})
    announce(lead_saved, lead)
    return lead


def lose_lead(*, lead: Lead, actor: User, reason: str) -> Lead:
    """Close a lead that will not buy, and keep why."""
    if not reason.strip():
        raise UserVisibleError(_("Say why the lead was lost."))
    return move_lead(
        lead=lead, actor=actor, state=LeadState.LOST, reason=reason.strip()
    )


@transaction.atomic
def convert_lead(
    *,
    lead: Lead,
    actor: User,
    customer: Customer | None = None,
    opportunity_name: str = "",
    amount: Decimal = Decimal(0),
    currency: str = "",
) -> Conversion:
    """Make the lead a customer, or tie it to one, and open an opportunity if named."""
    lead = lock_for(lead, LeadState.CONVERTED)
    if customer is None:
        customer = customer_from(lead, actor)
    lead.customer = customer
    lead.state, lead.closed_at = LeadState.CONVERTED, timezone.now()
    lead.full_clean()
    lead.save(update_fields=["customer", "state", "closed_at", "updated_at"])
    record(actor, "converted", lead, {"customer": [None, str(customer)]})
    announce(lead_saved, lead)
    opportunity = None
    if opportunity_name:
        opportunity = Opportunity(
            name=opportunity_name,
            customer=customer,
            lead=lead,
            owner=lead.owner or actor,
            stage=first_stage(),
            amount=amount,
        )
        if currency:
            opportunity.currency = currency
        opportunity = save_opportunity(opportunity=opportunity, actor=actor)
    return Conversion(lead, customer, opportunity)


def customer_from(lead: Lead, actor: User) -> Customer:
    """Make a customer of what is known about the lead; its notes stay with the lead."""
    customer = Customer(
        kind=Kind.COMPANY if lead.company else Kind.PERSON,
        name=lead.company or lead.name,
        phone=lead.phone,
        email=lead.email,
        source=lead.source,
        customer_since=timezone.localdate(),
        owner=lead.owner or actor,
    )
    customer.full_clean()
    customer.save()
    require_in_reach(actor, Verb.ADD, customer)
    record(actor, "added", customer, {"lead": [None, str(lead)]})
    if lead.company and lead.name != lead.company:
        contact = Contact(
            customer=customer,
            name=lead.name,
            phone=lead.phone,
            email=lead.email,
            is_primary=True,
        )
        contact.full_clean()
        contact.save()
        record(actor, "added", contact)
    return customer


def lock_for(lead: Lead, state: LeadState) -> Lead:
    """Lock the lead and refuse a move that the table of moves does not know."""
    lead = Lead.objects.select_for_update().get(pk=lead.pk)
    if state not in LEAD_MOVES[LeadState(lead.state)]:
        raise UserVisibleError(
            _("A lead that is “%(old)s” cannot become “%(new)s”.")
            % {"old": lead.get_state_display(), "new": state.label}
        )
    return lead
