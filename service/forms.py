"""Forms of the service app."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.generic.forms import VisibleModelForm, use_pickers
from crm.models import User
from service.choices import MessageDirection
from service.models import Ticket, TicketCategory


class TicketForm(VisibleModelForm):
    """A ticket's own fields; its state moves by the buttons on its page."""

    fieldsets = [
        (_("What it is about"), ["subject", "description", "customer"]),
        (_("How it is handled"), ["kind", "urgency", "category", "channel", "owner"]),
    ]

    class Meta:
        model = Ticket
        fields = (
            "subject",
            "description",
            "customer",
            "kind",
            "urgency",
            "category",
            "channel",
            "owner",
        )
        widgets = {"description": forms.Textarea(attrs={"rows": 6})}
        help_texts = {
            "category": _("Leave it empty to get a suggestion from the text.")
        }


class TicketCategoryForm(VisibleModelForm):
    """A category."""

    class Meta:
        model = TicketCategory
        fields = ("name", "code", "is_active")


class MessageForm(forms.Form):
    """An answer, a note, or what the customer wrote by another way."""

    body = forms.CharField(
        label=_("Message"), widget=forms.Textarea(attrs={"rows": 4}), max_length=20_000
    )
    direction = forms.ChoiceField(
        label=_("Kind of message"),
        choices=[
            (MessageDirection.OUT, _("Answer to the customer")),
            (MessageDirection.NOTE, _("Internal note")),
            (MessageDirection.IN, _("From the customer")),
        ],
        initial=MessageDirection.OUT,
    )


class AssignForm(forms.Form):
    """Who takes the ticket."""

    owner = forms.ModelChoiceField(label=_("Agent"), queryset=User.objects.none())

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = User.objects.visible_to(user).active()
        use_pickers(self)


class CategoryForm(forms.Form):
    """A category chosen by a person."""

    category = forms.ModelChoiceField(
        label=_("Category"), queryset=TicketCategory.objects.none()
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        visible = TicketCategory.objects.visible_to(user).filter(is_active=True)
        self.fields["category"].queryset = visible
        use_pickers(self)
