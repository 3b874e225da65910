"""What the keyboard can do, in words; the keys themselves are bound in static/js/.

A key whose button is on the page (``data-key``) needs no line here: the help shows the
button's own words.
"""

from __future__ import annotations

from functools import lru_cache

from django.utils.translation import gettext_lazy as _

# (group, {name that registerKeys uses: what the key does})
KEYS = (
    (
        _("Everywhere"),
        {
            "search": _("Search"),
            "palette": _("Go somewhere or do something"),
            "quick-add": _("Add something"),
            "help": _("Show these keys"),
            "close": _("Close what is open"),
        },
    ),
    (
        _("In a list"),
        {
            "next-row": _("Next row"),
            "previous-row": _("Previous row"),
            "open-row": _("Open the row"),
            "select-row": _("Choose the row"),
            "edit-row": _("Edit the row"),
            "edit-cell": _("Edit the cell"),
            "peek-row": _("Look at the row beside the list"),
        },
    ),
    (
        _("On a board"),
        {
            "next-card": _("Go from card to card"),
            "move-card": _("Move the card to the next column"),
        },
    ),
    (
        _("On a record"),
        {
            "previous-record": _("Previous record"),
            "next-record": _("Next record"),
        },
    ),
    (
        _("In a form"),
        {
            "save": _("Save"),
            "save-stay": _("Save and stay here"),
            "save-next": _("Save and go to the next one"),
        },
    ),
)


@lru_cache(maxsize=8)
def key_labels(language: str) -> dict[str, object]:
    """Return the groups and the words of every key, for one language."""
    groups = [
        {"label": str(label), "keys": {key: str(text) for key, text in keys.items()}}
        for label, keys in KEYS
    ]
    return {"page": str(_("On this page")), "groups": groups}
