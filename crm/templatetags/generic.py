"""Tags of the generic pages: panels and tiles draw themselves."""

from __future__ import annotations

from functools import lru_cache

# Django's own also asks each text whether it is lazy; those of cells are plain.
from html import escape
from typing import TYPE_CHECKING, Any

from django import template
from django.db import models
from django.template.context import Context
from django.template.loader import get_template
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext, ngettext

from crm import formatting, frame
from crm.access import is_hidden
from crm.formatting import NOTHING
from crm.generic.cells import Cell
from crm.generic.tables import Heading, Row
from crm.models.lists import Sharing
from crm.templatetags.ui import badge, icon

if TYPE_CHECKING:
    from crm.generic.addresses import ColumnChoice
    from crm.generic.counting import Count
    from crm.generic.keyset import Page
    from crm.generic.pages import Pages
    from crm.generic.panels import Panel

register = template.Library()

ARROWS = {"ascending": "arrow-up", "descending": "arrow-down"}


@register.simple_tag(takes_context=True)
def sees(context: Context, row: models.Model, path: str) -> bool:
    """Tell whether the reader may see a field that a template names itself."""
    return not is_hidden(context["request"].user, type(row), path)


@register.simple_tag(takes_context=True)
def part(context: Context, part: Any) -> SafeString:
    """Draw a panel of a detail page: in a card, bare, or as a place that fills itself.

    In Python: a page has a dozen.
    """
    panel = part.panel
    if part.url:
        return _lazy(panel, escape(part.url))
    values = {"part": part, "panel": panel, **part.context}
    inner = _draw(context, panel.template, **values)
    if panel.bare:
        return inner
    if not panel.edge_to_edge:
        inner = f'<div class="card-body">{inner}</div>'
    return SafeString(f'<section class="card">{_heading(panel)}{inner}</section>')


def _heading(panel: Panel) -> str:
    title = escape(str(panel.title))
    if not title:
        return ""
    return f'<div class="card-header"><h2 class="card-title">{title}</h2></div>'


def _lazy(panel: Panel, url: str) -> SafeString:
    """Draw the place of a panel that loads when the reader comes to it."""
    return SafeString(
        f'<div class="panel-lazy" hx-get="{url}"'
        ' hx-trigger="revealed, record-added from:body">'
        f'<section class="card" aria-busy="true">{_heading(panel)}'
        f'<div class="card-body"><a class="no-js-only" href="{url}">'
        f"{escape(gettext('Show'))}</a></div></section></div>"
    )


@register.simple_tag(takes_context=True)
def tile(context: Context, part: dict[str, Any]) -> SafeString:
    """Draw a tile of the start page."""
    about = {"tile": part["tile"], "aside": part["aside"]}
    return _draw(context, "generic/_tile.html", **about, **part["context"])


@register.simple_tag(takes_context=True)
def table_rows(context: Context, rows: list[Row]) -> SafeString:
    """Draw the rows of a list, with a box to select each where something can be done.

    In Python and joined by hand: a list has hundreds of cells, and each template or
    pattern costs more than what it draws.
    """
    select = gettext("Select %(name)s") if context.get("bulk_actions") else ""
    return SafeString("\n".join([_row(context, row, select) for row in rows]))


@register.simple_tag
def table_head(headings: list[Heading]) -> SafeString:
    """Draw the heads of the columns, each with the link that sorts by it."""
    return SafeString("\n".join([_head(one) for one in headings]))


def _head(heading: Heading) -> str:
    about = [f'<th scope="col" data-col="{escape(heading.key)}"']
    if heading.width:
        about.append(f' data-width="{int(heading.width)}"')
    if heading.reason:
        about.append(f' title="{escape(heading.reason)}"')
    if heading.align == "end":
        about.append(' class="num"')
    if heading.direction:
        about.append(f' aria-sort="{heading.direction}"')
    return f"{''.join(about)}>{_heading_text(heading)}</th>"


def _heading_text(heading: Heading) -> str:
    label = escape(heading.label)
    if heading.url:
        arrow = ARROWS.get(heading.direction)
        sign = f" {icon(arrow)}" if arrow else ""
        url = escape(heading.url)
        return (
            f'<a href="{url}" hx-get="{url}" hx-target="#list" hx-swap="outerHTML" '
            f'hx-push-url="true">{label}{sign}</a>'
        )
    if heading.reason:
        said = escape(heading.reason)
        return f'{label}<span class="visually-hidden">. {said}</span>'
    return label


