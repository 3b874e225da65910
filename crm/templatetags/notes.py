"""How the text of a note is written."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from crm.notes.mentions import STORED

register = template.Library()


@register.simple_tag
def note_text(text: str, people: dict, reader: object = None) -> SafeString:
    """Write a note: escaped, people as chips, lines as they were typed."""
    parts = STORED.split(text)
    shown = []
    for place, part in enumerate(parts):
        if place % 2 == 0:
            shown.append((part,))
            continue
        person = people.get(int(part))
        css = "mention mention-me" if person and person == reader else "mention"
        name = str(person or gettext("somebody"))
        shown.append((format_html('<span class="{}">@{}</span>', css, name),))
    return format_html_join("", "{}", shown)
