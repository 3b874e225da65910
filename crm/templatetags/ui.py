"""The parts of every page: icons, badges, figures, fields, buttons (docs/ui.md)."""

import re
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path

from django import forms, template
from django.conf import settings
from django.forms import BoundField
from django.forms.utils import flatatt
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.timezone import template_localtime
from django.utils.translation import gettext, ngettext

from crm import formatting, frame, kept_words
from crm.generic import formats
from crm.history.context import UNDO
from crm.models.custom import PREFIX

register = template.Library()

# A state's colour says how it stands: done, under way, waiting, in trouble, idle.
STATE_COLOURS = {
    state: colour
    for colour, states in {
        "green": (
            "accepted active approved completed converted current delivered done paid"
            " published resolved solved succeeded success won yes"
        ),
        "blue": (
            "confirmed contacted in_progress new open processing qualified running"
            " scheduled sent shipped"
        ),
        "yellow": "medium on_hold partial pending proposal queued waiting",
        "orange": "escalated expiring high negotiation overdue refunded returned",
        "red": "bounced critical error expired failed lost refused rejected urgent",
        "grey": "archived cancelled canceled closed draft inactive low no old unknown",
    }.items()
    for state in states.split()
}
KINDS = {
    "primary": "btn-primary",
    "secondary": "btn-secondary",
    "danger": "btn-danger",
    "ghost": "btn-ghost",
}
# A month and a bit: further away, the date says more than the distance.
NEAR_SECONDS = 40 * 24 * 3600


@cache
def icon_names() -> frozenset[str]:
    """Return the names of the symbols in the sprite."""
    sprite = Path(settings.BASE_DIR, "static", "icons.svg").read_text("utf-8")
    return frozenset(re.findall(r'<symbol id="([\w-]+)"', sprite))


register.simple_tag(frame.kept, takes_context=True)
# A template that loads i18n before ui has Django's tag replaced by this one.
register.tag(kept_words.translate)


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """Draw a symbol; without a label it is decoration and says nothing aloud."""
    return _icon(str(name), str(label), str(css))


@lru_cache(maxsize=2000)
def _icon(name: str, label: str, css: str) -> SafeString:
    """Draw a symbol once: a page has dozens, and few different ones."""
    if name not in icon_names():
        msg = f"There is no icon {name!r}; there are {', '.join(sorted(icon_names()))}."
        raise ValueError(msg)
    said = {"role": "img", "aria-label": label} if label else {"aria-hidden": "true"}
    return format_html(
        '<svg class="{}"{}><use href="{}#{}"></use></svg>',
        f"icon {css}".strip(),
        flatatt(said),
        static("icons.svg"),
        name,
    )


@register.filter
def undo_of(message: object) -> str:
    """Return the operation that a message offers to take back, if it does."""
    tags = getattr(message, "extra_tags", "") or ""
    return tags.removeprefix(UNDO) if tags.startswith(UNDO) else ""


@register.inclusion_tag("components/_badge.html")
def badge(text: object, state: object = "", colour: str = "", icon: str = "") -> dict:
    """Show a short label; its colour follows the state, its words carry the meaning."""
    key = str(state if state is not None else "").lower().replace("-", "_")
    return {
        "text": text,
        "colour": colour or STATE_COLOURS.get(key.replace(" ", "_"), "grey"),
        "icon": icon,
    }


@register.simple_tag
def money(amount: object, currency: str = "", places: int | None = None) -> str:
    """Write an amount with its currency."""
    return formatting.money(amount, currency, places)


@register.simple_tag
def number(value: object, places: int | None = None) -> str:
    """Write a figure."""
    return formatting.number(value, places)


@register.simple_tag
def percent(value: object, places: int = 1) -> str:
    """Write a share of one as a percentage."""
    return formatting.percent(value, places)


@register.simple_tag
def linked_figures(cells: list[tuple[str, str]]) -> SafeString:
    """Draw cells of figures that lead to their rows, from (address, text)."""
    return SafeString(
        "".join(
            f'<td class="num"><a href="{escape(url)}">{escape(text)}</a></td>'
            for url, text in cells
        )
    )


@register.inclusion_tag("components/_delta.html")
def delta(value: object, places: int = 1, good: str = "up") -> dict:
    """Show a relative change by arrow, sign and colour."""
    figure = formatting.decimal(value)
    rising = figure is not None and figure > 0
    falling = figure is not None and figure < 0
    return {
        "text": ("+" if rising else "") + formatting.percent(figure, places),
        "icon": "arrow-up" if rising else "arrow-down" if falling else "minus",
        "tone": ("good" if rising == (good == "up") else "bad")
        if rising or falling
        else "flat",
    }


