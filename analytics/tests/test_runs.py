"""Runs from the queue to the tables: published whole, refused, pruned, repeated."""

from collections import defaultdict

import pytest
from django.utils import timezone

from analytics.models import (
    AnalysisKey,
    Cluster,
    CustomerSegment,
    ModelVersion,
    Run,
    RunState,
    Score,
)
from analytics.services import KEPT_RUNS, start_analysis
from analytics.tests.history import NOW, add_customers, order
from crm import jobs
from crm.models import Job, JobState
from crm.testing.workers import run_jobs
from sales.models import Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(run):
    """Return a function that gives the job beside the run."""

    def both(key, **kwargs):
        found = run(key, **kwargs)
        return found, found.job

    return both


def test_segmentation_puts_every_customer_somewhere(run, history):
    found, job = run(AnalysisKey.SEGMENTATION)
    assert job.state == JobState.DONE
    assert found.state == RunState.PUBLISHED
    assert found.is_current
    rows = CustomerSegment.objects.filter(run=found)
    assert rows.count() == len(history)
    assert set(rows.values_list("purchasing_power", flat=True)) == {"A", "B", "C"}
    sizes = dict(Cluster.objects.filter(run=found).values_list("number", "size"))
    counted = {number: rows.filter(cluster=number).count() for number in sizes}
    assert sizes == counted
    assert job.result["published"] is True
    assert job.result["rows"] == len(history)


def test_the_ids_and_names_of_clusters_stay(run, history):
    first, _ = run(AnalysisKey.SEGMENTATION)
    before = dict(first.clusters.values_list("number", "name_key"))
    again, _ = run(AnalysisKey.SEGMENTATION)
    assert dict(again.clusters.values_list("number", "name_key")) == before
    where = dict(first.segments.values_list("customer_id", "cluster"))
    assert dict(again.segments.values_list("customer_id", "cluster")) == where


def test_returns_are_netted_and_drafts_do_not_count(run, history):
    customer = add_customers(1, name="Netted")[0]
    Order.objects.bulk_create(
        [
            order(customer, 40, 100),
            order(customer, 30, 50),
            order(customer, 20, -50, kind="return"),
            order(customer, 10, 999, state="draft"),
            order(customer, 5, 999, state="cancelled"),
        ]
    )
    found, _ = run(AnalysisKey.SEGMENTATION)
    row = found.segments.get(customer_id=customer.pk)
    assert (row.frequency, row.monetary) == (2, 100)
    assert row.recency_days == 30


def bought_once():
    days = defaultdict(set)
    for customer, at in Order.objects.values_list("customer_id", "placed_at"):
        days[customer].add(at.date())
    return {customer for customer, some in days.items() if len(some) == 1}


def test_lifetime_value_has_interval_and_reasons(run, history):
    found, job = run(AnalysisKey.LTV, params={"discount_rate": 0.1, "years": 2})
    assert job.state == JobState.DONE, job.error
    assert found.state == RunState.PUBLISHED, found.summary
    scores = list(Score.objects.filter(run=found))
    assert len(scores) == len(history)
    assert all(one.low <= one.high for one in scores)
    assert any(one.low < one.value < one.high for one in scores)
    chances = {one.object_id: one.details["p_alive"] for one in scores}
    # Of one purchase the model would say that the customer stays for certain.
    assert {pk for pk, one in chances.items() if one is None} == bought_once() != set()
    known = [one for one in chances.values() if one is not None]
    assert all(0 <= one < 1 for one in known)
    assert found.summary["repeated"] == len(known)
    assert found.summary["alive"] == pytest.approx(sum(known), rel=0.01)
    assert {reason["feature"] for reason in scores[0].reasons} == {
        "p_alive",
        "purchase_rate",
        "expected_value",
    }
    card = found.model_version.card
    assert card["figures"][card["main_figure"]] is not None
    assert card["simple_rule"]["figures"]
    counted = sum(bin_["count"] for bin_ in found.summary["distribution"])
    assert counted == len(history)


def test_acquisition_cost_is_the_customers_own_or_the_given_one(run, history):
    history[0].acquisition_cost = 40
    history[0].save()
    free, _ = run(AnalysisKey.LTV)
    paid, _ = run(AnalysisKey.LTV, params={"acquisition_cost": 15})
    own = {
        one: Score.objects.get(run=one, object_id=history[0].pk) for one in (free, paid)
    }
    assert own[free].value == pytest.approx(own[paid].value)
    assert own[free].details["acquisition_cost"] == 40
    other = {
        one: Score.objects.get(run=one, object_id=history[1].pk) for one in (free, paid)
    }
    assert other[free].value - other[paid].value == pytest.approx(15)


