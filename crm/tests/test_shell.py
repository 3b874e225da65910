"""The frame of every page: menu, look, policy, weight, errors."""

import re

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404
from django.test import Client, override_settings
from django.utils import translation
from model_bakery import baker

from crm.context_processors import navigation
from crm.models import Role, User


@pytest.fixture
def admin(db) -> User:
    """Return a person who sees everything."""
    person = baker.make(
        User, username="dev", first_name="Dev", last_name="Oku", is_staff=True
    )
    person.roles.set(Role.objects.filter(code="administrator"))
    return person


@pytest.fixture
def browser(admin) -> Client:
    """Return the administrator's browser."""
    client = Client()
    client.force_login(admin)
    return client


@pytest.mark.parametrize("address", ["/", "/people/", "/profile/"])
def test_pages_have_landmarks_and_one_heading(browser, address):
    text = browser.get(address).content.decode()
    assert text.count("<h1") == 1
    assert text.count("<main") == 1
    assert 'href="#content"' in text
    assert 'id="content"' in text
    assert re.search(r'<nav[^>]*aria-label="Main menu"', text)


def test_no_script_and_no_handler_stands_in_a_page(browser):
    for address in ("/", "/people/", "/profile/", "/accounts/password/change/"):
        answer = browser.get(address)
        policy = answer["Content-Security-Policy"]
        script = re.search(r"script-src ([^;]*)", policy)[1]
        assert script == "'self'"
        text = answer.content.decode()
        for attributes, body in re.findall(
            r"<script([^>]*)>(.*?)</script>", text, re.S
        ):
            assert "application/json" in attributes or not body.strip()
        assert not re.search(r"<[^>]+\son[a-z]+=", text)
        assert "javascript:" not in text


def test_strangers_get_the_same_policy(client):
    answer = client.get("/accounts/login/")
    assert "script-src 'self';" in answer["Content-Security-Policy"] + ";"


def test_files_of_the_frame_are_there(browser):
    text = browser.get("/people/").content.decode()
    paths = set(re.findall(r'(?:src|href)="/static/([^"#]+)', text))
    assert len(paths) > 10
    assert [path for path in paths if not finders.find(path)] == []


def test_menu_marks_where_the_person_is(browser):
    text = browser.get("/people/").content.decode()
    marked = re.findall(
        r'<a class="nav-entry" href="([^"]+)" aria-current="page"', text
    )
    assert marked == ["/people/"]
    start = browser.get("/").content.decode()
    marked = re.findall(r'class="(.*?)" href="([^"]+)" aria-current="page"', start)
    # In the menu, and in the bar of a phone.
    assert marked == [("nav-entry", "/"), ("phone-entry", "/")]


def test_menu_shows_only_what_the_person_may_see(db):
    nobody = baker.make(User, username="fay")
    client = Client()
    client.force_login(nobody)
    text = client.get("/").content.decode()
    assert re.findall(r'<a class="nav-entry" href="([^"]+)"', text) == ["/"]
    assert "/admin/" not in text


def test_strangers_have_no_menu(rf):
    assert navigation(rf.get("/")) == []


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        ("dark", 'data-theme-choice="dark" data-bs-theme="dark"'),
        ("light", 'data-theme-choice="light" data-bs-theme="light"'),
        ('x"><b>', 'data-theme-choice="auto" data-sidebar'),
    ],
)
def test_look_is_remembered_by_the_browser(client, db, cookie, expected):
    client.cookies["theme"] = cookie
    text = client.get("/accounts/login/").content.decode()
    assert expected in text


def test_messages_are_shown_once(browser):
    browser.post("/profile/", {"first_name": "Dev"})
    assert "Your settings are saved." in browser.get("/profile/").content.decode()
    assert "Your settings are saved." not in browser.get("/profile/").content.decode()


def test_nothing_here_keeps_the_frame_for_those_who_are_inside(browser):
    answer = browser.get("/no-such-page/")
    text = answer.content.decode()
    assert answer.status_code == 404
    assert "There is nothing here" in text
    assert 'aria-label="Main menu"' in text


def test_nothing_here_for_strangers(client, db):
    answer = client.get("/no-such-page/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()
    assert 'aria-label="Main menu"' not in answer.content.decode()


def test_not_allowed_says_what_to_do(rf, admin):
    from django.views.defaults import page_not_found, permission_denied

    request = rf.get("/somewhere/")
    request.user = admin
    answer = permission_denied(request, PermissionError())
    assert answer.status_code == 403
    assert "Your role does not allow this" in answer.content.decode()
    with translation.override("zh-hans"):
        assert page_not_found(request, Http404()).status_code == 404


def test_breakdown_page_needs_no_database_and_speaks_both_languages(rf):
    from django.views.defaults import server_error

    answer = server_error(rf.get("/"))
    text = answer.content.decode()
    assert answer.status_code == 500
    assert '<section lang="en">' in text
    assert '<section lang="zh-hans">' in text
    assert "<script" not in text


def test_stale_form_says_so(admin):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    answer = client.post("/profile/", {"first_name": "Mallory"})
    assert answer.status_code == 403
    assert "Please send it again" in answer.content.decode()
    admin.refresh_from_db()
    assert admin.first_name == "Dev"


@override_settings(
    STORAGES={
        **settings.STORAGES,
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        },
    }
)
def test_charts_library_is_only_on_pages_with_charts(browser):
    text = browser.get("/people/").content.decode()
    assert "echarts" not in text
    assert "charts.js" not in text
