"""How people get in: by an account that an administrator made for them."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from crm.models import User

WRONG_LOGIN = _("The name or the password is wrong. Capital letters count.")


class Backend(AuthenticationBackend):
    """Know people by name or mail, and load them with their team: each page asks it."""

    def get_user(self, user_id: int) -> User | None:
        """Return a person who may sign in."""
        found = User.objects.select_related("team").filter(pk=user_id).first()
        return found if found and self.user_can_authenticate(found) else None


class AccountAdapter(DefaultAccountAdapter):
    """Keep the door closed for those whom nobody invited, and speak plainly."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": WRONG_LOGIN,
        "email_password_mismatch": WRONG_LOGIN,
        "invalid_login": WRONG_LOGIN,
        "too_many_login_attempts": _(
            "Too many attempts. Please wait a few minutes, or reset the password."
        ),
        "enter_current_password": _("This is not your current password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse sign-up: people are added in the administration."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Write to people in the language that they chose."""
        language = getattr(context.get("user"), "language", "")
        with translation.override(language or translation.get_language()):
            super().send_mail(template_prefix, email, context)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Go back to the settings; a person who was signed out signs in first."""
        return reverse("profile")
