"""The board of opportunities: totals by currency, weighted, and what a card may do."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from crm.testing.snapshot import unchanged
from customers.tests.recipes import make_customer
from sales.models import Lead, Opportunity, Pipeline, Stage, StageChange
from sales.tests.recipes import make_opportunity, make_order, stage

URL = "/opportunities/?layout=board"
JSON = {"Accept": "application/json"}


def lane(response, code):
    lanes = response.context["lanes"]
    return next(one for one in lanes if one.column.target == stage(code))


def test_totals_and_weighted_totals_are_exact_by_currency(world):
    for amount, currency in ((100, "EUR"), ("0.50", "EUR"), (30, "USD")):
        make_opportunity(
            world.ana, "proposal", amount=Decimal(amount), currency=currency
        )
    Stage.objects.filter(pk=stage("proposal").pk).update(probability=40)
    head = lane(world.client("ana").get(URL), "proposal").head
    assert head.totals == ["€101", "$30"]
    assert head.weighted == ["€40", "$12"]


def test_filters_and_search_narrow_the_board_without_counting_twice(world):
    kept = make_opportunity(world.ana, amount=Decimal(7), currency="EUR")
    make_opportunity(world.ana, amount=Decimal(7), currency="EUR")
    twins = world.client("ana").get(f"{URL}&stage={stage('new').pk}")
    assert lane(twins, "new").head.totals == ["€14"]
    found = world.client("ana").get(f"{URL}&q={kept.name}")
    assert [card.object.pk for card in lane(found, "new").cards] == [kept.pk]
    assert lane(found, "new").head.totals == ["€7"]


def test_what_people_typed_is_never_markup(world):
    Stage.objects.filter(pk=stage("new").pk).update(name='<s>"New"')
    customer = make_customer(world.ana, name="<i>&'")
    make_opportunity(world.ana, name='<b>"Lamps"', customer=customer)
    html = world.client("ana").get(URL).text
    assert not {one for one in ("<s>", "<b>", "<i>", '"Lamps"', '"New"') if one in html}
    lamps = "&lt;b&gt;&quot;Lamps&quot;"
    assert f">{lamps}</a>" in html
    assert f'aria-label="Move to… {lamps}"' in html
    assert ">&lt;i&gt;&amp;&#x27;</span>" in html
    assert "&lt;s&gt;&quot;New&quot;</h2>" in html
    assert 'aria-label="Add in &lt;s&gt;&quot;New&quot;"' in html


def test_a_closed_column_shows_what_was_closed_lately(world):
    now = timezone.now()
    fresh = make_opportunity(world.ana, "won", closed_at=now - timedelta(days=89))
    make_opportunity(world.ana, "won", closed_at=now - timedelta(days=91))
    shown = lane(world.client("ana").get(URL), "won")
    assert [card.object.pk for card in shown.cards] == [fresh.pk]
    assert shown.head.recent_days == 90


@pytest.mark.parametrize(("days", "tone"), [(1, "calm"), (20, "waiting"), (40, "late")])
def test_the_age_of_a_card_is_the_time_in_its_stage(world, days, tone):
    moment = timezone.now() - timedelta(days=days, hours=1)
    moved = Opportunity.objects.create(
        name="Lamps", owner=world.ana, stage=stage("qualified")
    )
    StageChange.objects.create(
        opportunity=moved, to_stage=stage("qualified"), at=moment
    )
    card = lane(world.client("ana").get(URL), "qualified").cards[0]
    assert card.tone == tone
    assert card.age.startswith(str(days))


def test_of_several_pipelines_one_is_shown(world):
    other = Pipeline.objects.create(name="Rentals")
    only = Stage.objects.create(pipeline=other, code="x", name="Asked", position=1)
    make_opportunity(world.ana, stage=only)
    page = world.client("ana").get(URL)
    assert {one.column.group for one in page.context["lanes"]} == {
        Pipeline.objects.get(is_default=True)
    }
    page = world.client("ana").get(f"{URL}&board={other.pk}")
    assert [one.head.count for one in page.context["lanes"]] == [1]


def test_losing_asks_why_and_winning_is_final(world):
    opportunity = make_opportunity(world.ana)
    client, url = world.client("ana"), f"/opportunities/{opportunity.pk}/move/"
    with unchanged(Opportunity, StageChange):
        answer = client.post(url, {"stage": stage("lost").pk}, headers=JSON)
    question = client.get(answer.json()["ask"], headers={"HX-Request": "true"})
    assert 'name="reason"' in question.text
    client.post(url, {"stage": stage("won").pk}, headers=JSON)
    with unchanged(Opportunity, StageChange):
        refused = client.post(url, {"stage": stage("new").pk}, headers=JSON)
    assert refused.status_code == 422
    assert "Won" in refused.json()["error"]


def test_a_lead_that_is_dropped_on_converted_leads_to_that_page(world):
    lead = Lead.objects.create(name="Mia", owner=world.ana)
    url = f"/leads/{lead.pk}/move/"
    answer = world.client("ana").post(url, {"state": "converted"}, headers=JSON)
    assert answer.json() == {"go": f"/leads/{lead.pk}/convert/"}


def test_a_customer_counts_what_belongs_to_it_as_far_as_one_sees(world):
    customer = make_customer(world.ana)
    make_order(world.ana, customer=customer)
    make_order(world.cleo, customer=customer)
    for name, expected in (("ana", "1"), ("dev", "2")):
        page = world.client(name).get(customer.get_absolute_url())
        counts = {one.url: one.text for one in page.context["related"]}
        assert counts[f"/orders/?customer={customer.pk}"] == expected
