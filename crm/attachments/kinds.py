"""What a file is: told by its content; its name only has to agree.

The table holds the kinds that people send each other. What a browser would run, such as
HTML and SVG, is not among them.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

from crm.exceptions import UserVisibleError

HEAD = 4096
CHUNK = 1 << 20
TEXT = "text/plain"
ZIP = "application/zip"
OLE = "application/x-ole-storage"
OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."


@dataclass(frozen=True)
class Kind:
    """A content type and the endings that its files may have."""

    type: str
    endings: tuple[str, ...]
    # Drawn on the page, or opened by the browser itself.
    is_image: bool = False
    opens: bool = False


KINDS = {
    kind.type: kind
    for kind in (
        Kind("image/png", ("png",), is_image=True, opens=True),
        Kind("image/jpeg", ("jpg", "jpeg", "jpe"), is_image=True, opens=True),
        Kind("image/gif", ("gif",), is_image=True, opens=True),
        Kind("image/webp", ("webp",), is_image=True, opens=True),
        Kind("application/pdf", ("pdf",), opens=True),
        Kind(TEXT, ("txt", "csv", "tsv", "md", "log", "eml", "vcf", "ics", "json")),
        Kind(ZIP, ("zip",)),
        Kind(OLE, ("doc", "xls", "ppt", "msg")),
        Kind(f"{OFFICE}wordprocessingml.document", ("docx",)),
        Kind(f"{OFFICE}spreadsheetml.sheet", ("xlsx",)),
        Kind(f"{OFFICE}presentationml.presentation", ("pptx",)),
        Kind(f"{OPEN_DOCUMENT}text", ("odt",)),
        Kind(f"{OPEN_DOCUMENT}spreadsheet", ("ods",)),
        Kind(f"{OPEN_DOCUMENT}presentation", ("odp",)),
    )
}
SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
)
# Which member tells what kind of document an archive is.
MEMBERS = (
    ("word/", f"{OFFICE}wordprocessingml.document"),
    ("xl/", f"{OFFICE}spreadsheetml.sheet"),
    ("ppt/", f"{OFFICE}presentationml.presentation"),
)
# Text without what only programs write; UTF-16 is not among it.
NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
MARKUP = re.compile(rb"\s*<[a-z!?/]|.*<(?:script|html|svg|body|iframe)\b", re.I | re.S)


def allowed() -> dict[str, Kind]:
    """Return the kinds that this site takes, by content type."""
    named = settings.ATTACHMENT_TYPES
    return {name: kind for name, kind in KINDS.items() if not named or name in named}


def endings() -> list[str]:
    """Return the endings of the kinds that this site takes."""
    return [ending for kind in allowed().values() for ending in kind.endings]


def recognise(file: IO[bytes], name: str) -> Kind:
    """Return what the file is; raise UserVisibleError where it is not taken."""
    found = allowed().get(type_of(file))
    ending = PurePath(name).suffix.lower().removeprefix(".")
    if found is None:
        raise UserVisibleError(
            _("Files of this kind are not taken. Taken are: %(endings)s.")
            % {"endings": ", ".join(endings())}
        )
    if ending not in found.endings:
        raise UserVisibleError(
            _("The content of the file is not what its name says; it is: %(kind)s.")
            % {"kind": ", ".join(found.endings)}
        )
    return found


def type_of(file: IO[bytes]) -> str:
    """Return the content type by the content; empty where it is none of ours."""
    file.seek(0)
    head = file.read(HEAD)
    found = next((name for start, name in SIGNATURES if head.startswith(start)), "")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if found == ZIP:
        return document_type(file)
    if not found and is_text(file, head):
        return TEXT
    return found


def document_type(file: IO[bytes]) -> str:
    """Return which document an archive is, or that it is only an archive."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if "mimetype" in names and archive.getinfo("mimetype").file_size < HEAD:
                told = archive.read("mimetype").decode("ascii", "replace").strip()
                return told if told in KINDS else ZIP
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return ""
    if "[Content_Types].xml" in names:
        for start, kind in MEMBERS:
            if any(name.startswith(start) for name in names):
                return kind
    return ZIP


def is_text(file: IO[bytes], head: bytes) -> bool:
    """Tell whether the file is plain text, of any encoding, and no markup."""
    if not head or MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        return False
    file.seek(0)
    while chunk := file.read(CHUNK):
        if NO_TEXT.search(chunk):
            return False
    return True
