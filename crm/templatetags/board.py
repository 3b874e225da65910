"""What lies on a board; in Python, because a board has hundreds of parts.

All that comes from people is escaped here; ``format_html`` takes three times as long
for the same.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from crm import formatting
from crm.generic.board_cards import Card
from crm.templatetags.ui import icon

if TYPE_CHECKING:
    from crm.generic.board import Board
    from crm.generic.board_layout import Head, Lane

register = template.Library()


@register.simple_tag
def board_columns(
    lanes: list[Lane], board: Board, quick_url: str, here_url: str, focus: int | None
) -> SafeString:
    """Draw the columns with their heads and cards; one card may take the cursor."""
    quick = f"{quick_url}?back={quote(here_url)}&{board.field}="
    return SafeString("".join(_column(lane, quick, focus) for lane in lanes))


def _column(lane: Lane, quick: str, focus: int | None) -> str:
    """Draw a column; what was closed is folded."""
    key, label = escape(lane.column.key), escape(lane.column.label)
    fold = _fold(key, label) if lane.column.is_closed else ""
    add = _add(lane, label, f"{escape(quick)}{key}") if lane.add_url else ""
    return (
        f'<section class="board-column{" is-closed" if lane.column.is_closed else ""}"'
        f' data-column="{key}" aria-labelledby="column-{key}">'
        f'<header class="board-head"><h2 class="board-name" id="column-{key}">'
        f'<span class="board-mark mark-{escape(lane.column.colour or "grey")}"></span>'
        f"{label}</h2>{fold}{add}"
        f'<div class="board-figures" data-head>{board_head(lane.head)}</div></header>'
        f'<div class="board-new" id="new-{key}"></div>'
        f'<ol class="board-cards" id="cards-{key}" data-cards'
        f' data-empty="{escape(gettext("No cards"))}">'
        f"{board_cards(lane.cards, focus)}{board_more(lane.more_url)}</ol></section>"
    )


def _fold(key: str, label: str) -> str:
    """Draw what unfolds a closed column."""
    name = escape(gettext("Show the cards of %(name)s")) % {"name": label}
    return (
        '<button type="button" class="btn btn-ghost btn-icon btn-sm js-only"'
        f' aria-expanded="false" aria-controls="cards-{key}" aria-label="{name}"'
        f" data-board-fold>{icon('chevron-right')}</button>"
    )


def _add(lane: Lane, label: str, quick: str) -> str:
    """Draw the way to the quick form of a column, a page without a script."""
    name = escape(gettext("Add in %(name)s")) % {"name": label}
    return (
        f'<a class="btn btn-ghost btn-icon btn-sm" href="{escape(lane.add_url)}"'
        f' aria-label="{name}" title="{escape(gettext("Add"))}" hx-get="{quick}"'
        f' hx-target="#new-{escape(lane.column.key)}" hx-push-url="false">'
        f"{icon('plus')}</a>"
    )


@register.simple_tag
def board_head(head: Head) -> SafeString:
    """Draw the figures over a column."""
    more = "" if head.is_exact else "+"
    parts = [f'<span class="board-count">{formatting.number(head.count)}{more}</span>']
    if head.recent_days:
        days = formatting.number(head.recent_days)
        parts.append(escape(gettext("last %(days)s days") % {"days": days}))
    drawn = [f"<span>{' '.join(parts)}</span>"]
    if head.totals:
        why = escape(gettext("of 10,000 cards; all together are more"))
        title = "" if head.is_exact else f' title="{why}"'
        totals = " · ".join(f"{escape(total)}{more}" for total in head.totals)
        drawn.append(f'<span class="board-total"{title}>{totals}</span>')
    if head.weighted:
        text = gettext("weighted %(total)s") % {"total": " · ".join(head.weighted)}
        drawn.append(f'<span class="board-weighted">{escape(text)}</span>')
    return SafeString("\n".join(drawn))


@register.simple_tag
def board_more(url: str) -> SafeString | str:
    """Draw the way to the next cards of a column, if there are any."""
    if not url:
        return ""
    url = escape(url)
    return SafeString(
        f'<li class="board-more"><a class="btn btn-ghost btn-sm" href="{url}"'
        f' hx-get="{url}" hx-target="closest li" hx-swap="outerHTML">'
        f"{escape(gettext('Show more'))}</a></li>"
    )


@register.simple_tag
def board_cards(cards: list[Card], focus: int | None = None) -> SafeString:
    """Draw the cards of a column; the one in focus takes the cursor."""
    # Asked once: they are the same on every card.
    clock, dots = icon("clock"), icon("dots")
    move, said = escape(gettext("Move to…")), escape(gettext("In this state:"))
    return SafeString(
        "".join(
            _draw(card, clock, said, _menu(card, dots, move), focus) for card in cards
        )
    )


def _menu(card: Card, dots: SafeString, move: str) -> str:
    """Draw the way to move a card without dragging it."""
    if not card.can_move:
        return ""
    return (
        f'<a class="board-move" href="{escape(card.move_url)}" title="{move}"'
        f' aria-label="{move} {escape(card.title)}" data-board-move>{dots}</a>'
    )


def _draw(
    card: Card, clock: SafeString, said: str, menu: str, focus: int | None
) -> str:
    """Draw a card: title, the way to move it, facts, age."""
    facts = "".join(
        f'<span class="board-fact"><span class="visually-hidden">{escape(label)}: '
        f"</span>{escape(text)}</span>"
        for label, text in card.facts
    )
    pk = card.object.pk
    return (
        f'<li class="board-card" data-card="{pk}" data-state="{escape(card.key)}"'
        f"{' data-movable' if card.can_move else ''}>"
        f'<a class="board-title" href="{escape(card.url)}"'
        f"{' autofocus' if pk == focus else ''}>{escape(card.title)}</a>{menu}"
        f'<span class="board-facts">{facts}</span>'
        f'<span class="board-age {f"is-{card.tone}" if card.tone else ""}">{clock}'
        f'<span class="visually-hidden">{said} </span>{escape(card.age)}</span></li>'
    )
