"""Tags of the generic pages: panels and tiles draw themselves."""

from typing import Any

from django import template
from django.db import models
from django.template.context import Context
from django.template.loader import get_template
from django.utils.safestring import SafeString
from django.utils.text import capfirst

register = template.Library()


@register.simple_tag(takes_context=True)
def part(context: Context, part: Any) -> SafeString:
    """Draw a panel of a detail page."""
    return _draw(context, "generic/_part.html", panel=part.panel, **part.context)


@register.simple_tag(takes_context=True)
def tile(context: Context, part: dict[str, Any]) -> SafeString:
    """Draw a tile of the start page."""
    return _draw(context, "generic/_tile.html", tile=part["tile"], **part["context"])


def _draw(context: Context, name: str, **values: Any) -> SafeString:
    with context.push(**values):
        return get_template(name).template.render(context)


@register.filter
def names_of(model: type[models.Model]) -> str:
    """Return what the rows of a model are called."""
    return capfirst(str(model._meta.verbose_name_plural))
