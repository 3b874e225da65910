"""The form by which a file is put at a row."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from crm.attachments import kinds
from crm.exceptions import UserVisibleError
from crm.uploads import LimitedUpload


class AttachmentUpload(LimitedUpload):
    """Stop a file at its limit while it comes in."""

    limit_name = "ATTACHMENT_MAX_BYTES"


class AttachmentForm(forms.Form):
    """One file."""

    file = forms.FileField(label=_("File"), allow_empty_file=True)

    def __init__(self, *args: Any, refused: bool | str = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refused = refused
        accept = ",".join(f".{ending}" for ending in kinds.endings())
        self.fields["file"].widget.attrs["accept"] = accept
        limit = filesizeformat(settings.ATTACHMENT_MAX_BYTES)
        self.fields["file"].help_text = _("At most %(limit)s.") % {"limit": limit}

    def clean_file(self) -> Any:
        """Refuse what is empty, too large, or not what we take."""
        file = self.cleaned_data["file"]
        if file.size == 0:
            raise forms.ValidationError(_("The file is empty."))
        if file.size > settings.ATTACHMENT_MAX_BYTES:
            raise forms.ValidationError(self.too_large())
        try:
            self.kind = kinds.recognise(file, file.name)
        except UserVisibleError as error:
            raise forms.ValidationError(str(error)) from error
        return file

    def too_large(self) -> str:
        """Return the sentence that names the limit."""
        limit = filesizeformat(settings.ATTACHMENT_MAX_BYTES)
        return _("The file is larger than %(limit)s.") % {"limit": limit}

    def clean(self) -> dict[str, Any]:
        """Say that an upload was stopped half-way."""
        if self.refused:
            self.errors.pop("file", None)
            text = self.too_large() if self.refused is True else self.refused
            self.add_error("file", text)
        return super().clean()