@register.inclusion_tag("components/_meter.html")
def meter(value: object, label: str = "", places: int = 0) -> dict:
    """Show a share of one as a thin bar with its figure beside it."""
    share = formatting.decimal(value)
    return {
        "text": formatting.percent(share, places),
        "width": None if share is None else int(min(max(share, 0), 1) * 100),
        "label": label,
    }


def nearness(moment: datetime) -> str | None:
    """Say how far a moment is from now in its largest unit; None when it is far."""
    seconds = (timezone.now() - moment).total_seconds()
    if abs(seconds) < 60:
        return gettext("just now")
    if abs(seconds) > NEAR_SECONDS:
        return None
    if seconds > 0:
        return gettext("%(time)s ago") % {"time": timesince(moment, depth=1)}
    return gettext("in %(time)s") % {"time": timeuntil(moment, depth=1)}


@register.simple_tag
def relative_time(moment: date | datetime | None) -> SafeString:
    """Say how long ago or in how long, with the full date at hand.

    In Python: a page has dozens of them, and a template costs ten times as much.
    """
    if not moment:
        return SafeString('<span class="muted">–</span>')
    exact = isinstance(moment, datetime)
    local = template_localtime(moment)
    title = f' title="{escape(formats.moment_in_full(local))}"' if exact else ""
    text = (exact and nearness(moment)) or formats.day_in_full(local)
    return SafeString(
        f'<time datetime="{local.isoformat()}"{title}>{escape(text)}</time>'
    )


@register.inclusion_tag("components/_avatar.html")
def avatar(person: object, name: bool = False) -> dict:
    """Show a person's initials; the hue stays with the person."""
    text = str(person or "").strip()
    words = text.split()
    # A Chinese name has no spaces: its last character is the one people use.
    short = "".join(word[0] for word in (words[:1] + words[1:][-1:]))
    initials = text[-1:] if not text.isascii() and len(words) == 1 else short
    return {
        "text": text,
        "initials": initials.upper(),
        "hue": (getattr(person, "pk", None) or 0) % 8,
        "name": name,
    }


@register.inclusion_tag("components/_button.html")
def button(
    label: str,
    href: str = "",
    icon: str = "",
    kind: str = "",
    size: str = "",
    type: str = "submit",
    icon_only: bool = False,
    **attributes: object,
) -> dict:
    """Show a link that looks like a button, or a button; kind says how loud it is."""
    look = KINDS[kind or ("secondary" if href else "primary")]
    classes = ["btn", look]
    if size:
        classes.append(f"btn-{size}")
    if icon_only:
        classes.append("btn-icon")
    names = {name.replace("_", "-"): value for name, value in attributes.items()}
    if icon_only:
        names |= {"aria-label": label, "title": label}
    return {
        "label": label,
        "href": href,
        "icon": icon,
        "type": type,
        "icon_only": icon_only,
        "classes": " ".join(classes),
        "attributes": flatatt(names),
    }


CONTROLS = (
    (forms.CheckboxInput, "form-check-input"),
    ((forms.RadioSelect, forms.CheckboxSelectMultiple), "form-check-input"),
    ((forms.Select, forms.SelectMultiple), "form-select"),
)


def prepare_control(bound: BoundField) -> str:
    """Give a form's control its class, and dates the browser's own calendar."""
    widget = bound.field.widget
    css = next((css for kinds, css in CONTROLS if isinstance(widget, kinds)), "")
    css = css or "form-control"
    classes = f"{widget.attrs.get('class', '')} {css}".split()
    if str(widget.attrs.get("placeholder", "")) == str(bound.label):
        del widget.attrs["placeholder"]
    if bound.errors:
        classes.append("is-invalid")
    if type(widget) is forms.DateInput:
        widget.input_type, widget.format = "date", "%Y-%m-%d"
    elif type(widget) is forms.DateTimeInput:
        widget.input_type, widget.format = "datetime-local", "%Y-%m-%dT%H:%M"
    return " ".join(dict.fromkeys(classes))


def layout_of(widget: forms.Widget) -> str:
    """Say how label and control stand to each other."""
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "group"
    return "stacked"


