"""Uploads that are limited while they come in."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler


class LimitedUpload(TemporaryFileUploadHandler):
    """Take files straight to the disk, and stop at the limit instead of after it."""

    # The setting with the limit, in bytes.
    limit_name: ClassVar[str] = ""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write the next part; refuse a file that grows too large."""
        if start + len(raw_data) > getattr(settings, self.limit_name):
            self.request.upload_refused = True
            raise StopUpload(connection_reset=False)
        super().receive_data_chunk(raw_data, start)
