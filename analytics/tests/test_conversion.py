"""Chances of leads: learned from what was known at their start."""

import random
from datetime import timedelta

import pytest
from django.urls import reverse

from analytics.models import AnalysisKey, RunState, Score
from analytics.tests.history import NOW, TODAY
from crm.models import Job
from crm.testing.workers import run_jobs
from sales.choices import LeadState
from sales.models import Lead

pytestmark = pytest.mark.django_db
RATES = {"referral": 0.55, "email": 0.30, "organic": 0.15, "social": 0.05}


def add_leads(count: int = 900, *, seed: int = 3) -> None:
    """Add decided leads whose chance depends on source and landing page."""
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        source = chance.choice(list(RATES))
        page = chance.choice(["demo", "price", "blog"])
        rate = RATES[source] * {"demo": 1.5, "price": 1.0, "blog": 0.4}[page]
        won = chance.random() < rate
        first = TODAY - timedelta(days=chance.randint(100, 700))
        rows.append(
            Lead(
                name="Lead",
                source=source,
                landing_page=page,
                first_contact_on=first,
                state=LeadState.CONVERTED if won else LeadState.LOST,
                closed_at=NOW - timedelta(days=chance.randint(1, 99)),
            )
        )
    Lead.objects.bulk_create(rows)


def open_lead(source: str, page: str, **fields) -> Lead:
    return Lead.objects.create(
        name="Open",
        source=source,
        landing_page=page,
        first_contact_on=TODAY - timedelta(days=3),
        **fields,
    )


@pytest.fixture
def published(run):
    """Return the run over 900 leads, and two open ones."""
    add_leads()
    good, bad = open_lead("referral", "demo"), open_lead("social", "blog")
    found = run(AnalysisKey.CONVERSION)
    assert found.state == RunState.PUBLISHED
    return found, good, bad


def test_chances_follow_what_was_seen(published):
    found, good, bad = published
    scores = {one.object_id: one for one in Score.objects.filter(run=found)}
    assert set(scores) == {good.pk, bad.pk}
    assert scores[good.pk].value > 0.5 > 0.2 > scores[bad.pk].value
    features = {reason["feature"] for reason in scores[good.pk].reasons}
    assert "source" in features
    card = found.model_version.card
    assert card["figures"]["auc"] > card["simple_rule"]["figures"]["auc"]
    assert card["calibration"]


def test_leads_without_a_pattern_are_not_published(run):
    chance = random.Random(5)
    add_leads()
    rows = list(Lead.objects.all())
    for row in rows:
        row.source, row.landing_page = "organic", "demo"
        row.state = chance.choice([LeadState.CONVERTED, LeadState.LOST])
    Lead.objects.bulk_update(rows, ["source", "landing_page", "state"])
    found = run(AnalysisKey.CONVERSION)
    assert found.state in (RunState.NOT_BETTER, RunState.NOT_ENOUGH)
    assert not found.is_current
    assert not Score.objects.exists()


def test_one_class_is_not_enough(run):
    add_leads()
    Lead.objects.update(state=LeadState.LOST)
    found = run(AnalysisKey.CONVERSION)
    assert found.state == RunState.NOT_ENOUGH
    assert found.summary["card"]["base_rate"] == 0


def test_the_leads_page_shows_chance_and_reasons(world, published):
    _, good, _ = published
    text = world.client("dev").get(good.get_absolute_url()).content.decode()
    assert "Source: Referral" in text
    assert "How good is this?" in text
    listed = world.client("dev").get(
        reverse("sales:lead_list"), {"chance_min": 50, "sort": "-chance"}
    )
    assert good.get_absolute_url() in listed.content.decode()
    _, _, bad = published
    assert bad.get_absolute_url() not in listed.content.decode()


def test_a_new_lead_is_scored_when_it_is_saved(
    world, published, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = world.client("dev").post(
            reverse("sales:lead_add"),
            {
                "name": "Fresh",
                "source": "referral",
                "landing_page": "demo",
                "first_contact_on": TODAY.isoformat(),
                "state": "new",
                "owner": world.dev.pk,
            },
        )
    assert answer.status_code == 302, answer.context["form"].errors
    lead = Lead.objects.get(name="Fresh")
    waiting = world.client("dev").get(lead.get_absolute_url()).content.decode()
    assert reverse("analytics:lead_chance", args=[lead.pk]) in waiting
    assert Job.objects.filter(dedupe_key=f"score-lead:{lead.pk}").exists()
    run_jobs()
    score = Score.objects.get(object_id=lead.pk)
    assert score.value > 0.5
    part = world.client("dev").get(reverse("analytics:lead_chance", args=[lead.pk]))
    assert "hx-get" not in part.content.decode()


def test_the_chance_of_a_hidden_lead_is_hidden(world, published):
    _, good, _ = published
    good.owner = world.ana
    good.save()
    address = reverse("analytics:lead_chance", args=[good.pk])
    assert world.client("ana").get(address).status_code == 200
    assert world.client("cleo").get(address).status_code == 404
    assert world.client("fay").get(address).status_code == 403
