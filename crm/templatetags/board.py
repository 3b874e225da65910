"""The cards of a board; in Python, because a board has hundreds of them."""

from html import escape

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from crm.generic.board_cards import Card
from crm.templatetags.ui import icon

register = template.Library()


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
    """Draw a card: title, the way to move it, facts, age.

    All that comes from people is escaped here; ``format_html`` takes three times as
    long for the same.
    """
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
