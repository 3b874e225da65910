"""Forms of sign-in that differ from allauth's."""

from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.utils.translation import gettext_lazy as _


class PasskeyForm(AddWebAuthnForm):
    """A new passkey: its name, and whether it stands for the password, too."""

    name = forms.CharField(label=_("Name"), required=False, max_length=100)
    passwordless = forms.BooleanField(
        label=_("Sign in with it alone, without name and password"),
        required=False,
        help_text=_("It then has to ask for your finger, your face or a PIN."),
    )
