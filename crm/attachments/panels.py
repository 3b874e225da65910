"""The files of a row on its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.access import Verb, can
from crm.attachments.forms import AttachmentForm
from crm.attachments.kinds import KINDS
from crm.attachments.services import files_of
from crm.generic.panels import Panel

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest

# So many are listed; the newest.
SHOWN = 100


class FilesPanel(Panel):
    """What was put at the row, newest first, and a form to add to it."""

    title = _("Files")
    template = "generic/_files_panel.html"
    column = "side"
    order = 85
    lazy = True

    def get_context(
        self, request: HttpRequest, obj: Model, form: AttachmentForm | None = None
    ) -> dict[str, Any]:
        """Return the files with what the browser can show of them."""
        label = obj._meta.label_lower
        may_change = can(request.user, Verb.CHANGE, obj)
        return {
            "files": [
                {"file": one, "kind": KINDS.get(one.content_type)}
                for one in files_of(obj)[:SHOWN]
            ],
            "form": (form or AttachmentForm()) if may_change else None,
            "add_url": reverse("crm:attachment_add", args=[label, obj.pk]),
        }
