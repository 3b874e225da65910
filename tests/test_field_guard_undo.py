"""Undo gives back no field that is kept back from who undoes."""

import pytest

from crm.exceptions import UserVisibleError
from crm.history.context import acting
from crm.history.undo import preview, undo
from crm.models import Operation, Tag
from crm.testing.snapshot import all_rows, unchanged
from customers.models import Customer
from customers.tests.recipes import make_customer
from tests.kept_fields import fresh, may_do_everything, rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(world):
    return may_do_everything(world)


def done_by(person, work):
    with acting("page", person) as number:
        work()
    return Operation.objects.get(number=number)


def test_undo_leaves_what_it_must_not_change_and_says_so(world, ana):
    mine, other = make_customer(ana, phone="1"), make_customer(ana, city="Bern")

    def work():
        Customer.objects.filter(pk=mine.pk).update(phone="2", city="Basel")
        Customer.objects.filter(pk=other.pk).update(city="Basel")

    done = done_by(ana, work)
    rule(Customer, "phone")
    before = all_rows()
    seen = preview(done, fresh(ana))
    assert [(one.object_id, one.reason) for one in seen.left] == [(mine.pk, "kept")]
    assert all_rows() == before
    # Not even where a later change is to be overruled.
    result = undo(done, fresh(ana), overrule=[f"customers.customer:{mine.pk}"])
    assert [one.reason for one in result.left] == ["kept"]
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.phone, mine.city, other.city) == ("2", "Basel", "Bern")


def test_what_undo_may_not_do_at_all_changes_nothing(world, ana):
    mine = make_customer(ana, phone="1")
    done = done_by(ana, lambda: Customer.objects.update(phone="2"))
    rule(Customer, "phone", "hidden")
    browser = world.client("ana")
    url = f"/operations/{done.number}/"
    page = browser.get(url).content.decode()
    assert "a field that your role does not change" in page
    with unchanged(Customer):
        assert browser.post(f"{url}undo/").status_code == 409
    with pytest.raises(UserVisibleError), unchanged(Customer):
        undo(done, fresh(ana))
    # Ben's role keeps nothing back.
    assert not undo(done, fresh(world.ben)).left
    mine.refresh_from_db()
    assert mine.phone == "1"


def test_undo_of_tags_follows_the_rule_of_tags(world, ana):
    tag, row = Tag.objects.create(name="vip"), make_customer(ana)

    def work():
        row.tags.add(tag)
        new = make_customer(ana, name="New")
        new.tags.add(tag)

    done = done_by(ana, work)
    rule(Customer, "tags")
    result = undo(done, fresh(ana))
    assert [one.reason for one in result.left] == ["kept"]
    assert not Customer.objects.filter(name="New").exists()
    assert row.tags.get() == tag


def test_a_deleted_row_comes_back_whole_and_its_hidden_values_stay_hidden(world, ana):
    row = make_customer(ana, phone="5550199")
    before = all_rows()
    rule(Customer, "phone", "hidden")
    browser = world.client("ana")
    browser.post(f"/customers/{row.pk}/delete/", {"sure": "1"})
    done = Operation.objects.latest("pk")
    for url in (f"/operations/{done.number}/", "/trash/?model=customers.customer"):
        page = browser.get(url).content.decode()
        assert row.name in page
        assert "5550199" not in page, url
    assert browser.post(f"/operations/{done.number}/undo/").status_code == 302
    assert all_rows() == before
    assert "5550199" not in browser.get(row.get_absolute_url()).content.decode()
