"""One site and one browser for all walks; a context of its own for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import gettext
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.site import Site, running_site
from tests.browser.watch import Watch

LANGUAGES = {"en": "en-GB", "zh-hans": "zh-CN"}
# For what does not hang on the language.
ONLY_ENGLISH = pytest.mark.parametrize("language", ["en"], indirect=True)
ONLY_CHINESE = pytest.mark.parametrize("language", ["zh-hans"], indirect=True)
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
# Generous, for a busy machine: a test that passes never waits this long.
PATIENCE = 15_000
AXE = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"


@pytest.fixture(scope="package")
def site(
    django_db_setup: None, django_db_blocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Return a site with demo data, a worker and the results of every analysis."""
    place = tmp_path_factory.mktemp("site")
    with django_db_blocker.unblock(), running_site(place) as found:
        yield found


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """Return the one browser process."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium,
            args=["--disable-dev-shm-usage", "--disable-gpu", "--no-sandbox"],
        )
        yield started
        started.close()


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    """Return the language that the browser asks for."""
    return request.param


class Words:
    """What the product says in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, message: str, **values: object) -> str:
        """Return the message in the language."""
        with translation.override(self.language):
            text = gettext(message)
        return text % values if values else text


@pytest.fixture
def say(language: str) -> Words:
    """Return the product's words in the language of the test."""
    return Words(language)


Visit = Callable[..., Page]


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Return what notes every fault of every page; at the end there must be none."""
    found = Watch()
    yield found
    assert not found.faults, "\n".join(found.faults)


@pytest.fixture
def visit(language: str, site: Site, browser: Browser, watch: Watch) -> Iterator[Visit]:
    """Return a function that opens a browser in which somebody has signed in.

    Its language is that of the test.
    """
    contexts = []

    def open_page(username: str = "", **options: object) -> Page:
        context = browser.new_context(
            locale=LANGUAGES[language],
            **{
                "base_url": site.url,
                "viewport": DESK,
                "reduced_motion": "reduce",
                **options,
            },
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        if username:
            context.add_cookies(site.cookies_of(username))
        page = context.new_page()
        watch.follow(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
