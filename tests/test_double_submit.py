"""A form that arrives twice adds one row."""

import re
import threading

import pytest
from django.db import connections

from crm.generic import edit
from crm.models import Operation
from crm.testing.workers import wait_for
from customers.models import Customer
from service.models import Ticket
from tests.interrupted import one_waits

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
    assert "Twice Oak was added" in ana.get(second.url).text


@pytest.mark.django_db
def test_a_column_of_a_board_takes_a_form_once(world):
    dev, url = world.client("dev"), "/tickets/board/add/"
    page = dev.get(url, headers={"hx-request": "true"})
    form = page.context["form"]
    sent = {name: form[name].value() or "" for name in form.fields}
    sent |= {"subject": "Twice", "once": NUMBER.search(page.text)[1]}
    for _time in range(2):
        board = dev.post(url, sent, headers={"hx-request": "true"})
        assert board.status_code == 200
        assert board.context["focus"] == Ticket.objects.get(subject="Twice").pk


@pytest.mark.django_db
def test_what_was_taken_back_can_be_sent_again(ana):
    sent = fill(ana)
    first = ana.post(ADD, sent)
    operation = Operation.objects.latest("pk")
    ana.post(f"/operations/{operation.number}/undo/")
    assert not Customer.objects.exists()
    again = ana.post(ADD, sent)
    customer = Customer.objects.get(name="Twice Oak")
    assert again.url == f"/customers/{customer.pk}/" != first.url


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


class Held:
    """The real way to save, held up until it may go on, or fails."""

    def __init__(self, real):
        self.real, self.fails = real, False
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, *args):
        self.begun.set()
        assert self.go_on.wait(20)
        if self.fails:
            self.fails = False
            msg = "The first one fails."
            raise OSError(msg)
        return self.real(*args)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fails", [False, True])
def test_of_two_at_once_the_second_waits_for_the_first(world, ana, monkeypatch, fails):
    """If nothing came of the first, the second one saves."""
    sent, answers, held = fill(ana), [], Held(edit.save_form)
    held.fails = fails
    monkeypatch.setattr(edit, "save_form", held)

    def send(client):
        client.raise_request_exception = False
        try:
            answers.append(client.post(ADD, sent))
        finally:
            connections.close_all()

    first = threading.Thread(target=send, args=(ana,))
    first.start()
    assert held.begun.wait(10)
    second = threading.Thread(target=send, args=(world.client("ana"),))
    second.start()
    wait_for(one_waits)
    held.go_on.set()
    first.join()
    second.join()
    customer = Customer.objects.get(name="Twice Oak")
    places = [one.headers.get("Location") for one in answers]
    address = f"/customers/{customer.pk}/"
    assert places == ([None, address] if fails else [address, address])
    assert Operation.objects.filter(changes__model="customers.customer").count() == 1
