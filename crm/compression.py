"""Pages are compressed with less effort than Django takes."""

from __future__ import annotations

import gzip
import secrets

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware, re_accepts_gzip
from django.utils.cache import patch_vary_headers

# A list of 50 rows: 11.1 kB in 0.35 ms; at Django's level 6 10.1 kB in 0.93 ms.
LEVEL = 3
MIN_BYTES = 1_000
# Where the gzip header says that a name follows, and where the name begins.
FLAGS, NAME = 3, 10


class CompressionMiddleware(GZipMiddleware):
    """Django's, but for whole pages: they are put together at each request."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Compress a page for who reads gzip; all else is left to Django."""
        accepted = request.META.get("HTTP_ACCEPT_ENCODING", "")
        if (
            response.streaming
            or response.has_header("Content-Encoding")
            or len(response.content) < MIN_BYTES
            or not re_accepts_gzip.search(accepted)
        ):
            return super().process_response(request, response)
        patch_vary_headers(response, ("Accept-Encoding",))
        response.content = compressed(response.content, self.max_random_bytes)
        response.headers["Content-Length"] = str(len(response.content))
        response.headers["Content-Encoding"] = "gzip"
        etag = response.get("ETag", "")
        if etag.startswith('"'):
            # The same page, but not byte by byte.
            response.headers["ETag"] = f"W/{etag}"
        return response


def compressed(content: bytes, max_random_bytes: int) -> bytes:
    """Return the content as gzip, of a length that nobody can foresee.

    A name of random length hides by how much a guess of a secret on the page made it
    shorter (Heal the Breach, Palacios et al. 2022).
    """
    plain = gzip.compress(content, LEVEL, mtime=0)
    header = bytearray(plain[:NAME])
    header[FLAGS] = gzip.FNAME
    name = b"a" * secrets.randbelow(max_random_bytes) + b"\x00"
    return bytes(header) + name + plain[NAME:]
