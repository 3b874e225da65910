"""Put a chart on a page: the picture, and the same numbers as a table."""

from django import template

from crm.charts import Chart

register = template.Library()


@register.inclusion_tag("components/_chart.html")
def chart(chart: Chart, hide_title: bool = False, tall: bool = False) -> dict:
    """Draw a chart; its figure brings the scripts that it needs."""
    return {
        "chart": chart,
        "table": chart.table(),
        "hide_title": hide_title,
        "tall": tall,
        "is_picture": chart.kind != "heatmap",
    }
