"""How people get in: by an account that an administrator made for them."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Keep the door closed for those whom nobody invited."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse sign-up: people are added in the administration."""
        return False
