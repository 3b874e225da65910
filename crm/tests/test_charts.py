"""Charts: the numbers, their table, and what the page carries."""

import datetime
import json
import re
from decimal import Decimal

import pytest
from django.template import Context, Template

from crm.charts import Chart, Money, Percent


def render(source: str, **context: object) -> str:
    """Render a piece of template."""
    return Template("{% load ui charts i18n %}" + source).render(Context(context))


def cells(chart: Chart) -> list[list[str]]:
    """Return the words of the table behind a chart."""
    return [[cell.text for cell in row] for row in chart.table().rows]


def test_chart_carries_its_numbers_as_a_table_and_as_data():
    chart = Chart(
        "bar",
        "Value <of> groups",
        x_label="Group",
        categories=["A", "B"],
        series=[{"name": "Revenue", "data": [Decimal("1200.50"), None]}],
        y_format=Money("EUR"),
        links=["/a/", "/b/"],
    )
    text = render("{% chart c %}", c=chart)
    assert "€1,201" in text
    assert '<a href="/a/">A</a>' in text
    assert "Value &lt;of&gt; groups" in text
    assert text.count("charts.js") == 1
    data = json.loads(
        re.search(r"<script type=\"application/json\">(.*?)</script>", text)[1]
    )
    assert data["labels"] == ["A", "B"]
    assert data["series"][0]["data"] == [1200.5, None]
    assert data["yFormat"]["currency"] == "EUR"


def test_data_of_a_chart_cannot_leave_its_script():
    chart = Chart("bar", "t", categories=["</script><b>"], series=[{"data": [1]}])
    assert "</script><b>" not in render("{% chart c %}", c=chart)


def test_line_with_dates_and_a_range():
    chart = Chart(
        "line",
        "Sales",
        categories=[datetime.date(2026, 1, 1), datetime.date(2026, 2, 1)],
        period="month",
        series=[
            {"name": "Forecast", "data": [10, 12], "band": [[8, 12], [None, None]]}
        ],
    )
    assert chart.labels == ["Jan 2026", "Feb 2026"]
    assert cells(chart) == [["Jan 2026", "10", "8 – 12"], ["Feb 2026", "12", "–"]]


def test_histogram_names_its_bins():
    chart = Chart("histogram", "t", categories=[0, 100, 200], series=[{"data": [3, 4]}])
    assert chart.labels == ["0 – 100", "100 – 200"]
    assert cells(chart) == [["0 – 100", "3"], ["100 – 200", "4"]]


def test_scatter_tells_size_and_middle_of_each_class():
    chart = Chart(
        "scatter", "t", series=[{"name": "A", "data": [[0, 1], [2, 3]]}, {"data": []}]
    )
    assert cells(chart) == [["A", "2", "1", "2"], ["", "0", "–", "–"]]


def test_calibration_tells_said_seen_and_count():
    chart = Chart(
        "calibration", "t", series=[{"name": "m", "data": [[0.1, 0.125, 40]]}]
    )
    assert cells(chart) == [["10.0%", "12.5%", "40"]]


def test_heatmap_is_a_table_that_needs_no_script():
    chart = Chart(
        "heatmap",
        "Confusion",
        categories=["a", "b"],
        series=[{"name": "a", "data": [9, 1]}, {"name": "b", "data": [0, 3]}],
        highlight_diagonal=True,
    )
    text = render("{% chart c %}", c=chart)
    assert "<script" not in text
    assert text.count("is-right") == 2
    assert "shade-9" in text


def test_percent_axis_and_empty_chart():
    chart = Chart(
        "bar", "t", y_format=Percent(0), categories=["A"], series=[{"data": [0.5]}]
    )
    assert cells(chart) == [["A", "50%"]]
    assert "There is nothing to draw yet." in render(
        "{% chart c %}", c=Chart("bar", "t")
    )


def test_wrong_chart_is_refused():
    with pytest.raises(ValueError, match="A chart is one of"):
        Chart("pie", "t")
    with pytest.raises(ValueError, match="1 figures for 2 labels"):
        Chart("bar", "t", categories=["A", "B"], series=[{"data": [1]}])
