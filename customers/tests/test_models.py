"""What the database and the models refuse."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from customers.models import Customer, Interaction
from customers.tests.recipes import make_contact, make_customer

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"annual_income": -1},
    ],
)
def test_the_database_refuses_a_customer_that_cannot_be(values):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_customer(**values)
    assert not Customer.objects.exists()


def test_two_customers_cannot_have_one_outside_id():
    make_customer(external_system="shop", external_id="17")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_customer(external_system="shop", external_id="17")
    make_customer(external_system="other", external_id="17")
    make_customer(external_system="shop", external_id="")
    make_customer(external_system="shop", external_id="")
    assert Customer.objects.count() == 4


def test_nobody_refers_themselves():
    customer = make_customer()
    customer.referred_by = customer
    with pytest.raises(ValidationError) as caught:
        customer.full_clean()
    assert "referred_by" in caught.value.error_dict
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.filter(pk=customer.pk).update(referred_by=customer.pk)


def test_a_birth_date_lies_in_the_past():
    customer = make_customer()
    customer.birth_date = timezone.localdate() + timedelta(days=1)
    with pytest.raises(ValidationError) as caught:
        customer.full_clean()
    assert "birth_date" in caught.value.error_dict
    customer.birth_date = date(1980, 2, 29)
    customer.full_clean()


def test_an_interaction_refuses_a_contact_of_another_customer():
    contact = make_contact()
    interaction = Interaction(
        customer=make_customer(), contact=contact, subject="Who is this?"
    )
    with pytest.raises(ValidationError) as caught:
        interaction.full_clean()
    assert "contact" in caught.value.error_dict
    interaction.customer = contact.customer
    interaction.full_clean()
