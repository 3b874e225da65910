"""What a person wants to hear: one line per kind."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from crm.models import MailMode, NotificationChoice, User
from crm.notifications.kinds import KINDS


class ChoicesForm(forms.Form):
    """For each kind whether it comes into the list, and when by mail."""

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        said = {
            one.kind: one for one in NotificationChoice.objects.filter(person=person)
        }
        for kind in KINDS.values():
            chosen = said.get(kind.key, kind)
            self.fields[f"app-{kind.key}"] = forms.BooleanField(
                label=_("In the app"), required=False, initial=chosen.in_app
            )
            self.fields[f"mail-{kind.key}"] = forms.ChoiceField(
                label=_("By mail"),
                required=False,
                choices=MailMode.choices,
                initial=str(chosen.mail),
            )

    def lines(self) -> list[dict[str, Any]]:
        """Return the kinds with their two fields."""
        return [
            {
                "kind": kind,
                "app": self[f"app-{kind.key}"],
                "mail": self[f"mail-{kind.key}"],
            }
            for kind in KINDS.values()
        ]

    @transaction.atomic
    def save(self) -> None:
        """Keep what was chosen."""
        data = self.cleaned_data
        NotificationChoice.objects.bulk_create(
            [
                NotificationChoice(
                    person=self.person,
                    kind=key,
                    in_app=data[f"app-{key}"],
                    mail=data[f"mail-{key}"],
                )
                for key in KINDS
            ],
            update_conflicts=True,
            unique_fields=["person", "kind"],
            update_fields=["in_app", "mail"],
        )
