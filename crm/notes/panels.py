"""The notes of a row on its page, with the switch to follow or mute it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.generic.panels import Panel
from crm.notes import mentions

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest

    from crm.notes.forms import NoteForm

SHOWN = 50


class NotesPanel(Panel):
    """What people wrote at the row, newest first, and a form to write."""

    title = _("Notes")
    template = "notes/_panel.html"
    order = 45
    lazy = True

    def get_context(
        self, request: HttpRequest, obj: Model, form: NoteForm | None = None
    ) -> dict[str, Any]:
        """Return the notes with what the reader may do with each."""
        from crm.notes import services
        from crm.notes.forms import NoteForm
        from crm.notifications.follows import stance_of

        address = [obj._meta.label_lower, obj.pk]
        url = reverse("crm:note_people", args=address)
        notes = list(services.notes_of(obj)[: SHOWN + 1])
        return {
            "notes": [
                {
                    "note": note,
                    "may_edit": services.may_edit(request.user, note),
                    "may_remove": services.may_remove(request.user, note, obj),
                }
                for note in notes[:SHOWN]
            ],
            "more_notes": len(notes) > SHOWN,
            "people": mentions.people_in(note.text for note in notes),
            "form": form or NoteForm(row=obj, actor=request.user, url=url),
            "add_url": reverse("crm:note_add", args=address),
            "follow_url": reverse("crm:follow", args=address),
            "stance": stance_of(request.user, obj),
        }
