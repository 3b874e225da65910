"""Open files byte by byte and find out in which encoding their text is."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from unicodedata import category

from charset_normalizer import from_bytes
from django.conf import settings
from django.utils.translation import gettext as _

from crm.importing.errors import FileError

SAMPLE_BYTES = 256 * 1024
# Beyond this a byte that is not UTF-8 is found while importing, and rejects its row.
SCAN_BYTES = 64 * 1024 * 1024
CHUNK = 1024 * 1024
# Stands for bytes that the encoding does not know; the row is rejected. It is a
# noncharacter: no text has it.
UNDECODABLE = "\ufdd0"
ENCODINGS = (
    ("utf-8", "UTF-8"),
    ("utf-16", "UTF-16"),
    ("utf-16-le", "UTF-16 LE"),
    ("utf-16-be", "UTF-16 BE"),
    ("gb18030", "GB18030, GBK"),
    ("big5", "Big5"),
    ("cp1252", "Windows-1252, Latin-1"),
    ("iso8859-15", "Latin-9"),
    ("cp1250", "Windows-1250"),
    ("cp1251", "Windows-1251"),
    ("shift_jis", "Shift JIS"),
    ("euc_kr", "EUC-KR"),
    ("mac_roman", "Mac Roman"),
)
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DAMAGED = (EOFError, OSError, zlib.error)


def mark_undecodable(error: UnicodeError) -> tuple[str, int]:
    """Put the mark in the place of bytes that cannot be decoded."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNDECODABLE, error.end


codecs.register_error("crm.importing", mark_undecodable)


@dataclass(frozen=True)
class Guess:
    """An encoding, and whether the file proves it."""

    encoding: str
    is_certain: bool


