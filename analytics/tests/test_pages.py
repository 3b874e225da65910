"""The pages of the analyses, for those who may and those who may not."""

import pytest
from django.urls import reverse
from django.utils import timezone

from analytics.models import AnalysisKey, Cluster, Run, RunState, Score
from analytics.tests.history import add_customers
from crm import formatting
from crm.models import Job

pytestmark = pytest.mark.django_db
ADDRESSES = [
    reverse(name)
    for name in (
        "analytics:overview",
        "analytics:run_list",
        "analytics:segments",
        "analytics:lifetime_value",
        "analytics:statistics",
    )
] + [reverse("analytics:model", args=[key]) for key in AnalysisKey]
LIST = "customers:customer_list"
MAIN = (AnalysisKey.STATISTICS, AnalysisKey.SEGMENTATION, AnalysisKey.LTV)


@pytest.fixture
def published(run, history):
    """Return the finished runs of the analyses of customers, by key."""
    found = {key: run(key) for key in MAIN}
    assert {one.state for one in found.values()} == {RunState.PUBLISHED}
    return found


def test_an_empty_database_has_pages(world):
    for address in ADDRESSES:
        assert world.client("ben").get(address).status_code == 200, address


def test_readers_see_the_pages(world, published):
    for name in ("ana", "ben", "dev"):
        for address in ADDRESSES:
            assert world.client(name).get(address).status_code == 200, address


def test_others_do_not(world):
    for address in ADDRESSES:
        assert world.client("fay").get(address).status_code == 403, address
        assert world.client("eve").get(address).status_code == 302, address


def test_without_history_the_pages_say_so(world, run):
    add_customers(1)
    for key in AnalysisKey:
        run(key)
        page = world.client("ben").get(reverse("analytics:model", args=[key]))
        assert "Not enough history" in page.content.decode()
    for address in ADDRESSES:
        assert world.client("ben").get(address).status_code == 200
    for one in Run.objects.all():
        page = world.client("ben").get(one.get_absolute_url())
        assert "Not enough history" in page.content.decode()


def test_the_model_page_has_the_figures_beside_the_rule(world, published):
    address = reverse("analytics:model", args=[AnalysisKey.LTV])
    text = world.client("ana").get(address).content.decode()
    assert "Mean absolute error" in text
    assert "The same rate as before" in text
    assert "MBG/NBD" in text
    assert "Show the numbers" in text


def test_a_run_page_shows_log_to_those_who_may_see_the_job(world, published):
    one = published[AnalysisKey.SEGMENTATION]
    text = world.client("dev").get(one.get_absolute_url()).content.decode()
    assert "rows as of" in text
    text = world.client("ana").get(one.get_absolute_url()).content.decode()
    assert "rows as of" not in text


def test_segments_lead_to_the_customers_in_them(world, published):
    page = world.client("dev").get(reverse("analytics:segments"))
    for cluster in Cluster.objects.all():
        assert f"?cluster={cluster.number}" in page.content.decode()
    biggest = Cluster.objects.order_by("-size").first()
    listed = world.client("dev").get(
        reverse("customers:customer_list"), {"cluster": biggest.number}
    )
    assert listed.status_code == 200
    content = listed.content.decode()
    inside = biggest.run.segments.filter(cluster=biggest.number)
    outside = biggest.run.segments.exclude(cluster=biggest.number)
    for row in inside[:5]:
        assert reverse("customers:customer_detail", args=[row.customer_id]) in content
    for row in outside[:5]:
        address = reverse("customers:customer_detail", args=[row.customer_id])
        assert f'"{address}"' not in content


def test_customers_can_be_sorted_and_filtered_by_value(world, published):
    scores = Score.objects.filter(run=published[AnalysisKey.LTV]).order_by("-value")
    best = scores.first()
    address = reverse("customers:customer_list")
    page = world.client("dev").get(address, {"sort": "-lifetime_value"})
    rows = page.content.decode()
    first = reverse("customers:customer_detail", args=[best.object_id])
    assert first in rows
    low = scores[9].value - 0.001
    page = world.client("dev").get(address, {"lifetime_value_min": low})
    found = page.content.decode()
    assert first in found
    worst = reverse("customers:customer_detail", args=[scores.last().object_id])
    assert f'"{worst}"' not in found


def test_customers_can_be_sorted_and_filtered_by_their_chance(world, published):
    scores = Score.objects.filter(run=published[AnalysisKey.LTV])
    chances = {
        one.object_id: one.details["p_alive"]
        for one in scores
        if one.details["p_alive"] is not None
    }
    new = add_customers(1, name="Brand new")[0]
    address = reverse(LIST)

    def listed(**query):
        page = world.client("dev").get(
            address, {"columns": "name,still_buying", **query}
        )
        return [row.object.pk for row in page.context["rows"]], page.text

    best = sorted(chances, key=lambda pk: (chances[pk], pk), reverse=True)
    found, text = listed(sort="-still_buying")
    assert found == best[: len(found)]
    assert formatting.percent(chances[best[0]], 0) in text
    limit = 100 * sorted(chances.values())[-5]
    fit = {pk for pk in best if chances[pk] >= limit / 100}
    found, _text = listed(still_buying_min=limit)
    assert set(found) == fit
    found, text = listed(q="Brand new")
    assert found == [new.pk]
    assert "%" not in text.split("<tbody", 1)[1].split("</tbody>", 1)[0]


