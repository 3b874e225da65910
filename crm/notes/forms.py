"""The form of a note: its text, and who was chosen from the list of people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import Note, User
from crm.notes import services
from crm.notes.mentions import MOST, mentioned_in, to_stored

LENGTH = Note._meta.get_field("text").max_length


class NoteForm(forms.Form):
    """A note at a row. ``text`` comes out as it is stored, people as ids.

    ``strangers`` are people in it who may not see the row; ``can_share`` says whether
    the writer may let them. The note is refused unless it is sent again with ``share``.
    """

    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(
        self, *args: Any, row: models.Model, actor: User, url: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.row, self.actor = row, actor
        self.strangers: list[User] = []
        self.can_share = False
        self.fields["text"].widget.attrs |= {
            "data-mentions": url,
            "placeholder": _("Write a note. @ mentions somebody."),
        }

    @property
    def chosen(self) -> list[int]:
        """Return the ids that were chosen from the list."""
        sent = (
            self.data.getlist("mention")
            if self.is_bound
            else self.initial.get("mention", [])
        )
        texts = [str(one) for one in sent][: 5 * MOST]
        return [int(one) for one in texts if one.isdecimal() and len(one) < 19]

    def clean_text(self) -> str:
        """Return the text as it is stored; refuse people whom it would not reach."""
        text = to_stored(self.cleaned_data["text"], self.chosen, self.actor)
        people = mentioned_in(text)
        if len(people) > MOST:
            raise ValidationError(
                _("A note mentions at most %(number)s people.") % {"number": MOST}
            )
        visible = set(
            User.objects.visible_to(self.actor)
            .filter(pk__in=people)
            .values_list("pk", flat=True)
        )
        if people - visible - self.known:
            raise ValidationError(_("Somebody who is mentioned is not known here."))
        self.strangers = services.strangers_in(text, self.row) if people else []
        if self.strangers:
            self._judge_strangers()
        return text

    @property
    def known(self) -> set[int]:
        """Return the people who were in the note before."""
        return set(self.initial.get("mention", ()))

    def _judge_strangers(self) -> None:
        """Refuse the note unless they are let in with it."""
        self.can_share = services.can_be_let_in(self.actor, self.strangers, self.row)
        if self.can_share and "share" in self.data:
            return
        names = get_text_list([str(one) for one in self.strangers], _("and"))
        raise ValidationError(
            _("%(names)s may not see this page and would not be told.")
            % {"names": names}
        )
