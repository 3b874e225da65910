"""Tickets out of files."""

from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from crm.models import Job
from crm.testing.imports import counts, import_by_command, rejects_of
from crm.testing.world import make_world
from customers.models import Customer
from service.choices import CategoryOrigin, TicketState
from service.models import Ticket, TicketCategory

BANKING = Path(settings.DATA_DIR) / "banking77"
CHINESE = Path(settings.DATA_DIR) / "zh_intent_smp"
needs_data = pytest.mark.skipif(
    not BANKING.exists() or not CHINESE.exists(), reason="CRM_DATA_DIR has no tickets"
)
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]


def write(tmp_path, text, name="tickets.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@needs_data
def test_the_english_set_keeps_its_split_and_categories():
    for name, count in (("train.csv", 10003), ("test.csv", 3080)):
        result = import_by_command("tickets", BANKING / name, "--profile", "banking77")
        assert counts(result) == (count, 0, 0, 0)
    splits = Ticket.objects.filter(dataset="banking77")
    assert splits.filter(split="train").count() == 10003
    assert splits.filter(split="test").count() == 3080
    assert TicketCategory.objects.count() == 77
    first = Ticket.objects.select_related("category").get(
        number="banking77-train-00001"
    )
    assert first.subject == "I am still waiting on my card?"
    assert (first.category.code, first.category.name) == (
        "card_arrival",
        "Card arrival",
    )
    assert first.category_origin == CategoryOrigin.IMPORT
    result = import_by_command(
        "tickets", BANKING / "train.csv", "--profile", "banking77"
    )
    assert counts(result) == (0, 0, 10003, 0)
    # What is imported in bulk is not scored row by row.
    assert not Job.objects.exists()


@needs_data
def test_the_chinese_set_comes_in_with_a_split_by_hand(tmp_path):
    path = write(tmp_path, (CHINESE / "develop.csv").read_text("utf-8-sig"), "part.csv")
    result = import_by_command(
        "tickets", path, "--profile", "zh-intent", "--set", "split=develop"
    )
    assert counts(result) == (770, 0, 0, 0)
    ticket = Ticket.objects.get(number="zh-intent-develop-00001")
    assert (ticket.subject, ticket.category.code) == ("请帮我打开uc", "app")
    assert set(Ticket.objects.values_list("split", flat=True)) == {"develop"}


def test_long_texts_keep_their_whole_text_under_a_short_subject(tmp_path):
    text = "word " * 100
    path = write(tmp_path, f'text,category\n"{text}",long\nshort one,short\n')
    import_by_command("tickets", path)
    long = Ticket.objects.get(category__code="long")
    assert len(long.subject) == 118
    assert long.description == text.strip()
    short = Ticket.objects.get(category__code="short")
    assert (short.subject, short.description) == ("short one", "")


def test_tickets_of_ones_own_get_numbers_from_their_file(tmp_path):
    path = write(tmp_path, "subject,priority,status\nA,high,open\nB,,\n")
    before = timezone.now()
    assert counts(import_by_command("tickets", path)) == (2, 0, 0, 0)
    assert counts(import_by_command("tickets", path)) == (0, 0, 2, 0)
    ticket = Ticket.objects.get(subject="A")
    assert (ticket.urgency, ticket.state) == ("high", "open")
    assert ticket.opened_at >= before
    assert ticket.dataset == ""
    path = write(tmp_path, "subject\nA\n", "other.csv")
    assert counts(import_by_command("tickets", path)) == (1, 0, 0, 0)


def test_a_category_that_a_person_gave_is_left_alone(tmp_path):
    path = write(tmp_path, "case,subject,category\nT1,A,billing\n")
    import_by_command("tickets", path)
    other = TicketCategory.objects.create(code="other", name="Other")
    Ticket.objects.update(category=other, category_origin=CategoryOrigin.CORRECTED)
    assert counts(import_by_command("tickets", path)) == (0, 0, 1, 0)
    assert Ticket.objects.get().category == other
    Ticket.objects.update(category_origin=CategoryOrigin.IMPORT)
    assert counts(import_by_command("tickets", path)) == (0, 1, 0, 0)
    assert Ticket.objects.get().category.code == "billing"


def test_tickets_find_their_customers(tmp_path):
    ann = Customer.objects.create(name="Ann", email="ann@example.com")
    path = write(
        tmp_path, "subject,customer email\nA,ann@example.com\nB,no@example.com\nC,\n"
    )
    result = import_by_command("tickets", path)
    assert counts(result) == (2, 0, 0, 1)
    assert "no such customer" in rejects_of(result)[0]["Why it was rejected"]
    assert Ticket.objects.get(subject="A").customer == ann
    assert Ticket.objects.get(subject="C").customer is None


def test_a_row_without_a_text_is_rejected(tmp_path):
    path = write(tmp_path, "text,category\n,billing\nB,billing\n")
    result = import_by_command("tickets", path)
    assert counts(result) == (1, 0, 0, 1)
    assert Ticket.objects.get().state == TicketState.NEW


def test_categories_of_rejected_rows_are_not_added(tmp_path):
    path = write(tmp_path, "text,category,priority\nA,good,high\nB,bad,whatever\n")
    assert counts(import_by_command("tickets", path)) == (1, 0, 0, 1)
    assert list(TicketCategory.objects.values_list("code", flat=True)) == ["good"]


def test_tickets_of_an_agent_stay_theirs(tmp_path, db):
    world = make_world(ana="agent", ben="service_manager")
    path = write(tmp_path, "subject\nA\n")
    assert counts(import_by_command("tickets", path, "--as", "ben")) == (1, 0, 0, 0)
    assert Ticket.objects.get().owner == world.ben
