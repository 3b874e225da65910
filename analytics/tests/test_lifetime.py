"""What is said of a lifetime value, whatever its range and its sign."""

import pytest
from django.utils import translation

from analytics import lifetime
from analytics.models import AnalysisKey, Score
from customers.models import Customer

NOTHING = "with 80% certainty nothing more is bought"


def score(value, low, high, cost=0.0):
    details = {"acquisition_cost": cost, "p_alive": 0.1, "expected_purchases": 0.5}
    return Score(value=value, low=low, high=high, details=details)


# (value, low, high, cost of winning the customer): what is said of the range, the hint
SAID = [
    ((300, 120, 900, 50), "with 80% certainty between €120 and €900", ""),
    ((300, -50, 900, 50), "with 80% certainty between a loss of €50 and €900", ""),
    (
        (-20, -54.4, 31, 54.4),
        "with 80% certainty between a loss of €54 and €31",
        lifetime.BELOW_ZERO,
    ),
    (
        (-40, -54.44, -10.2, 60),
        "with 80% certainty a loss between €10 and €54",
        lifetime.BELOW_ZERO,
    ),
    (
        (-31.52, -54.44, -54.44, 54.44),
        f"{NOTHING}: a loss of €54, the cost of winning the customer",
        lifetime.A_MEAN,
    ),
    ((77.8, 0, 0, 0), NOTHING, lifetime.A_MEAN),
    ((0.2, 0, 0, None), NOTHING, ""),
    ((-0.2, -0.3, -0.3, 0.3), NOTHING, ""),
    ((30, 29.8, 30.3, 5), "with 80% certainty about €30", ""),
    (
        (-30, -30.4, -29.8, 99),
        "with 80% certainty a loss of about €30",
        lifetime.BELOW_ZERO,
    ),
    ((-0.3, -0.4, 2.6, 5), "with 80% certainty between €0 and €3", ""),
    ((12, None, None, 5), "", ""),
]


@pytest.mark.parametrize(
    ("figures", "text", "hint"), SAID, ids=[str(s[0]) for s in SAID]
)
def test_a_range_is_said_in_words(figures, text, hint):
    one = score(*figures)
    assert lifetime.range_text(one, "EUR", 0.8) == text
    assert lifetime.hint(one) == hint
    with translation.override("zh-hans"):
        chinese = lifetime.range_text(one, "EUR", 0.8)
        assert ("certainty" in chinese, bool(chinese)) == (False, bool(text))


def test_without_a_certainty_no_range_is_said():
    assert lifetime.range_text(score(3, 1, 9), "EUR", None) == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "said", "hint"),
    [
        (
            "en",
            f"{NOTHING}: a loss of €54, the cost of winning the customer",
            "a few of whom do buy again",
        ),
        ("zh-hans", "有 80% 的把握不会再购买：亏损 €54", "其中少数客户还会再购买"),
    ],
)
def test_the_customers_page_says_it(world, run, history, language, said, hint):
    found = run(AnalysisKey.LTV)
    scores = Score.objects.filter(run=found, object_id=history[0].pk)
    one = scores.get()
    details = one.details | {"acquisition_cost": 54.44}
    scores.update(value=-31.52, low=-54.44, high=-54.44, details=details)
    type(world.dev).objects.filter(pk=world.dev.pk).update(language=language)
    text = world.client("dev").get(history[0].get_absolute_url()).content.decode()
    assert "-€32" in text
    assert said in text
    assert hint in text
    assert "-€54" not in text


@pytest.mark.django_db
def test_one_purchase_does_not_tell_whether_somebody_still_buys(world, run, history):
    """The model takes everybody who bought once for a customer for ever."""
    found = run(AnalysisKey.LTV)
    pages = {}
    for is_known in (True, False):
        scores = Score.objects.filter(run=found, p_alive__isnull=not is_known)
        customer = Customer.objects.get(pk=scores.first().object_id)
        pages[is_known] = world.client("dev").get(customer.get_absolute_url()).text
    assert "One purchase does not tell" in pages[False]
    assert "One purchase does not tell" not in pages[True]
    chance = "Chance that the customer still buys"
    assert chance in pages[True]
    assert chance not in pages[False]
    known = found.summary["repeated"]
    page = world.client("dev").get("/analytics/lifetime-value/").text
    assert f"of {known} who bought more than once about" in page