def test_statistics_describe_regions(run, history):
    found, _ = run(AnalysisKey.STATISTICS)
    assert found.state == RunState.PUBLISHED
    groups = {one["region"]: one for one in found.summary["tables"]["groups"]}
    assert set(groups) == {"North", "South", "West"}
    assert groups["North"]["rows"] == 40
    assert groups["North"]["gender"]["mode"] == "female"


@pytest.mark.parametrize("key", AnalysisKey.values)
@pytest.mark.parametrize("customers", [0, 1])
def test_too_little_data_is_an_answer(run, key, customers):
    add_customers(customers)
    found, job = run(key)
    assert job.state == JobState.DONE, job.error
    assert found.state == RunState.NOT_ENOUGH
    assert not found.is_current
    assert found.summary["card"]["reason"]["text"].startswith("Not enough history")
    assert not Score.objects.exists()


def test_constant_columns_are_not_enough(run):
    customers = add_customers(40)
    Order.objects.bulk_create(order(one, 10, 100) for one in customers)
    found, job = run(AnalysisKey.SEGMENTATION)
    assert job.state == JobState.DONE, job.error
    assert found.state == RunState.NOT_ENOUGH
    found, job = run(AnalysisKey.LTV)
    assert job.state == JobState.DONE, job.error
    assert found.state == RunState.NOT_ENOUGH


def test_a_refused_run_leaves_the_old_result(run, history):
    good, _ = run(AnalysisKey.SEGMENTATION)
    rows = good.segments.count()
    Order.objects.all().delete()
    bad, _ = run(AnalysisKey.SEGMENTATION)
    assert bad.state == RunState.NOT_ENOUGH
    good.refresh_from_db()
    assert good.is_current
    assert good.segments.count() == rows


def test_bad_parameters_fail_with_a_sentence(run, history):
    found, job = run(AnalysisKey.LTV, params={"years": 99})
    assert job.state == JobState.FAILED
    assert "years" in job.error
    assert found.state == RunState.FAILED
    assert found.reason == job.error


def test_only_the_newest_runs_are_kept(run, history):
    runs = [run(AnalysisKey.SEGMENTATION)[0] for _ in range(KEPT_RUNS + 2)]
    kept = set(Run.objects.values_list("pk", flat=True))
    assert kept == {one.pk for one in runs[-KEPT_RUNS:]}
    assert CustomerSegment.objects.count() == KEPT_RUNS * len(history)
    versions = ModelVersion.objects.filter(key=AnalysisKey.SEGMENTATION)
    assert versions.count() == KEPT_RUNS + 2
    assert versions.exclude(artefact=None).count() == KEPT_RUNS


def test_a_job_run_again_after_its_end_changes_nothing(run, history):
    found, job = run(AnalysisKey.SEGMENTATION)
    assert jobs.run(job.pk) is None
    assert list(Run.objects.values_list("pk", flat=True)) == [found.pk]


def test_what_a_dead_attempt_left_is_thrown_away(run, history):
    job = start_analysis(key=AnalysisKey.SEGMENTATION, as_of=NOW)
    dead = Run.objects.create(key=AnalysisKey.SEGMENTATION, as_of=NOW, job=job)
    CustomerSegment.objects.create(run=dead, customer_id=history[0].pk)
    run_jobs()
    found = Run.objects.get()
    assert found.pk != dead.pk
    assert found.is_current
    assert found.segments.count() == len(history)


def test_two_wishes_for_one_analysis_are_one_job():
    first = start_analysis(key=AnalysisKey.LTV, params={"years": 2})
    second = start_analysis(key=AnalysisKey.LTV, params={"years": 4})
    assert first.pk == second.pk
    assert Job.objects.get().params == {"params": {"years": 4}}


def test_an_archive_is_seen_from_its_last_day(run, history):
    from analytics.analyses import get_analysis

    newest = Order.objects.order_by("placed_at").last().placed_at
    as_of = get_analysis(AnalysisKey.SEGMENTATION).default_as_of()
    if (timezone.now() - newest).days > 30:
        assert as_of.date() == newest.date()
    else:
        assert (timezone.now() - as_of).total_seconds() < 60