class Counted(io.RawIOBase):
    """Read a possibly packed file; knows how far it is and refuses a bomb."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.file = path.open("rb")
        self.size = path.stat().st_size
        self.unpacked = 0
        head = self.file.read(3)
        self.file.seek(0)
        self.stream: BinaryIO = self.file
        if head[:2] == b"\x1f\x8b":
            self.stream = gzip.GzipFile(fileobj=self.file)
        elif head == b"BZh":
            self.stream = bz2.BZ2File(self.file)

    def readable(self) -> bool:
        """Say that the stream can be read."""
        return True

    def readinto(self, buffer: bytearray) -> int:
        """Fill the buffer; a damaged archive is a FileError."""
        try:
            data = self.stream.read(len(buffer))
        except DAMAGED as error:
            raise FileError(_("The packed file is damaged or cut off.")) from error
        self.unpacked += len(data)
        if self.unpacked > settings.IMPORT_MAX_BYTES:
            raise FileError(_("The unpacked file is larger than this system takes."))
        buffer[: len(data)] = data
        return len(data)

    def position(self) -> int:
        """Return how many bytes of the file on disk were read."""
        return self.file.tell()

    def close(self) -> None:
        """Close the file too."""
        self.file.close()
        super().close()


def open_bytes(path: Path) -> io.BufferedReader:
    """Open a file for reading, unpacked where it is packed."""
    return io.BufferedReader(Counted(path), CHUNK)


def detect(path: Path) -> Guess:
    """Find out the encoding of a text file."""
    with open_bytes(path) as stream:
        sample = stream.read(SAMPLE_BYTES)
    if not sample:
        raise FileError(_("The file is empty."))
    for mark, encoding in MARKS:
        if sample.startswith(mark):
            return Guess(encoding, is_certain=True)
    if (wide := _wide(sample)) is not None:
        return Guess(wide, is_certain=False)
    _refuse_binary(sample)
    text, wrong = _utf8_counts(path)
    if not wrong:
        return Guess("utf-8", is_certain=True)
    # A few broken characters in much UTF-8: another guess would spoil all the others.
    if text >= 10 * wrong:
        return Guess("utf-8", is_certain=False)
    return Guess(_narrow(_interesting(path)), is_certain=False)


def _wide(sample: bytes) -> str | None:
    """Return UTF-16 where every second byte is mostly zero, as in Western text."""
    half = len(sample) // 2
    if half < 2:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    for zeros, others, encoding in (
        (odd, even, "utf-16-le"),
        (even, odd, "utf-16-be"),
    ):
        if zeros > 0.4 * half and others < 0.05 * half:
            return encoding
    return None


def _refuse_binary(sample: bytes) -> None:
    """Raise where the bytes are no text: an image, a PDF, a program."""
    if sample.startswith(b"%PDF"):
        raise FileError(_("This is not a table of text. Save it as CSV or XLSX."))
    if sample.lstrip()[:14].lower().startswith((b"<!doctype", b"<html", b"<table")):
        raise FileError(_("This is a web page, not a table. Save it as CSV or XLSX."))
    # Two control characters may be delimiters.
    plain = sample.decode("latin-1").replace("\x01", "").replace("\x1f", "")
    refuse_noise(plain)


def refuse_noise(text: str) -> None:
    """Raise where more signs are no text than a few damaged cells explain."""
    noise = sum(count for char, count in Counter(text).items() if _is_noise(char))
    if noise > max(2, 0.02 * len(text)):
        raise FileError(_("This is not a table of text. Save it as CSV or XLSX."))


def _is_noise(char: str) -> bool:
    """Tell whether a sign stands in no text: most controls, what is no character."""
    if ord(char) < 32:
        return char not in "\t\n\r\f"
    # Bytes read as Latin-1 are judged by their controls alone.
    is_char = ord(char) < 256 or category(char) not in {"Cn", "Co"}
    return not is_char and char != UNDECODABLE


def _utf8_counts(path: Path) -> tuple[int, int]:
    """Return how many characters beyond ASCII are valid UTF-8, and how many are not."""
    decoder = codecs.getincrementaldecoder("utf-8")("crm.importing")
    beyond = wrong = seen = 0
    with open_bytes(path) as stream:
        while seen < SCAN_BYTES:
            chunk = stream.read(CHUNK)
            seen += len(chunk)
            text = decoder.decode(chunk, final=not chunk)
            if not text.isascii():
                wrong += text.count(UNDECODABLE)
                beyond += len(text) - len(text.encode("ascii", "ignore"))
            if not chunk:
                break
    return beyond - wrong, wrong


def _interesting(path: Path) -> bytes:
    """Return lines that have bytes beyond ASCII; the others say nothing."""
    lines, size, seen = [], 0, 0
    with open_bytes(path) as stream:
        while size < SAMPLE_BYTES and seen < SCAN_BYTES:
            line = stream.readline(65536)
            if not line:
                break
            seen += len(line)
            if not line.isascii():
                lines.append(line)
                size += len(line)
    return b"".join(lines)


def _narrow(sample: bytes) -> str:
    """Return the likeliest encoding of text that is neither UTF-8 nor UTF-16."""
    for encoding, everyday in EVERYDAY:
        if _looks_chinese(sample, encoding, everyday):
            return encoding
    best = from_bytes(sample).best()
    names = {codecs.lookup(code).name: code for code, _label in ENCODINGS}
    found = names.get(codecs.lookup(best.encoding).name) if best else None
    # Short Western samples look like anything; few other files are as common.
    if found in {None, "mac_roman", "cp1250"} and _is_western(sample):
        return "cp1252"
    # UTF-16 shows its zeros before; what looks like it here is noise.
    if found is None or found.startswith("utf-16"):
        raise FileError(
            _("The encoding of the text could not be found out: choose one.")
        )
    return found


def _is_western(sample: bytes) -> bool:
    """Tell whether the bytes read as cp1252 are mostly plain letters and signs."""
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return sum(32 <= byte < 127 for byte in sample) >= 0.5 * len(sample)


# Lead bytes of the characters that everyday text is made of; Western text read in these
# encodings gives rare characters from everywhere.
EVERYDAY = (("gb18030", range(0xB0, 0xD8)), ("big5", range(0xA4, 0xC7)))
PUNCTUATION = "，。？！：；、（）“”《》【】…—　％「」"


def _looks_chinese(sample: bytes, encoding: str, everyday: range) -> bool:
    """Tell whether the bytes read so are mostly everyday Chinese characters."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return False
    beyond = [char for char in text if not char.isascii()]
    common = 0
    for char in beyond:
        code = char.encode(encoding)
        usual = len(code) == 2 and code[0] in everyday
        if encoding == "gb18030":
            usual = usual and code[1] >= 0xA1
        common += usual or char in PUNCTUATION
    return bool(beyond) and common >= 0.8 * len(beyond)
