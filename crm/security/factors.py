"""Second factors: how their secrets are kept, who may drop one, who must have one."""

from __future__ import annotations

import base64
from functools import lru_cache

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import EventKind, Role, User
from crm.security.events import record
from crm.security.throttling import pending_person

# Recovery codes alone are no factor that somebody signs in with every day.
EVERY_DAY = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


@lru_cache(maxsize=1)
def _cipher(*keys: str) -> MultiFernet:
    """Return what encrypts by the first key and decrypts by any."""
    return MultiFernet(
        Fernet(
            base64.urlsafe_b64encode(
                HKDF(SHA256(), 32, salt=None, info=b"crm second factor").derive(
                    key.encode()
                )
            )
        )
        for key in keys
    )


def cipher() -> MultiFernet:
    """Return the cipher of the signing key and those that it replaced."""
    return _cipher(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


class FactorAdapter(DefaultMFAAdapter):
    """Keep secrets encrypted, note what failed, and speak plainly."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy(
            "This did not work. A code of the app is good once and for half a minute."
        ),
        "cannot_delete_authenticator": gettext_lazy(
            "Your role asks for a second factor. Add a passkey first."
        ),
    }

    def encrypt(self, text: str) -> str:
        """Return the secret as the database keeps it."""
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a kept secret; refuse one that was kept under another signing key."""
        try:
            return cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken as error:
            text = _("This factor cannot be read any more; ask your administrator.")
            raise ValidationError(text) from error

    def get_totp_issuer(self) -> str:
        """Return the name under which an app lists the code."""
        return str(_("CRM"))

    def generate_authenticator_name(self, user: User, type: str) -> str:
        """Suggest a name for a new passkey."""
        count = Authenticator.objects.filter(user=user, type=type).count()
        return _("Passkey %(number)s") % {"number": count + 1}

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Refuse to drop the last factor of somebody whose role asks for one."""
        person = authenticator.user
        others = Authenticator.objects.filter(user=person, type__in=EVERY_DAY)
        is_last = not others.exclude(pk=authenticator.pk).exists()
        needed = Role.objects.filter(users=person, requires_second_factor=True)
        return not (is_last and needed.exists())

    def validation_error(self, code: str, *args: object) -> ValidationError:
        """Return the error of a form; note a factor that was wrong."""
        if code == "incorrect_code":
            record(EventKind.FACTOR_FAILED, person=pending_person(context.request))
        return super().validation_error(code, *args)
