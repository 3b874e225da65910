"""A form that arrives twice adds one row."""

import re
import threading

import pytest
from django.db import connections

from customers.models import Customer

ADD, QUICK = "/customers/new/", "/customers/quick/"
NUMBER = re.compile(r'name="once" value="(\w+)"')


def fill(client, url=ADD):
    """Return what the browser sends of a form that was just opened."""
    page = client.get(url, headers={"hx-request": "true"} if url == QUICK else {})
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in values.items() if value not in (None, False)}
    return sent | {"name": "Twice Oak", "once": NUMBER.search(page.text)[1]}


@pytest.mark.django_db
@pytest.mark.parametrize("url", [ADD, QUICK])
def test_the_second_one_is_led_to_the_row_of_the_first(ana, url):
    sent = fill(ana, url)
    first, second = ana.post(url, sent), ana.post(url, sent)
    customer = Customer.objects.get(name="Twice Oak")
    assert first.url == second.url == f"/customers/{customer.pk}/"
    assert "saved once" in ana.get(second.url).text


@pytest.mark.django_db
def test_other_content_or_another_form_is_another_row(ana, world):
    sent = fill(ana)
    ana.post(ADD, sent)
    ana.post(ADD, sent | {"name": "Typed after going back"})
    ana.post(ADD, fill(ana))
    for _time in range(2):
        ana.post(ADD, sent | {"once": ""})
    world.client("ben").post(ADD, sent)
    assert Customer.objects.filter(name="Typed after going back").count() == 1
    assert Customer.objects.filter(name="Twice Oak").count() == 5


@pytest.mark.django_db
def test_what_was_refused_can_be_sent_again(ana):
    sent = fill(ana) | {"email": "taken"}
    for _time in range(2):
        assert ana.post(ADD, sent).status_code == 422
    assert ana.post(ADD, sent | {"email": ""}).status_code == 302
    assert Customer.objects.get().name == "Twice Oak"


@pytest.mark.django_db(transaction=True)
def test_two_at_once_add_one(world, ana, monkeypatch):
    """The second one comes while the first is still saving."""
    sent = fill(ana)
    answers, other, save = [], world.client("ana"), CustomerSave()
    monkeypatch.setattr("crm.generic.edit.save_form", save)

    def send(client):
        try:
            answers.append(client.post(ADD, sent).url)
        finally:
            connections.close_all()

    first = threading.Thread(target=send, args=(ana,))
    first.start()
    save.begun.wait(10)
    second = threading.Thread(target=send, args=(other,))
    second.start()
    second.join(0.5)
    assert second.is_alive()
    save.go_on.set()
    first.join()
    second.join()
    customer = Customer.objects.get(name="Twice Oak")
    assert answers == [f"/customers/{customer.pk}/"] * 2


class CustomerSave:
    """The real way to save, held up until it may go on."""

    def __init__(self):
        from crm.generic.edit import save_form

        self.save, self.begun, self.go_on = (
            save_form,
            threading.Event(),
            threading.Event(),
        )

    def __call__(self, *args):
        self.begun.set()
        assert self.go_on.wait(20)
        return self.save(*args)


@pytest.mark.django_db
def test_without_the_memory_of_it_rows_are_still_added(ana, monkeypatch, settings):
    sent = fill(ana)
    settings.CACHES = settings.CACHES | {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert ana.post(ADD, sent).status_code == 302
    assert Customer.objects.count() == 1