@register.inclusion_tag("components/_field.html")
def field(
    bound: BoundField,
    label: str = "",
    css: str = "",
    hide_label: bool = False,
    **attributes: object,
) -> dict:
    """Show a form field: label, control, help and errors beside it."""
    classes = prepare_control(bound)
    names = {name.replace("_", "-"): value for name, value in attributes.items()}
    return {
        "field": bound,
        "label": label or bound.label,
        "css": css,
        "hide_label": hide_label,
        "layout": layout_of(bound.field.widget),
        "control": bound.as_widget(attrs={**names, "class": classes}),
        "required": bound.field.required and not bound.field.disabled,
    }


@register.inclusion_tag("components/_form_fields.html")
def form_fields(form: forms.BaseForm) -> dict:
    """Show a whole form, in the groups that it names, or in one."""
    declared = [name for name in form.fields if not name.startswith(PREFIX)]
    groups = getattr(form, "fieldsets", None) or [("", declared)]
    visible = {bound.name: bound for bound in form.visible_fields()}
    named = {name for _title, names in groups for name in names}
    rest = [name for name in visible if name not in named]
    custom = [name for name in rest if name.startswith(PREFIX)]
    rest = [name for name in rest if name not in custom]
    return {
        "form": form,
        "groups": [
            (title, [visible[name] for name in names if name in visible])
            for title, names in [
                *groups,
                ("", rest),
                (gettext("Custom fields"), custom),
            ]
        ],
    }


@register.inclusion_tag("components/_form_errors.html")
def form_errors(form: forms.BaseForm) -> dict:
    """Say above a form what is wrong with it, with a link to each field."""
    wrong = [bound for bound in form.visible_fields() if bound.errors]
    count = len(wrong)
    return {
        "form": form,
        "wrong": wrong,
        "heading": ngettext(
            "%(count)s field needs your attention.",
            "%(count)s fields need your attention.",
            count,
        )
        % {"count": count},
    }


@register.inclusion_tag("components/_stat.html")
def stat(label: str, value: object, url: str = "", hint: str = "", icon="") -> dict:
    """Show one figure, and lead to the rows behind it."""
    return {"label": label, "value": value, "url": url, "hint": hint, "icon": icon}


@register.inclusion_tag("components/_progress.html")
def progress(done: int | None, total: int | None, message: str = "") -> dict:
    """Show how far a job is; an unknown total shows only that it works."""
    known = bool(total)
    share = min(100, int(100 * (done or 0) / total)) if known else None
    if known:
        text = gettext("%(done)s of %(total)s") % {
            "done": formatting.number(done or 0),
            "total": formatting.number(total),
        }
    else:
        text = formatting.number(done) if done else ""
    # A job of the system speaks the site's language; its plain messages are known.
    said = gettext(message) if message else ""
    return {"share": share, "text": text, "message": said}


@register.inclusion_tag("components/_empty_state.html")
def empty_state(title: str, text: str = "", icon: str = "inbox", **links: str) -> dict:
    """Say why there is nothing, and offer the one next step."""
    return {"title": title, "text": text, "icon": icon, **links}


@register.simple_tag
def pager(
    previous_url: str = "",
    next_url: str = "",
    first_url: str = "",
    last_url: str = "",
    text: str = "",
) -> SafeString:
    """Show the way to the other pages of a list.

    In Python: of four templates one in another it would be a twentieth of a list.
    """
    links = ""
    if first_url or last_url or previous_url or next_url:
        ways = (
            (first_url, "chevrons-left", gettext("First page"), ""),
            (previous_url, "chevron-left", gettext("Previous page"), "prev"),
            (next_url, "chevron-right", gettext("Next page"), "next"),
            (last_url, "chevrons-right", gettext("Last page"), ""),
        )
        links = "\n".join([_page_link(*way) for way in ways])
    return SafeString(
        f'<nav class="pager" aria-label="{escape(gettext("Pages"))}">'
        f'<span class="pager-text">{escape(text)}</span>'
        f'<span class="pager-links">{links}</span></nav>'
    )


def _page_link(url: str, sign: str, label: str, rel: str) -> str:
    look = "btn btn-ghost btn-icon btn-sm"
    if not url:
        return f'<span class="{look} disabled" aria-hidden="true">{icon(sign)}</span>'
    said, rel = escape(label), f' rel="{rel}"' if rel else ""
    about = f'class="{look}" href="{escape(url)}" aria-label="{said}" title="{said}"'
    return f"<a {about}{rel}>{icon(sign)}</a>"
