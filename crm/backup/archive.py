"""Members in a stream: what a backup holds, one after the other.

Member: its head (JSON), its blocks, an empty block, the SHA-256 of its bytes. Each head
and block has its length in front. The first member is the manifest: it says what the
tables add up to before any of them comes. An empty head ends the stream.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from crm.backup.sealing import (
    CHUNK,
    DIGEST,
    SealedWriter,
    cut_off,
    damaged,
    read_chunks,
)

LENGTH = struct.Struct(">I")
MANIFEST = "manifest"

Head = dict[str, Any]


class ArchiveWriter:
    """Write members into a sealed file."""

    def __init__(self, out: SealedWriter) -> None:
        self.out = out

    def add(self, head: Head, blocks: Iterable[bytes | memoryview]) -> int:
        """Write one member as its bytes come; return how many there were."""
        text = json.dumps(head).encode()
        self.out.write(LENGTH.pack(len(text)) + text)
        digest, size = hashlib.sha256(), 0
        for block in blocks:
            if not block:
                continue
            digest.update(block)
            size += len(block)
            self.out.write(LENGTH.pack(len(block)))
            self.out.write(block)
        self.out.write(LENGTH.pack(0) + digest.digest())
        return size

    def finish(self) -> None:
        """End the stream and the file."""
        self.out.write(LENGTH.pack(0))
        self.out.finish()


class _Stream:
    """Read exact numbers of bytes from chunks."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks = chunks
        self.chunk, self.place = b"", 0

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield so many bytes, in the pieces in which they come."""
        while size:
            if self.place == len(self.chunk):
                self.chunk, self.place = next(self.chunks, b""), 0
                if not self.chunk:
                    raise cut_off()
            piece = self.chunk[self.place : self.place + size]
            self.place += len(piece)
            size -= len(piece)
            yield piece

    def read(self, size: int) -> bytes:
        return b"".join(self.pieces(size))

    def number(self) -> int:
        return LENGTH.unpack(self.read(LENGTH.size))[0]

    def end(self) -> None:
        """Make sure that nothing follows, in the last chunk and in the file."""
        if self.place < len(self.chunk) or any(self.chunks):
            raise damaged()


class Member:
    """One member of a backup; its blocks can be read once."""

    def __init__(self, head: Head, stream: _Stream) -> None:
        self.head = head
        self.stream = stream
        self.is_read = False

    def blocks(self) -> Iterator[bytes]:
        """Yield its bytes in blocks; raises DamagedError, at the latest at its end."""
        digest = hashlib.sha256()
        while size := self.stream.number():
            for piece in self.stream.pieces(size):
                digest.update(piece)
                yield piece
        if self.stream.read(DIGEST) != digest.digest():
            raise damaged()
        self.is_read = True

    def text(self) -> bytes:
        """Return all its bytes; for small members."""
        return b"".join(self.blocks())


def read_members(path: Path, key: str = "") -> Iterator[Member]:
    """Yield the members of a backup, checking every byte on the way.

    A member that was not read by the caller is read over. Raises DamagedError.
    """
    with path.open("rb", buffering=CHUNK) as file:
        stream = _Stream(read_chunks(file, key))
        while size := stream.number():
            try:
                head = json.loads(stream.read(size))
            except ValueError:
                raise damaged() from None
            member = Member(head, stream)
            yield member
            if not member.is_read:
                for _block in member.blocks():
                    pass
        stream.end()


def read_manifest(path: Path, key: str = "") -> Head:
    """Return what the backup says of itself, without checking the rest."""
    for member in read_members(path, key):
        if member.head.get("kind") != MANIFEST:
            break
        return json.loads(member.text())
    raise damaged()


def verify(path: Path, key: str = "", on_bytes: Any = None) -> Head:
    """Read the whole backup and return its manifest; raises DamagedError.

    ``on_bytes`` is called with the bytes of content that were checked so far.
    """
    manifest: Head | None = None
    done = 0
    for member in read_members(path, key):
        if manifest is None:
            if member.head.get("kind") != MANIFEST:
                raise damaged()
            manifest = json.loads(member.text())
            continue
        for block in member.blocks():
            done += len(block)
            if on_bytes:
                on_bytes(done)
    if manifest is None:
        raise damaged()
    return manifest
