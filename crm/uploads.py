"""Uploads that are limited while they come in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler

from crm.storing import FULL, disk_is_full


class LimitedUpload(TemporaryFileUploadHandler):
    """Take files straight to the disk, and stop at the limit instead of after it.

    The request's ``upload_refused`` is True then; where the disk is full it is the
    sentence that says so.
    """

    # The setting with the limit, in bytes.
    limit_name: ClassVar[str] = ""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write the next part; refuse a file that grows too large."""
        if start + len(raw_data) > getattr(settings, self.limit_name):
            self.request.upload_refused = True
            raise StopUpload(connection_reset=False)
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            self.give_up(error)

    def file_complete(self, file_size: int) -> Any:
        """Hand over the file with what was still in memory written, too."""
        try:
            self.file.flush()
        except OSError as error:
            self.give_up(error)
        return super().file_complete(file_size)

    def give_up(self, error: OSError) -> None:
        """Throw away what came in so far; the form says why."""
        if error.errno not in FULL:
            raise error
        self.request.upload_refused = disk_is_full()
        # What is still in memory cannot be written either, and need not be.
        self.file.file.file.raw.close()
        raise StopUpload(connection_reset=False) from error
