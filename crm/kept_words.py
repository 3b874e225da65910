"""Words of templates, translated once per language instead of at every draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.template.base import Node, Parser, Token, Variable
from django.templatetags.i18n import TranslateNode, do_translate
from django.utils.translation import get_language

if TYPE_CHECKING:
    from django.template import Context


class KeptWords(Node):
    """``{% translate %}`` of words that stand in the template.

    A page has some forty of them, and to find them again takes Django a tenth of it.
    """

    def __init__(self, node: TranslateNode) -> None:
        self.node, self.asvar = node, node.asvar
        node.asvar = None
        self.known: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        language = get_language()
        text = self.known.get(language)
        if text is None:
            text = self.known[language] = self.node.render(context)
        if not self.asvar:
            return text
        context[self.asvar] = text
        return ""


def translate(parser: Parser, token: Token) -> Node:
    """Read Django's tag of this name; what depends on the page stays Django's."""
    node = do_translate(parser, token)
    return KeptWords(node) if _is_constant(node) else node


def _is_constant(node: TranslateNode) -> bool:
    words = node.filter_expression
    is_literal = isinstance(words.var, Variable) and words.var.literal is not None
    return is_literal and not words.filters and node.message_context is None
