"""Words of a field that is kept back find nothing."""

from urllib.parse import quote

import pytest

from crm.models import CustomField
from crm.testing.access_matrix import page_tests
from crm.testing.rights import grant
from crm.testing.snapshot import unchanged
from customers.models import Customer
from sales.models import Lead, Order
from tests.kept_fields import body, rule

pytestmark = pytest.mark.django_db
LIST = "/customers/"


@pytest.fixture
def leads(world):
    """Return Ana's leads: one whose company, which she must not know, is "Quorum"."""
    models = ("sales.lead", "customers.customer", "sales.order")
    grant("representative", models, ("view", "add", "change", "export"))
    Lead.objects.create(name="Harriet Vane", company="Quorum Ltd", owner=world.ana)
    Lead.objects.create(name="Quorum Peter", company="Teapots", owner=world.ana)
    return world


def found_by(browser, text, url="/leads/"):
    """Return the names that a list, the box and its suggestions find."""
    page = browser.get(f"{url}?q={quote(text)}")
    listed = {one.object.name for one in page.context["rows"]}
    assert page.context["count"].number == len(listed)
    for asked in (f"/search/?q={quote(text)}", f"/search/suggest/?q={quote(text)}"):
        told = body(browser.get(asked))
        for name in ("Harriet Vane", "Quorum Peter"):
            assert (name in told) == (name in listed), (asked, name)
    return listed


@pytest.mark.parametrize("text", ["quorum", "quor", "uorum", "quorom"])
def test_words_of_a_hidden_column_find_nothing(leads, text):
    """Whole words, their beginnings, parts, and with a letter wrong."""
    both = {"Harriet Vane", "Quorum Peter"}
    assert found_by(leads.client("ana"), text) == both
    rule(Lead, "company", "hidden")
    ana = leads.client("ana")
    assert found_by(ana, text) == {"Quorum Peter"}
    # Another role is not touched by it, nor is what she may see.
    assert found_by(leads.client("ben"), text) == both
    assert found_by(ana, "harriet") == {"Harriet Vane"}
    assert found_by(ana, "harriet quorum") == set()
    assert "Harriet" not in body(ana.get(f"/leads/choices/?q={text}"))
    assert "Harriet" not in body(ana.get(f"/leads/similar/?name={text}+ltd"))


def test_a_frequent_word_of_a_hidden_column_tells_no_number(leads):
    """Where the latest rows decide and rows are asked one by one."""
    Lead.objects.bulk_create(
        Lead(name=f"Number {one:03d}", company="Frequent", owner=leads.ana)
        for one in range(400)
    )
    Lead.objects.bulk_create(
        Lead(name=f"Frequent {one}", company="Teapots", owner=leads.ana)
        for one in range(3)
    )
    url = "/leads/?q=frequent"
    assert leads.client("ana").get(url).context["count"].number == 403
    rule(Lead, "company", "hidden")
    ana = leads.client("ana")
    page = ana.get(url)
    assert page.context["count"].number == 3
    names = {one.object.name for one in page.context["rows"]}
    assert names == {"Frequent 0", "Frequent 1", "Frequent 2"}
    assert "Number" not in body(ana.get("/search/?q=frequent"))
    assert "Frequent 2" in body(ana.get("/search/?q=frequent"))


def test_hidden_custom_fields_are_in_no_form_and_found_by_nothing(leads):
    field = CustomField.objects.create(
        model="customers.customer", kind="text", label="Passphrase"
    )
    row = Customer.objects.create(
        name="Secret Ltd",
        owner=leads.ana,
        source="other",
        custom={field.key: "Zanzibar"},
    )
    order = page_tests()[Order]().make(leads.ana)
    Order.objects.filter(pk=order.pk).update(customer=row)
    urls = (row.get_absolute_url(), f"{LIST}{row.pk}/edit/", f"{LIST}{row.pk}/peek/")
    part = {"HTTP_HX_REQUEST": "true"}
    ana = leads.client("ana")
    assert all("Zanzibar" in body(ana.get(url, **part)) for url in urls)
    counts = [f"{LIST}?q=zanzibar", "/orders/?q=zanzibar"]
    assert [ana.get(url).context["count"].number for url in counts] == [1, 1]
    rule(Customer, "custom", "hidden")
    ana = leads.client("ana")
    assert not [url for url in urls if "Zanzibar" in body(ana.get(url, **part))]
    assert [ana.get(url).context["count"].number for url in counts] == [0, 0]
    assert "Secret" not in body(ana.get("/search/?q=zanzibar"))
    with unchanged(Customer):
        cell = f"{LIST}{row.pk}/cell/{field.name}/"
        assert ana.post(cell, {field.name: "x"}).status_code == 404
