"""Sales and customers in the admin."""

import pytest
from django.contrib import admin
from django.urls import reverse

from crm.models import User
from customers.models import Contact, Customer, Interaction
from customers.tests.recipes import make_contact, make_interaction
from sales.models import (
    Category,
    Lead,
    Opportunity,
    Order,
    OrderLine,
    Pipeline,
    Product,
    Stage,
    StageChange,
)
from sales.tests.recipes import (
    make_category,
    make_lead,
    make_opportunity,
    make_order,
    make_product,
)

MODELS = (
    Customer,
    Contact,
    Interaction,
    Category,
    Product,
    Lead,
    Pipeline,
    Stage,
    Opportunity,
    StageChange,
    Order,
    OrderLine,
)


@pytest.fixture
def client_of_admin(client, db):
    user = User.objects.create_superuser("root", "root@example.com", "!")
    client.force_login(user)
    return client


@pytest.fixture
def rows(db):
    make_contact()
    make_interaction()
    make_category()
    make_product()
    make_lead()
    make_opportunity()
    make_order()


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_listed_searched_and_shown(client_of_admin, rows, model):
    assert model in admin.site._registry
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    url = reverse(f"{name}_changelist")
    assert client_of_admin.get(url).status_code == 200
    assert client_of_admin.get(url, {"q": "a"}).status_code == 200
    row = model._base_manager.first()
    url = reverse(f"{name}_change", args=[row.pk])
    assert client_of_admin.get(url).status_code == 200


def test_the_stage_history_can_only_be_looked_at(client_of_admin, rows):
    row = StageChange.objects.get()
    before = StageChange.objects.values().get()
    for page in ("change", "delete"):
        url = reverse(f"admin:sales_stagechange_{page}", args=[row.pk])
        assert client_of_admin.post(url, {"post": "yes"}).status_code == 403
    assert (
        client_of_admin.get(reverse("admin:sales_stagechange_add")).status_code == 403
    )
    assert StageChange.objects.values().get() == before


@pytest.mark.django_db(transaction=True)
def test_an_opportunity_is_deleted_with_its_history(client):
    client.force_login(User.objects.create_superuser("root", "root@example.com", "!"))
    row = make_opportunity()
    url = reverse("admin:sales_opportunity_delete", args=[row.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert not Opportunity.objects.exists()
    assert not StageChange.objects.exists()
