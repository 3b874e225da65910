"""Every sentence of the product stands in the Chinese catalogue.

Sentences are found in the source itself, without the gettext programs, so the test runs
everywhere.
"""

from __future__ import annotations

import ast
import gettext
import re
import warnings
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
APPS = ("crm", "customers", "sales", "marketing", "service", "analytics")
SINGULAR = {"_", "gettext", "gettext_lazy", "gettext_noop", "N_"}
PLURAL = {"ngettext", "ngettext_lazy"}
CONTEXT = {"pgettext", "pgettext_lazy"}
CONTEXT_PLURAL = {"npgettext", "npgettext_lazy"}
MARK = "\x04"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
CATALOGUE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.mo"


def texts_of(call: ast.Call) -> list[str]:
    """Return the constant texts that a call starts with."""
    found = []
    for argument in call.args:
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            break
        found.append(argument.value)
    return found


def messages_in(source: str) -> dict[str, str]:
    """Return {message id: its texts, singular and plural} in Python source."""
    found: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        tree = ast.parse(source)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = getattr(function, "id", getattr(function, "attr", ""))
        texts = texts_of(node)
        if (name in SINGULAR and len(texts) == 1) or (name in PLURAL and texts):
            found[texts[0]] = " ".join(texts)
        elif name in CONTEXT | CONTEXT_PLURAL and len(texts) >= 2:
            found[texts[0] + MARK + texts[1]] = " ".join(texts[1:])
    return found


CALL = re.compile(
    r"""\b(?P<name>n?p?gettext|_)\(\s*(?P<args>(?:u?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')\s*,?\s*)+)""",
    re.DOTALL,
)


def messages_in_template(text: str) -> dict[str, str]:
    """Return the same of a template, through Django's own reading of it."""
    found: dict[str, str] = {}
    for match in CALL.finditer(templatize(text)):
        arguments = ast.literal_eval(f"({match['args'].rstrip().rstrip(',')},)")
        if match["name"] in ("pgettext", "npgettext"):
            found[arguments[0] + MARK + arguments[1]] = " ".join(arguments[1:])
        else:
            found[arguments[0]] = " ".join(arguments)
    return found


def all_messages() -> dict[str, tuple[str, str]]:
    """Return {message id: (its texts, file)} of the whole product."""
    found: dict[str, tuple[str, str]] = {}
    for path in sources():
        read = messages_in if path.suffix == ".py" else messages_in_template
        for message, texts in read(path.read_text("utf-8")).items():
            found.setdefault(message, (texts, str(path.relative_to(ROOT))))
    found.pop("", None)
    return found


def sources() -> list[Path]:
    """Return the files in which sentences for people stand."""
    hidden = {"tests", "migrations", "testing"}
    python = [
        path
        for app in APPS
        for path in sorted((ROOT / app).rglob("*.py"))
        if not hidden & set(path.relative_to(ROOT).parts)
    ]
    templates = sorted((ROOT / "templates").rglob("*"))
    return python + [path for path in templates if path.suffix in (".html", ".txt")]


@pytest.fixture(scope="module")
def catalogue() -> dict[str, str]:
    """Return {message id: translation} as the product loads it."""
    with CATALOGUE.open("rb") as file:
        loaded = gettext.GNUTranslations(file)._catalog
    found: dict[str, str] = {}
    for key, value in loaded.items():
        found[key[0] if isinstance(key, tuple) else key] = value
    return found


def test_every_message_is_translated(catalogue: dict[str, str]) -> None:
    missing = {
        message: file
        for message, (_texts, file) in all_messages().items()
        if not catalogue.get(message)
    }
    listing = "\n".join(f"{file}: {message!r}" for message, file in missing.items())
    assert not missing, f"{len(missing)} without a translation:\n{listing}"


def test_translations_keep_the_placeholders(catalogue: dict[str, str]) -> None:
    wrong = []
    for message, (texts, _file) in all_messages().items():
        translated = catalogue.get(message, "")
        if set(PLACEHOLDER.findall(translated)) - set(PLACEHOLDER.findall(texts)):
            wrong.append((message, translated))
    assert not wrong


def test_extraction_sees_python_and_templates() -> None:
    source = '_("One")\nngettext("%(n)s day", "%(n)s days", n)\npgettext("a", "May")'
    assert set(messages_in(source)) == {"One", "%(n)s day", f"a{MARK}May"}
    template = (
        '{% load i18n %}{% translate "Two" %}{% field x label=_("Three") %}'
        "{% blocktranslate count n=n %}{{ n }} day{% plural %}{{ n }} days"
        "{% endblocktranslate %}"
    )
    assert set(messages_in_template(template)) == {"Two", "Three", "%(n)s day"}
