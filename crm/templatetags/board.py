"""The cards of a board; in Python, because a board has hundreds of them."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from crm.generic.board_layout import Card
from crm.templatetags.ui import icon

register = template.Library()


@register.simple_tag
def board_card(card: Card, focus: int | None = None) -> SafeString:
    """Draw a card: title, facts, age, and the way to move it."""
    clock = icon("clock")
    return _draw(card, clock, gettext("Move to…"), gettext("In this state:"), focus)


@register.simple_tag
def board_cards(cards: list[Card], focus: int | None = None) -> SafeString:
    """Draw the cards of a column."""
    clock = icon("clock")
    move, said = gettext("Move to…"), gettext("In this state:")
    return SafeString("".join(_draw(card, clock, move, said, focus) for card in cards))


def _draw(
    card: Card, clock: SafeString, move: str, said: str, focus: int | None
) -> SafeString:
    facts = format_html_join(
        "",
        '<span class="board-fact"><span class="visually-hidden">{}: </span>{}</span>',
        card.facts,
    )
    button = ""
    if card.can_move:
        button = format_html(
            '<a class="board-move" href="{}" title="{}" aria-label="{} {}"'
            " data-board-move>{}</a>",
            card.move_url,
            move,
            move,
            card.title,
            icon("dots"),
        )
    return format_html(
        '<li class="board-card" data-card="{}" data-state="{}"{}>'
        '<a class="board-title" href="{}"{}>{}</a>{}'
        '<span class="board-facts">{}</span>'
        '<span class="board-age {}">{}<span class="visually-hidden">{} </span>{}</span>'
        "</li>",
        card.object.pk,
        card.key,
        SafeString(" data-movable") if card.can_move else "",
        card.url,
        SafeString(" autofocus") if card.object.pk == focus else "",
        card.title,
        button,
        facts,
        f"is-{card.tone}" if card.tone else "",
        clock,
        said,
        card.age,
    )