@register.simple_tag
def place_in_list(count: Count, page: Page) -> str:
    """Say which rows of how many the page shows."""
    number = formatting.number(count.number)
    if count.is_exact:
        rows = ngettext("%(number)s row", "%(number)s rows", count.number)
    else:
        rows = gettext("%(number)s+ rows")
    total = rows % {"number": number}
    if not page.start or (count.is_exact and page.end > count.number):
        # A link out of another list may say where that one stood.
        return total
    start, end = formatting.number(page.start), formatting.number(page.end)
    text = gettext("%(start)s–%(end)s of %(total)s")
    return text % {"start": start, "end": end, "total": total}


@register.simple_tag
def select_banner(shown: int, count: Count) -> SafeString:
    """Draw what offers to choose all results where the page does not show them all."""
    if count.is_exact and count.number <= shown:
        return SafeString("")
    return frame.drawn_once("generic/_select_banner.html", shown=shown, count=count)


@register.simple_tag(takes_context=True)
def bulk_bar(context: Context) -> SafeString:
    """Draw what can be done with the chosen rows."""
    return frame.drawn_once(
        "generic/_bulk_bar.html",
        {name: context[name] for name in ("csrf_token", "selection_query")},
        bulk_actions=tuple(context["bulk_actions"]),
    )


@register.simple_tag(takes_context=True)
def new_view(context: Context, list_key: str, query: str) -> SafeString:
    """Draw the form that keeps an address as a view."""
    return frame.drawn_once(
        "generic/_new_view.html",
        {"csrf_token": context["csrf_token"], "query": query},
        list_key=list_key,
        sharing=Sharing,
    )


def _row(context: Context, row: Row, select: str) -> str:
    pk = row.object.pk
    parts = [f'<tr data-pk="{pk}">']
    if select:
        name = escape(select % {"name": row.cells[0].text})
        parts.append(
            '<td class="col-select"><input class="form-check-input" type="checkbox" '
            f'name="pk" value="{pk}" form="bulk-form" aria-label="{name}" data-select>'
            "</td>"
        )
    for cell in row.cells:
        inner = cell_value(context, cell)
        if not isinstance(inner, SafeString):
            inner = escape(inner)
        parts.append(f"{_start_of(cell.label, cell.css, cell.edit)}{inner}</td>")
    parts.append("</tr>")
    return "".join(parts)


@lru_cache(maxsize=2000)
def _start_of(label: str, css: str, edit: str) -> str:
    """Return where a cell begins: the same in all rows of a column."""
    css = f' class="{escape(css)}"' if css else ""
    edit = f' data-edit="{escape(edit)}"' if edit else ""
    return f'<td data-label="{escape(label)}"{css}{edit}>'


@register.simple_tag(takes_context=True)
def cell_value(context: Context, cell: Cell) -> SafeString | str:
    """Draw what a cell holds: the column's own template, a badge, a link or a text."""
    if cell.template:
        return _draw(context, cell.template, cell=cell)
    if not cell.text:
        return NOTHING
    if cell.kind == "badge":
        return draw_badge(cell.text, cell.value, cell.colour)
    if cell.url:
        return SafeString(f'<a href="{escape(cell.url)}">{escape(cell.text)}</a>')
    return cell.text


@lru_cache(maxsize=1000)
def draw_badge(text: str, state: Any = "", colour: str = "") -> SafeString:
    """Draw a badge; a list shows few different ones many times."""
    return get_template("components/_badge.html").render(
        badge(text, state, colour=colour)
    )


@register.simple_tag
def layout_columns(choices: list[ColumnChoice]) -> SafeString:
    """Draw the lines of the menu of columns."""
    return _layout_columns(tuple(choices), get_language() or "")


# The same from page to page; drawn anew it costs as much as the rows do.
@lru_cache(maxsize=1000)
def _layout_columns(choices: tuple[ColumnChoice, ...], language: str) -> SafeString:
    template = get_template("generic/_layout_columns.html")
    return template.render({"column_choices": choices})


def _draw(context: Context, name: str, **values: Any) -> SafeString:
    with context.push(**values):
        return get_template(name).template.render(context)


@register.filter
def names_of(model: type[models.Model]) -> str:
    """Return what the rows of a model are called."""
    return capfirst(str(model._meta.verbose_name_plural))


@register.filter
def url_of(pages: Pages, page: str) -> str:
    """Return the address of one of a model's pages."""
    return pages.url(page)
