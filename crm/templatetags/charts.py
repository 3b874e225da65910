"""Put a chart on a page: the picture, and the same numbers as a table."""

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString

from crm.charts import Cell, Chart, Table

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


@register.filter
def rows_of(table: Table) -> SafeString:
    """Draw the rows of a chart's table; a template took as long as the picture."""
    return SafeString(
        "".join(
            f"<tr>{''.join(_cell(cell, place == 0) for place, cell in enumerate(row))}"
            "</tr>\n"
            for row in table.rows
        )
    )


def _cell(cell: Cell, is_first: bool) -> str:
    text = escape(cell.text)
    if is_first and not cell.is_number:
        if cell.url:
            text = f'<a href="{escape(cell.url)}">{text}</a>'
        return f'<th scope="row">{text}</th>'
    shade = "" if cell.shade is None else f" shade-{cell.shade}"
    right = " is-right" if cell.is_right else ""
    return f'<td class="num{shade}{right}">{text}</td>'
