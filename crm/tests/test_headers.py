"""The headers of every kind of answer, and cookies as a site behind TLS sets them."""

import json
import os
import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.http import Http404
from django.test import Client, override_settings
from django.urls import path

from crm import urls
from crm.models import Tag
from crm.tests.signing_in import make_member, sign_in


def broken(request):
    """Break, as no page should."""
    raise ZeroDivisionError


def gone(request):
    """Be not there."""
    raise Http404


handler429 = urls.handler429
urlpatterns = [path("broken/", broken), path("gone/", gone), *urls.urlpatterns]
SECURE = {
    "SECURE_HSTS_SECONDS": 31_536_000,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SECURE_HSTS_PRELOAD": True,
    "ROOT_URLCONF": "crm.tests.test_headers",
    # Static files straight from their sources, as collectstatic has not run.
    "WHITENOISE_AUTOREFRESH": True,
    "WHITENOISE_USE_FINDERS": True,
}
ANSWERS = {
    "a page": ("/profile/", 200),
    "the sign-in page": ("/accounts/login/", 200),
    "the administration": ("/admin/", 200),
    "a static file": ("/static/js/guard.js", 200),
    "nothing there": ("/gone/", 404),
    "a breakdown": ("/broken/", 500),
    "a refusal": ("/admin/crm/securityevent/add/", 403),
    "a redirection": ("/admin/password_change/", 302),
    "a download": ("/tags/export/", 200),
}


@pytest.fixture
def browser(db, quick_and_fresh):
    """Return the browser of an administrator over TLS."""
    person = make_member("dev", "administrator")
    person.is_staff = person.is_superuser = True
    person.save()
    Tag.objects.create(name="One")
    with override_settings(**SECURE):
        client = Client(raise_request_exception=False)
        client.force_login(person)
        yield client


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_has_the_headers(browser, kind):
    address, status = ANSWERS[kind]
    if kind == "the sign-in page":
        browser.logout()
    answer = browser.get(address, secure=True)
    assert answer.status_code == status
    if answer.streaming:
        b"".join(answer.streaming_content)
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self';" in f"{policy};"
    assert "object-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'self'" in policy
    assert "form-action 'self'" in policy
    expected = "max-age=31536000; includeSubDomains; preload"
    assert answer["Strict-Transport-Security"] == expected
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    features = answer["Permissions-Policy"]
    for name in ("camera", "microphone", "geolocation", "payment", "usb"):
        assert f"{name}=()" in features
    assert "publickey-credentials-get=(self)" in features
    if status != 302:
        assert answer["Content-Type"]


@pytest.mark.parametrize(
    "address", ["/accounts/login/", "/accounts/security/", "/accounts/app/add/"]
)
def test_pages_of_sign_in_are_not_kept_by_browsers(browser, address):
    browser.logout()
    if address != "/accounts/login/":
        sign_in(browser, "dev", secure=True)
    answer = browser.get(address, secure=True)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("address", ["/accounts/login/", "/accounts/security/"])
def test_scripts_of_sign_in_are_files_of_ours(browser, address):
    """The data for allauth's scripts is JSON, which no browser runs."""
    if address == "/accounts/login/":
        browser.logout()
    text = browser.get(address, secure=True).text
    for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", text, re.S):
        if body.strip():
            assert 'type="application/json"' in attributes
        else:
            assert re.search(r'src="/static/', attributes)
    assert not re.search(r"<[^>]+\son[a-z]+=", text)


PROGRAM = """
import json, django
django.setup()
from django.conf import settings
kinds = ("SESSION_", "CSRF_", "SECURE_")
names = [name for name in dir(settings) if name.startswith(kinds)]
names += ["PASSWORD_HASHERS", "DEBUG"]
print(json.dumps({name: getattr(settings, name) for name in names}, default=str))
"""


def settings_of(**environment: str) -> dict:
    """Return the settings of a process with this environment."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=settings.BASE_DIR,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_a_site_behind_tls_is_strict():
    """Production is what one gets without saying anything."""
    found = settings_of(CRM_INSECURE_HTTP="")
    assert found["SESSION_COOKIE_NAME"] == "__Host-sessionid"
    assert found["CSRF_COOKIE_NAME"] == "__Host-csrftoken"
    for name in ("SESSION_COOKIE", "CSRF_COOKIE"):
        assert found[f"{name}_SECURE"] is True
        assert found[f"{name}_HTTPONLY"] is True
        assert found[f"{name}_SAMESITE"] == "Lax"
        assert found[f"{name}_DOMAIN"] is None
        assert found[f"{name}_PATH"] == "/"
    assert found["SECURE_SSL_REDIRECT"] is True
    assert found["SECURE_HSTS_SECONDS"] == 31_536_000
    assert found["DEBUG"] is False
    assert found["PASSWORD_HASHERS"][0].endswith("Argon2PasswordHasher")


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL"])
def test_without_a_secret_of_the_environment_nothing_starts(name):
    with pytest.raises(subprocess.CalledProcessError) as caught:
        settings_of(**{name: ""})
    assert f"{name} is not set" in caught.value.stderr


@pytest.mark.django_db
def test_passwords_are_hashed_by_argon2():
    assert make_member("ana").password.startswith("argon2$argon2id$")
