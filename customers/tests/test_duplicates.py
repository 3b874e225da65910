"""Pairs of customers that may be one: who sees them, and what people say of them."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from crm.models import AuditEntry, Grant, Job
from crm.testing.snapshot import unchanged
from crm.testing.world import make_world
from customers.choices import PairState
from customers.models import DuplicatePair
from customers.tests.recipes import make_customer, make_pair

LIST = "/customers/duplicates/"


@pytest.fixture
def world(db):
    return make_world()


def url(move, pair):
    return reverse(f"customers:duplicatepair_{move}", args=[pair.pk])


def shown(world, name, path=LIST):
    return world.client(name).get(path).content.decode()


def dismissed(pair, **values):
    """Return the pair as somebody judged it."""
    DuplicatePair.objects.filter(pk=pair.pk).update(
        state=PairState.DISMISSED, dismissed_at=timezone.now(), **values
    )
    pair.refresh_from_db()
    return pair


def test_a_pair_is_seen_only_by_those_who_see_both(world):
    mine = make_customer(world.ana, name="Anna Berg")
    theirs = make_customer(world.cleo, name="Berg Anna")
    pair = make_pair(customer_a=mine, customer_b=theirs)
    both = make_pair(world.ana)
    for name in ("ana", "ben", "cleo"):
        assert world.client(name).get(pair.get_absolute_url()).status_code == 404
        assert "Berg Anna – " not in shown(world, name)
        assert "Anna Berg – " not in shown(world, name)
        # Not counted either.
        seen = DuplicatePair.objects.visible_to(getattr(world, name))
        assert pair not in seen
        assert seen.count() == (name != "cleo")
    assert world.client("dev").get(pair.get_absolute_url()).status_code == 200
    assert both.customer_a.name in shown(world, "ana")
    # Nor where the customer could be deleted.
    page = shown(world, "ben", f"{mine.get_absolute_url()}delete/")
    assert "possible duplicate" not in page
    # On the customer's own page nothing tells of the other one.
    page = shown(world, "ana", mine.get_absolute_url())
    assert "Berg Anna" not in page
    assert "Possible duplicates" not in page
    assert "Berg Anna" in shown(world, "dev", mine.get_absolute_url())


def test_the_right_to_see_customers_bounds_the_right_to_see_pairs(world):
    make_pair(world.abe)
    pair = make_pair(world.ana)
    assert DuplicatePair.objects.visible_to(world.ana).count() == 2
    grants = Grant.objects.filter(role__users=world.ana, model="customers.customer")
    grants.filter(verb="view").update(scope="own")
    ana = type(world.ana).objects.get(pk=world.ana.pk)
    assert list(DuplicatePair.objects.visible_to(ana)) == [pair]
    grants.filter(verb="view").delete()
    ana = type(world.ana).objects.get(pk=world.ana.pk)
    assert not DuplicatePair.objects.visible_to(ana).exists()


def test_only_what_is_to_be_checked_is_listed_at_first(world):
    old = dismissed(make_pair(world.ana, customer_a=make_customer(name="Zebedee")))
    open_pair = make_pair(world.ana)
    page = shown(world, "dev")
    assert open_pair.customer_a.name in page
    assert "Zebedee" not in page
    page = shown(world, "dev", f"{LIST}?state=dismissed")
    assert "Zebedee" in page
    assert open_pair.customer_a.name not in page
    assert world.client("dev").get(old.get_absolute_url()).status_code == 200


def test_the_two_stand_side_by_side(world):
    pair = make_pair(
        customer_a=make_customer(world.ana, name="Anna Berg", city="York"),
        customer_b=make_customer(world.ana, name="Anna Brg", city="York"),
        reasons=[["name", "typo", 12.2], ["birth", "differs", -4.6], ["odd", "x", 1]],
    )
    page = shown(world, "ana", pair.get_absolute_url())
    assert "Name differs by a typing error" in page
    assert "Different birth dates" in page
    assert page.count('class="differs"') == 1
    assert "What belongs to it" in page
    assert "Not a duplicate" in page
    client = world.client("ana")
    client.cookies["django_language"] = "zh-hans"
    assert "姓名有一处笔误" in client.get(pair.get_absolute_url()).content.decode()


def test_saying_that_it_is_none_and_taking_it_back(world):
    pair = make_pair(world.ana)
    client = world.client("ana")
    assert client.post(url("dismiss", pair)).status_code == 302
    pair.refresh_from_db()
    assert (pair.state, pair.dismissed_by) == (PairState.DISMISSED, world.ana)
    assert pair.dismissed_at
    page = shown(world, "ana", pair.get_absolute_url())
    assert "Reopen" in page
    client.post(url("dismiss", pair))
    assert AuditEntry.objects.filter(object_id=pair.pk, verb="changed").count() == 1
    client.post(url("reopen", pair))
    pair.refresh_from_db()
    assert (pair.state, pair.dismissed_by) == (PairState.OPEN, None)


def test_a_customers_page_offers_the_same(world):
    pair = make_pair(world.ana)
    customer = pair.customer_a
    assert "Possible duplicates" in shown(world, "ana", customer.get_absolute_url())
    sent = {"customer": customer.pk}
    client = world.client("ana")
    answer = client.post(url("dismiss", pair), sent, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert text.lstrip().startswith('<div id="duplicates">')
    assert "Reopen" in text
    answer = client.post(url("reopen", pair), sent)
    assert answer.url == customer.get_absolute_url()
    # A number that is neither of the two leads to the pair, as does noise.
    for noise in ("", "x", "99999999999999999999", "\x00"):
        answer = client.post(url("dismiss", pair), {"customer": noise})
        assert answer.url == pair.get_absolute_url()


def test_who_may_not_judge_changes_nothing(world):
    pair = make_pair(
        customer_a=make_customer(world.ana), customer_b=make_customer(world.abe)
    )
    others = make_pair(world.cleo)
    page = shown(world, "ana", pair.get_absolute_url())
    assert "Not a duplicate" not in page
    with unchanged(DuplicatePair, AuditEntry):
        # Seen, but one of the two is a colleague's.
        assert world.client("ana").post(url("dismiss", pair)).status_code == 404
        assert world.client("ana").post(url("dismiss", others)).status_code == 404
        assert world.client("fay").post(url("dismiss", pair)).status_code == 403
        assert world.client("ana").get(url("dismiss", pair)).status_code == 405
    assert world.client("ben").post(url("dismiss", pair)).status_code == 302


def test_many_pairs_are_judged_at_once(world):
    pairs = [make_pair(world.ana) for _ in range(3)]
    chosen = {"pk": [pair.pk for pair in pairs[:2]]}
    path = f"{LIST}bulk/dismiss/"
    client = world.client("ana")
    seen = client.post(path, chosen | {"step": "preview"})
    permit = seen.context["permit"]
    client.post(path, chosen | {"step": "apply", "permit": permit})
    states = list(DuplicatePair.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["dismissed", "dismissed", "open"]


def test_who_may_searches_and_sees_the_progress(world):
    assert "Search for duplicates" in shown(world, "ben")
    answer = world.client("ben").post(f"{LIST}scan/")
    job = Job.objects.get()
    assert answer.url == job.get_absolute_url()
    assert (job.queue, job.owner) == ("analytics", world.ben)
    assert "A search is under way." in shown(world, "ben")
    assert "Search for duplicates" not in shown(world, "ben")
    with unchanged(Job):
        assert world.client("ana").post(f"{LIST}scan/").status_code == 403


def test_the_database_refuses_a_pair_twice_or_turned_round(world):
    pair = make_pair(world.ana)
    one, other = pair.customer_a, pair.customer_b
    for a, b in ((one, other), (other, one), (one, one)):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_pair(customer_a=a, customer_b=b)


def test_names_of_any_signs_are_shown_as_they_are(world):
    name = "<script>alert(1)</script> ＼ 🙂"
    pair = make_pair(
        customer_a=make_customer(world.ana, name=name),
        customer_b=make_customer(world.ana, name=name),
    )
    for path in (LIST, pair.get_absolute_url(), pair.customer_a.get_absolute_url()):
        page = shown(world, "ana", path)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_pairs_of_demo_customers_go_with_them(world):
    pair = make_pair(
        customer_a=make_customer(world.ana, is_demo=True),
        customer_b=make_customer(world.ana, is_demo=True),
        is_demo=True,
    )
    call_command("seed_demo", "--remove")
    assert not DuplicatePair.objects.filter(pk=pair.pk).exists()
