"""The list as a file: the same rows, columns, filters and rights, streamed."""

from __future__ import annotations

import csv
import datetime
import decimal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from allauth.core import context as allauth_context
from django.conf import settings
from django.contrib import messages
from django.db import models
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.text import slugify
from django.utils.translation import gettext as _

from crm import formatting
from crm.access import Verb
from crm.generic import cards, export_sql
from crm.generic.base import GenericPage
from crm.generic.keyset import keys_of
from crm.generic.listing import Listing
from crm.generic.lookups import joined
from crm.generic.workbook import MAX_ROWS, workbook
from crm.models import EventKind
from crm.security import events

if TYPE_CHECKING:
    from crm.generic.pages import Pages

CHUNK = 2000
BOM = "\ufeff"
# A cell that begins so is run as a formula by a spreadsheet.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def safe(value: Any) -> Any:
    """Return a value for a file: exact, and never a formula."""
    if value is None:
        return ""
    if isinstance(value, decimal.Decimal):
        # Never 0E-7.
        return f"{value:f}"
    if isinstance(value, bool | int | float):
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
    """Stream the rows of a list as CSV, or make a workbook of them."""

    verb = Verb.EXPORT

    def get(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """Answer with the file."""
        listing = Listing(self.pages, request, Verb.EXPORT)
        wanted = request.GET.get("format")
        if wanted == "vcf" and self.pages.cards is not None:
            rows = ordered(listing)
            content = spoken(cards.chunks(self.pages.cards, rows, request.user))
            return kept(self.pages, content, cards.CONTENT_TYPE, "vcf")
        if wanted != "xlsx":
            return export_response(self.pages, listing)
        rows = ordered(listing)
        count = rows.order_by()[: MAX_ROWS + 1].count()
        if count > MAX_ROWS:
            return self.refuse()
        if count > settings.EXPORT_AT_ONCE_ROWS:
            # It reads lists as this module does.
            from crm.generic.export_job import start_export

            return redirect(start_export(listing).get_absolute_url())
        return workbook_response(self.pages, listing, rows)

    def refuse(self) -> HttpResponse:
        """Say over the list that it has more rows than a workbook holds."""
        text = _(
            "A workbook holds %(number)s rows and this list has more; "
            "narrow it by a filter, or take it as CSV."
        )
        messages.error(self.request, text % {"number": formatting.number(MAX_ROWS)})
        query = self.request.GET.copy()
        query.pop("format", None)
        return redirect(f"{self.pages.url('list')}?{query.urlencode()}")


def export_response(pages: Pages, listing: Listing) -> StreamingHttpResponse:
    """Return the rows of a list as a file."""
    content = spoken(lines(pages.model, listing))
    return kept(pages, content, "text/csv; charset=utf-8", "csv")


def workbook_response(
    pages: Pages, listing: Listing, rows: models.QuerySet
) -> StreamingHttpResponse:
    """Return the rows of a list as a workbook."""
    headings = [column.heading(pages.model) for column in listing.columns]
    cells = (
        [column.export(row) for column in listing.columns]
        for row in rows.iterator(chunk_size=CHUNK)
    )
    return kept(pages, workbook(headings, cells, safe), XLSX, "xlsx")


def kept(
    pages: Pages, content: Iterator[bytes], content_type: str, ending: str
) -> StreamingHttpResponse:
    """Return a file to be kept, named by model and day; note who takes it away."""
    details = {
        "model": pages.model._meta.label_lower,
        "format": ending,
        "page": events.page_of(allauth_context.request),
    }
    events.record(EventKind.EXPORTED, details=details)
    day = timezone.localdate().isoformat()
    name = f"{slugify(pages.model._meta.model_name)}-{day}.{ending}"
    return StreamingHttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def lines(model: type[models.Model], listing: Listing) -> Iterator[bytes]:
    """Return the lines of the file: from the database, or made in Python."""
    rows = ordered(listing)
    copy = export_sql.statement(listing, rows)
    headings = [column.heading(model) for column in listing.columns]
    return _lines(listing, rows, copy, headings)


def _lines(
    listing: Listing,
    rows: models.QuerySet,
    copy: export_sql.Text | None,
    headings: list[str],
) -> Iterator[bytes]:
    writer = csv.writer(Echo())
    head = writer.writerow([safe(heading) for heading in headings])
    yield (BOM + head).encode()
    if copy is not None:
        yield from export_sql.lines(copy, len(listing.columns))
        return
    for row in rows.iterator(chunk_size=CHUNK):
        cells = [safe(column.export(row)) for column in listing.columns]
        yield writer.writerow(cells).encode()


def ordered(listing: Listing) -> models.QuerySet:
    """Return the rows in the order of the list, with all that they look up joined."""
    rows = joined(listing.rows())
    keys = keys_of(rows, listing.order)
    return rows.order_by(*(("-" if key.descending else "") + key.path for key in keys))


def spoken(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Keep the reader's language and clock while the file is sent.

    It is sent when the middleware has put both back already.
    """
    language, zone = translation.get_language(), timezone.get_current_timezone()
    return _spoken(parts, language, zone)


def _spoken(
    parts: Iterator[bytes], language: str, zone: datetime.tzinfo
) -> Iterator[bytes]:
    with translation.override(language), timezone.override(zone):
        yield from parts
