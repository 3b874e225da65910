"""Draw the plain form controls in Python: a list's filters have hundreds of options.

Django draws each option by two templates. The words and attributes are the same here,
only blank lines differ; a control with a template of its own is left to Django.
"""

from __future__ import annotations

# Django's own also asks each text whether it is lazy; these are plain already.
from html import escape
from typing import Any

from django.forms import Select
from django.forms.renderers import DjangoTemplates
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

FOLDER = "django/forms/widgets/"
INPUTS = (
    "checkbox date datetime email hidden input number password radio text time url"
).split()


def written(value: Any) -> str:
    """Return a value as it stands in a page."""
    if type(value) is str:
        return escape(value)
    return conditional_escape(str(value))


def attributes(attrs: dict[str, Any]) -> str:
    """Return attributes as Django writes them: False is left out, True has no value."""
    parts = []
    for name, value in attrs.items():
        if value is True:
            parts.append(f" {escape(name)}")
        elif value is not False:
            parts.append(f' {escape(name)}="{written(value)}"')
    return "".join(parts)


def draw_input(widget: dict[str, Any]) -> str:
    """Draw an input of any type."""
    value = widget["value"]
    shown = "" if value is None else f' value="{escape(str(value))}"'
    return (
        f'<input type="{escape(widget["type"])}" name="{escape(widget["name"])}"'
        f"{shown}{attributes(widget['attrs'])}>\n"
    )


def draw_option(option: dict[str, Any]) -> str:
    """Draw one choice."""
    return (
        f'  <option value="{escape(str(option["value"]))}"'
        f"{attributes(option['attrs'])}>{written(option['label'])}"
        "</option>\n"
    )


def draw_select(widget: dict[str, Any]) -> str:
    """Draw a choice with its groups."""
    parts = [f'<select name="{escape(widget["name"])}"{attributes(widget["attrs"])}>\n']
    for name, options, _index in widget["optgroups"]:
        if name:
            parts.append(f'  <optgroup label="{escape(str(name))}">\n')
        parts += map(draw_option, options)
        if name:
            parts.append("  </optgroup>\n")
    return "".join(parts) + "</select>\n"


def draw_several(widget: dict[str, Any]) -> str:
    """Draw a control of several, such as a range."""
    return "".join(
        DRAW[one["template_name"]](one).strip() for one in widget["subwidgets"]
    )


class PlainSelect(Select):
    """A choice of hundreds, without groups: no dictionary is made of each option."""

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: Any = None,
    ) -> str:
        """Draw the choices as ``draw_select`` does."""
        chosen = set(self.format_value(value))
        shown = attributes(self.build_attrs(self.attrs, attrs))
        parts = [f'<select name="{escape(name)}"{shown}>\n']
        for key, label in self.choices:
            text = str(key)
            mark = " selected" if text in chosen else ""
            parts.append(
                f'  <option value="{escape(text)}"{mark}>{written(label)}</option>\n'
            )
        return SafeString("".join(parts) + "</select>\n")


DRAW = {
    **{f"{FOLDER}{name}.html": draw_input for name in INPUTS},
    f"{FOLDER}select.html": draw_select,
}
SEVERAL = f"{FOLDER}multiwidget.html"


class QuickRenderer(DjangoTemplates):
    """Django's renderer of forms, with a short way for the plain controls."""

    def render(self, template_name: str, context: dict, request: Any = None) -> str:
        """Draw a control."""
        widget = context.get("widget")
        if template_name in DRAW and self.is_plain(widget):
            return SafeString(DRAW[template_name](widget))
        if template_name == SEVERAL and all(
            one["template_name"] in DRAW and self.is_plain(one)
            for one in widget["subwidgets"]
        ):
            return SafeString(draw_several(widget))
        return super().render(template_name, context, request)

    def is_plain(self, widget: dict[str, Any]) -> bool:
        """Tell whether every option is drawn as Django draws it by itself."""
        return widget.get("wrap_label") is None and all(
            option["template_name"] == f"{FOLDER}select_option.html"
            for _name, options, _index in widget.get("optgroups", ())
            for option in options
        )
