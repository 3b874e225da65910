"""A file of chunks that nobody can change unnoticed; encrypted where there is a key.

File: HEADER, then chunks. Chunk: FRAME (1 if it is the last, length), then that many
bytes. A chunk holds up to a mebibyte, compressed. Without a key each chunk ends with
the SHA-256 of the whole file up to there. With a key it is sealed by AES-256-GCM under
its number and "is it the last", so that chunks cannot be changed, moved or left out.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
import zlib
from collections.abc import Iterator
from typing import IO, Any

from django.utils.translation import gettext as _

from crm.exceptions import UserVisibleError

MAGIC = b"CRMBAK1\n"
HEADER = struct.Struct(">8sB16s16s")
FRAME = struct.Struct(">BI")
CHUNK = 1 << 20
# Compressed and sealed, a chunk can only be a little longer than before.
LONGEST = CHUNK + (CHUNK >> 8) + 1024
# Higher levels took thrice the time for a tenth of the size.
LEVEL = 1
DIGEST = 32
PLAIN, ENCRYPTED = 0, 1
NONE = bytes(16)


class DamagedError(UserVisibleError):
    """The file is not what was written."""


def damaged() -> DamagedError:
    """Return the error for a file of which some byte is another one."""
    return DamagedError(
        _(
            "The backup was changed or damaged after it was written; "
            "nothing was touched. Take another copy of it, or an older backup."
        )
    )


def cut_off() -> DamagedError:
    """Return the error for a file that ends too soon."""
    return DamagedError(
        _(
            "The end of the backup is missing; nothing was touched. "
            "Take another copy of it, or an older backup."
        )
    )


class Checksum:
    """Seal chunks without a key: finds accidents, keeps no secret."""

    def __init__(self, header: bytes) -> None:
        self.running = hashlib.sha256(header)

    def close(self, data: bytes, last: bool) -> bytes:
        """Return a chunk with its frame."""
        frame = FRAME.pack(last, len(data) + DIGEST)
        self.running.update(frame + data)
        return frame + data + self.running.digest()

    def open(self, frame: bytes, sealed: bytes, last: bool) -> bytes:
        """Return what is in a chunk; raises DamagedError."""
        self.running.update(frame + sealed[:-DIGEST])
        if not hmac.compare_digest(self.running.digest(), sealed[-DIGEST:]):
            raise damaged()
        return sealed[:-DIGEST]


class Cipher:
    """Seal chunks with a key made for this file alone."""

    TAG = 16

    def __init__(self, header: bytes, secret: bytes) -> None:
        # Only here: pages never need it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.cipher = AESGCM(secret)
        self.header = header
        self.number = 0

    def _nonce(self, last: bool) -> bytes:
        # The key is never used for another file, so numbers are enough.
        self.number += 1
        return self.number.to_bytes(11, "big") + bytes([last])

    def close(self, data: bytes, last: bool) -> bytes:
        """Return a chunk with its frame."""
        frame = FRAME.pack(last, len(data) + self.TAG)
        return frame + self.cipher.encrypt(self._nonce(last), data, self.header + frame)

    def open(self, frame: bytes, sealed: bytes, last: bool) -> bytes:
        """Return what is in a chunk; raises DamagedError."""
        from cryptography.exceptions import InvalidTag

        try:
            return self.cipher.decrypt(self._nonce(last), sealed, self.header + frame)
        except InvalidTag:
            raise damaged() from None


def derive(key: str, salt: bytes) -> tuple[bytes, bytes]:
    """Return the secret of one file, 32 bytes, and 16 bytes that tell a wrong key."""
    made = hashlib.scrypt(
        key.encode(), salt=salt, n=2**15, r=8, p=1, maxmem=2**26, dklen=48
    )
    return made[:32], made[32:]


class SealedWriter:
    """Write bytes into sealed chunks; ``finish`` marks the end."""

    def __init__(self, file: IO[bytes], key: str = "") -> None:
        self.file = file
        self.waiting = bytearray()
        salt, check = NONE, NONE
        if key:
            salt = os.urandom(16)
            secret, check = derive(key, salt)
        header = HEADER.pack(MAGIC, ENCRYPTED if key else PLAIN, salt, check)
        file.write(header)
        self.seal = Cipher(header, secret) if key else Checksum(header)

    def write(self, data: bytes | memoryview) -> None:
        """Take some bytes."""
        self.waiting += data
        while len(self.waiting) > CHUNK:
            self._flush(CHUNK, last=False)

    def finish(self) -> None:
        """Write what waits as the last chunk."""
        self._flush(len(self.waiting), last=True)

    def _flush(self, size: int, last: bool) -> None:
        data = zlib.compress(self.waiting[:size], LEVEL)
        del self.waiting[:size]
        self.file.write(self.seal.close(data, last))


def read_chunks(file: IO[bytes], key: str = "") -> Iterator[bytes]:
    """Yield what was written, chunk by chunk.

    Raises DamagedError at the first byte that is not as it was, at a missing end and at
    anything behind the end; UserVisibleError for a missing or wrong key.
    """
    header = file.read(HEADER.size)
    seal = _open_header(header, key)
    last = False
    while not last:
        frame = _exactly(file, FRAME.size)
        mark, length = FRAME.unpack(frame)
        if mark > 1 or length > LONGEST:
            raise damaged()
        last = mark == 1
        yield _inflate(seal.open(frame, _exactly(file, length), last))
    if file.read(1):
        raise damaged()


def _exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise cut_off()
    return data


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        found = inflater.decompress(data, CHUNK + 1)
    except zlib.error:
        raise damaged() from None
    if not inflater.eof or len(found) > CHUNK:
        raise damaged()
    return found


def _open_header(header: bytes, key: str) -> Any:
    if len(header) < HEADER.size:
        raise cut_off()
    magic, mode, salt, check = HEADER.unpack(header)
    if magic != MAGIC:
        raise DamagedError(_("This file is not a backup, or its beginning is damaged."))
    if mode == PLAIN and (salt, check) == (NONE, NONE):
        return Checksum(header)
    if mode != ENCRYPTED:
        raise damaged()
    if not key:
        raise UserVisibleError(
            _("The backup is encrypted: put its key into CRM_BACKUP_KEY and try again.")
        )
    secret, wanted = derive(key, salt)
    if not hmac.compare_digest(wanted, check):
        raise UserVisibleError(
            _(
                "The key in CRM_BACKUP_KEY does not open this backup: it is not the "
                "key it was written with, or the beginning of the file is damaged."
            )
        )
    return Cipher(header, secret)
