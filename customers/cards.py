"""Customers and contacts as vCards."""

from __future__ import annotations

from crm.generic.cards import Card
from customers.choices import Kind
from customers.models import Contact, Customer


def card_of_customer(customer: Customer) -> Card:
    """Return a customer as a card."""
    return Card(
        name=customer.name,
        is_company=customer.kind == Kind.COMPANY,
        email=customer.email,
        phone=customer.phone,
        website=customer.website,
        address=address_of(customer),
        birth_date=customer.birth_date,
    )


def card_of_contact(contact: Contact) -> Card:
    """Return a contact as a card, with the address of the company."""
    return Card(
        name=contact.name,
        company=contact.customer.name,
        job_title=contact.job_title,
        email=contact.email,
        phone=contact.phone,
        website=contact.customer.website,
        address=address_of(contact.customer),
        note=contact.notes,
    )


def address_of(customer: Customer) -> tuple[str, str, str, str, str]:
    """Return street, city, region, postal code and country."""
    return (
        customer.address,
        customer.city,
        customer.region,
        customer.postal_code,
        customer.country,
    )
