"""The list as a file: the same rows, columns, filters and rights, streamed."""

from __future__ import annotations

import csv
import datetime
import decimal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import slugify

from crm.access import Verb
from crm.generic.base import GenericPage
from crm.generic.keyset import keys_of
from crm.generic.list import Listing

if TYPE_CHECKING:
    from django.db import models

    from crm.generic.pages import Pages

CHUNK = 2000
BOM = "\ufeff"
# A cell that begins so is run as a formula by a spreadsheet.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(value: Any) -> Any:
    """Return a value for a file: exact, and never a formula."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float | decimal.Decimal):
        return value
    if isinstance(value, datetime.datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        return local.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


class Echo:
    """A file that hands back what is written to it."""

    def write(self, value: str) -> str:
        return value


class ExportPage(GenericPage):
    """Stream the rows of a list as CSV."""

    verb = Verb.EXPORT

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        """Answer with the file."""
        return export_response(self.pages, Listing(self.pages, request, Verb.EXPORT))


def export_response(pages: Pages, listing: Listing) -> StreamingHttpResponse:
    """Return the rows of a list as a file."""
    day = timezone.localdate().isoformat()
    name = slugify(pages.model._meta.model_name)
    return StreamingHttpResponse(
        lines(pages.model, listing),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}-{day}.csv"'},
    )


def lines(model: type[models.Model], listing: Listing) -> Iterator[str]:
    """Yield the lines of the file."""
    writer = csv.writer(Echo())
    headings = [column.heading(model) for column in listing.columns]
    yield BOM + writer.writerow([safe(heading) for heading in headings])
    rows = listing.rows()
    keys = keys_of(rows, listing.order)
    order = [("-" if key.descending else "") + key.path for key in keys]
    for row in rows.order_by(*order).iterator(chunk_size=CHUNK):
        yield writer.writerow([safe(column.export(row)) for column in listing.columns])
