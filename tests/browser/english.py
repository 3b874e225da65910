"""Find English words on a page that is meant to be in Chinese.

Every text of the page counts, hidden ones too, and the labels that only screen readers
tell. What the company's own rows say (names, places, mails) is data and may be English.
"""

from __future__ import annotations

import gettext
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import models
from playwright.sync_api import Page

OURS = ("crm", "customers", "sales", "marketing", "service", "performance")
# Models and fields that hold the product's own words.
NO_DATA = {
    "crm.Role",
    "crm.Grant",
    "crm.AuditEntry",
    "sales.Pipeline",
    "sales.Stage",
    "service.TicketCategory.name",
    "crm.Job",
    "crm.JobLog",
}
# Names of things that are called the same everywhere.
NAMES = {
    *("vcard", "mb"),
    *("crm", "csv", "xlsx", "gz", "tf-idf", "auc", "rfm", "brier", "k-means", "kmeans"),
    *("eur", "gbp", "usd", "cny", "utc", "sku", "url", "bg", "nbd", "mbg"),
    # Browsers and systems in the list of sessions; ways to ask a web server.
    *("chrome", "firefox", "safari", "edge", "linux", "windows", "macos", "iphone"),
    *("android", "get", "post", "pin", "javascript"),
    # Keys, as they stand on every keyboard.
    *("esc", "ctrl", "alt", "shift"),
    *("svm", "pca", "utf-8", "id", "gamma-gamma", "alpha", "english"),
}
WORD = re.compile(r"[A-Za-z][A-Za-z0-9'’-]+")
# A long text of a row that was cut off, from its beginning; so many letters tell it.
CUT = re.compile(r"(?P<text>[^…]*?)(?:…|\.\.\.)")
STUMP = 12
COLLECT = """
() => {
  const found = [];
  const skipped = "script, style, noscript, code, .avatar-initials, .ts-wrapper, "
    + "select[name=time_zone]";
  const labels = ["aria-label", "placeholder", "title", "alt", "data-label"];
  const isForeign = (element) => {
    const holder = element.closest("[lang]");
    return holder && !holder.lang.startsWith("zh");
  };
  const note = (text, element, kind) => {
    if (/[A-Za-z]{2}/.test(text) && !isForeign(element))
      found.push([text.trim(), Boolean(element.closest("td, dd, h1, option")), kind]);
  };
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.closest(skipped)) continue;
      for (const name of labels)
        if (element.hasAttribute(name)) note(element.getAttribute(name), element, name);
      for (const node of element.childNodes)
        if (node.nodeType === Node.TEXT_NODE) note(node.data, element, "text");
      if (element.tagName === "TEMPLATE") walk(element.content);
    }
  };
  walk(document.body);
  note(document.title, document.documentElement, "page title");
  return found;
}
"""


@dataclass(frozen=True)
class Finding:
    """An English text, and where it stands."""

    text: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text!r}"


class Data:
    """What the rows of the database say, so that it is not taken for the product."""

    @cached_property
    def values(self) -> dict[str, bool]:
        """Return {text with Latin letters: whether the product says it, too}."""
        messages = _messages()
        return {
            value: value in messages
            for model in apps.get_models()
            if model._meta.app_label in OURS and model._meta.label not in NO_DATA
            for value in _texts_of(model)
        }

    @cache  # noqa: B019  (one for all pages)
    def explains(self, text: str, *, in_data: bool) -> bool:
        """Tell whether nothing English is left once the rows' texts are taken out."""
        if not words_in(text) or self.values.get(text) in (False, in_data):
            return True
        if CUT.search(text):
            text = CUT.sub(self._without_stump, text)
        inside = [
            value
            for value, is_message in self.values.items()
            if value in text and (in_data or not is_message)
        ]
        for value in sorted(inside, key=len, reverse=True):
            text = re.sub(rf"(?<![A-Za-z]){re.escape(value)}(?![A-Za-z])", " ", text)
        return not words_in(text)

    @cached_property
    def stumps(self) -> set[str]:
        """Return how the longer texts begin."""
        return {value[:STUMP] for value in self.values if len(value) > STUMP}

    def _without_stump(self, found: re.Match) -> str:
        """Return what stands before the beginning of a text that was cut off."""
        text = found["text"]
        for place in range(len(text)):
            if text[place : place + STUMP] in self.stumps:
                return text[:place]
        return text


def words_in(text: str) -> list[str]:
    """Return the English words of a text, addresses and proper names aside."""
    text = re.sub(r"\S+@\S+|https?://\S+|www\.\S+|/\S+/", " ", text)
    return [word for word in WORD.findall(text) if word.lower() not in NAMES]


def find_english(page: Page, data: Data) -> list[Finding]:
    """Return the English texts of the page that no row of the database explains."""
    texts = dict.fromkeys(map(tuple, page.evaluate(COLLECT)))
    return [
        Finding(text, kind)
        for text, in_data, kind in texts
        if not data.explains(text, in_data=in_data)
    ]


def _texts_of(model: type[models.Model]) -> set[str]:
    fields = [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField)
        and not field.choices
        and f"{model._meta.label}.{field.name}" not in NO_DATA
    ]
    if not fields:
        return set()
    rows = model._base_manager.values_list(*fields)
    lines = (
        line.strip()
        for row in rows
        for text in row
        if text
        for line in text.split("\n")
    )
    return {line for line in lines if WORD.search(line)}


def _messages() -> set[str]:
    path = Path(settings.BASE_DIR, "locale", "zh_Hans", "LC_MESSAGES", "django.mo")
    with path.open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog
    return {key[0] if isinstance(key, tuple) else key for key in catalogue}