def test_the_pages_of_customers_by_chance_meet_without_a_gap(world):
    """A token holds the chance as a figure; those without one come last."""
    customers = add_customers(120)
    run = Run.objects.create(
        key=AnalysisKey.LTV, as_of=timezone.now(), state="published", is_current=True
    )
    for place, one in enumerate(customers[:110]):
        details = {"p_alive": place % 7 / 7}
        Score.objects.create(run=run, object_id=one.pk, details=details)
    client, found = world.client("dev"), []
    address = f"{reverse(LIST)}?columns=name,still_buying&sort=-still_buying"
    while address:
        context = client.get(address).context
        found += [row.object for row in context["rows"]]
        address = context["next_url"] and reverse(LIST) + context["next_url"]
    assert len(found) == len({one.pk for one in found}) == 120
    figures = [one.still_buying for one in found]
    assert figures[:110] == sorted(
        (place % 7 / 7 for place in range(110)), reverse=True
    )
    assert figures[110:] == [None] * 10


def test_the_customers_page_shows_group_and_value(world, published, history):
    page = world.client("dev").get(history[0].get_absolute_url())
    text = page.content.decode()
    assert "Lifetime value" in text
    assert "Purchasing power" in text
    assert "How good is this?" in text
    score = Score.objects.get(run=published[AnalysisKey.LTV], object_id=history[0].pk)
    assert f"{score.value:,.0f}" in text


def test_a_new_customer_is_not_in_the_last_run(world, published):
    new = add_customers(1, name="Brand new")[0]
    text = world.client("dev").get(new.get_absolute_url()).content.decode()
    assert "Not in the last run" in text


def test_only_those_with_the_right_start_runs(world):
    address = reverse("analytics:start", args=[AnalysisKey.SEGMENTATION])
    assert world.client("ana").post(address).status_code == 403
    assert world.client("fay").post(address).status_code == 403
    assert world.client("eve").post(address).status_code == 302
    assert not Job.objects.exists()
    answer = world.client("ben").post(address)
    job = Job.objects.get()
    assert job.owner == world.ben
    assert answer.url == job.get_absolute_url()


def test_lifetime_value_takes_what_was_typed(world):
    address = reverse("analytics:start", args=[AnalysisKey.LTV])
    typed = {
        "as_of": "2026-01-31",
        "discount_rate": "12.5",
        "years": "5",
        "margin": "40",
        "acquisition_cost": "25",
    }
    world.client("ben").post(address, typed)
    job = Job.objects.get()
    assert job.params["as_of"].startswith("2026-01-31")
    assert job.params["params"] == {
        "discount_rate": 0.125,
        "years": 5,
        "margin": 0.4,
        "acquisition_cost": 25,
    }


@pytest.mark.parametrize(
    "wrong", [{"years": "0"}, {"discount_rate": "x"}, {"as_of": "2199-01-01"}]
)
def test_wrong_parameters_are_said_beside_the_field(world, wrong):
    address = reverse("analytics:start", args=[AnalysisKey.LTV])
    typed = {
        "as_of": "",
        "discount_rate": "10",
        "years": "3",
        "margin": "100",
        "acquisition_cost": "0",
    }
    answer = world.client("ben").post(address, typed | wrong)
    assert answer.status_code == 400
    assert "is-invalid" in answer.content.decode()
    assert not Job.objects.exists()


def test_the_start_page_has_the_groups_and_the_models(world, published):
    text = world.client("dev").get("/").content.decode()
    assert reverse("analytics:segments") in text
    assert reverse("analytics:model", args=[AnalysisKey.LTV]) in text


def test_group_sizes_on_the_start_page_are_of_visible_customers(
    world, published, history
):
    for customer in history[:7]:
        customer.owner = world.ana
        customer.save()
    from analytics.selectors import visible_cluster_sizes

    one = published[AnalysisKey.SEGMENTATION]
    assert sum(visible_cluster_sizes(world.ana, one).values()) == 7
    assert sum(visible_cluster_sizes(world.cleo, one).values()) == 0
    assert sum(visible_cluster_sizes(world.dev, one).values()) == len(history)
    everybody = type(history[0]).objects
    everybody.filter(pk=history[1].pk).update(owner=world.cleo)
    assert sum(visible_cluster_sizes(world.ana, one).values()) == 6
    gone = everybody.create(name="Gone")
    one.segments.create(customer_id=gone.pk, cluster=one.clusters.first().number)
    everybody.filter(pk=gone.pk).update(owner=world.cleo)
    assert sum(visible_cluster_sizes(world.cleo, one).values()) == 2
    gone.delete()
    assert sum(visible_cluster_sizes(world.cleo, one).values()) == 1


def test_pages_can_be_read_in_chinese(world, published):
    for address in ADDRESSES:
        answer = world.client("dev").get(
            address, headers={"accept-language": "zh-hans"}
        )
        assert answer.status_code == 200
        assert 'lang="zh-hans"' in answer.content.decode()
