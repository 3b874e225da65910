"""Files made of lists, measured while they are sent."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import TYPE_CHECKING

from crm.bench.measures import Address, Measure, Result

if TYPE_CHECKING:
    from crm.bench.runner import Bench

CHUNK = 1 << 16


@dataclass(frozen=True)
class Download(Measure):
    """A file made of a list: rows per second, and what the server grows by."""

    address: Address
    least: float = 0
    grows: float = 0
    role: str = "executive"

    def run(self, bench: Bench) -> list[Result]:
        """Read the stream to its end."""
        client = bench.client(self.role)
        path = bench.path(self.address)
        before = bench.server.memory()
        bench.server.forget_peak()
        client.connection.request(
            "GET", path, headers={"Cookie": f"sessionid={client.cookies['sessionid']}"}
        )
        started = time.perf_counter()
        response = client.connection.getresponse()
        lines, size, seconds = self.read(response, started)
        if response.status != 200:
            msg = f"{path} answered {response.status}."
            raise RuntimeError(msg)
        growth = max(0.0, bench.server.memory(peak=True) - before)
        rate = (lines - 1) / seconds
        return [
            Result(
                self.name,
                self._budget(),
                rate >= self.least and growth <= (self.grows or growth),
                bytes=size,
                value=f"{rate:,.0f} rows/s, + {growth:.0f} MB",
                more={"rows": lines - 1, "seconds": seconds, "rows_per_second": rate},
            )
        ]

    def read(self, response: HTTPResponse, started: float) -> tuple[int, int, float]:
        """Return the lines of the file, its bytes, and how long it took."""
        lines = size = 0
        while part := response.read(CHUNK):
            lines += part.count(b"\r\n")
            size += len(part)
        return lines, size, time.perf_counter() - started

    def _budget(self) -> str:
        parts = [f"≥ {self.least:,.0f} rows/s"] if self.least else []
        parts += [f"+ {self.grows:g} MB"] if self.grows else []
        return ", ".join(parts)
