"""The cards of a board; in Python, because a board has hundreds of them."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from crm.generic.board_layout import Card
from crm.templatetags.ui import icon

register = template.Library()


@register.simple_tag
def board_cards(cards: list[Card], focus: int | None = None) -> SafeString:
    """Draw the cards of a column; the one in focus takes the cursor."""
    # Asked once: they are the same on every card.
    clock, dots = icon("clock"), icon("dots")
    move, said = gettext("Move to…"), gettext("In this state:")
    return SafeString(
        "".join(
            _draw(card, clock, said, _menu(card, dots, move), focus) for card in cards
        )
    )


def _menu(card: Card, dots: SafeString, move: str) -> SafeString | str:
    """Draw the way to move a card without dragging it."""
    if not card.can_move:
        return ""
    return format_html(
        '<a class="board-move" href="{}" title="{}" aria-label="{} {}"'
        " data-board-move>{}</a>",
        card.move_url,
        move,
        move,
        card.title,
        dots,
    )


def _draw(
    card: Card, clock: SafeString, said: str, menu: SafeString | str, focus: int | None
) -> SafeString:
    """Draw a card: title, the way to move it, facts, age."""
    facts = format_html_join(
        "",
        '<span class="board-fact"><span class="visually-hidden">{}: </span>{}</span>',
        card.facts,
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
        menu,
        facts,
        f"is-{card.tone}" if card.tone else "",
        clock,
        said,
        card.age,
    )
