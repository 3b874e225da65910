"""Fixtures of the tests of sign-in."""

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from crm.models import User
from crm.tests.signing_in import make_member


@pytest.fixture
def quick_and_fresh(settings):
    """Forget earlier attempts, and hash quickly: few tests are about hashes."""
    cache.clear()
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]


@pytest.fixture
def clock():
    """Stop the clock, so that no code runs out under way; ``clock.shift(seconds)``."""
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def ana(db, quick_and_fresh) -> User:
    """Return a person with a password and no role."""
    return make_member("ana")
