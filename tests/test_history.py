"""What is said of changes: words in the reader's language, never codes or numbers."""

import re

from django.test import Client
from django.utils import translation
from django.utils.html import strip_tags

from crm.models import User
from customers.tests.recipes import make_customer
from sales.services.leads import convert_lead
from sales.tests.recipes import make_lead, make_order
from service import services
from service.choices import CategoryOrigin
from service.tests.recipes import make_category, make_ticket


def history(client: Client, url: str) -> str:
    """Return the text of a page's history."""
    page = client.get(f"{url}panel/history/").text
    entries = re.findall(r'<div class="timeline-body"><strong>(.*?)</div>', page, re.S)
    assert entries
    return " ".join(strip_tags(" ".join(entries)).split())


def test_a_tickets_way_is_told_in_words(world):
    ticket = make_ticket(world.dev)
    category = make_category(name="Leaking kettles")
    services.assign_ticket(ticket=ticket, actor=world.dev, owner=world.ana)
    services.move_ticket(ticket=ticket, actor=world.dev, state="solved")
    services.add_message(ticket=ticket, actor=world.dev, body="It leaks")
    services.set_category(
        ticket=ticket,
        actor=world.dev,
        category=category,
        origin=CategoryOrigin.CORRECTED,
    )
    User.objects.filter(pk=world.dev.pk).update(language="zh-hans")
    text = history(world.client("dev"), ticket.get_absolute_url())
    for word in (str(world.dev), str(world.ana), "Leaking kettles"):
        assert word in text
    with translation.override("zh-hans"):
        for choice in (CategoryOrigin.CORRECTED.label, "已解决"):
            assert str(choice) in text
    for code in ("solved", "corrected", "Assign", "message", "State"):
        assert code not in text


def test_a_code_that_the_form_wrote_down_is_told_in_words(world):
    customer = make_customer(world.ana, kind="person")
    client = world.client("ana")
    data = {"kind": "company", "name": customer.name, "currency": "EUR"}
    data |= {"source": "email", "owner": world.ana.pk}
    client.post(f"/customers/{customer.pk}/edit/", data)
    User.objects.filter(pk=world.ana.pk).update(language="zh-hans")
    text = history(client, customer.get_absolute_url())
    assert "company" not in text
    assert "公司" in text or "企业" in text


def test_orders_and_converted_leads_speak_chinese(world):
    order = make_order(world.ana)
    lead = make_lead(world.ana)
    User.objects.filter(pk=world.ana.pk).update(language="zh-hans")
    client = world.client("ana")
    client.post(f"/orders/{order.pk}/cancel/")
    text = history(client, order.get_absolute_url())
    assert "cancelled" not in text
    assert "已取消" in text
    customer = convert_lead(lead=lead, actor=world.ana).customer
    text = history(client, customer.get_absolute_url())
    assert "lead" not in text.lower().replace(str(lead).lower(), "")
