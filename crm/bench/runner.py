"""Measure what the apps declare and print the table."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection

from crm.bench.client import Client, sign_in
from crm.bench.measures import Address, Measure, Result
from crm.bench.pace import pace
from crm.bench.registry import measures
from crm.bench.server import Server
from crm.models import User

REQUESTS = 30


class Bench:
    """What a measure works with: the server, people who are signed in, the size."""

    def __init__(self, size: int, server: Server, requests: int) -> None:
        self.size = size
        self.requests = requests
        self.server = server
        self.sessions: dict[str, str] = {}
        self.clients: dict[str, Client] = {}

    def client(self, role: str, *, fresh: bool = False) -> Client:
        """Return the browser of the first person of a role."""
        if role not in self.sessions:
            person = User.objects.get(username=f"bench-{role}-1")
            self.sessions[role] = sign_in(person)
        if fresh:
            return Client(self.server.port, self.sessions[role])
        if role not in self.clients:
            self.clients[role] = Client(self.server.port, self.sessions[role])
        return self.clients[role]

    def path(self, address: Address) -> str:
        """Return the address of a page; some depend on what was filled in."""
        path = address(self) if callable(address) else address
        return quote(path, safe="/?&=%+,-")


def chosen(only: list[str]) -> list[Measure]:
    """Return the measures whose name holds one of the words; all without a word."""
    found = measures()
    words = [word.lower() for word in only]
    return [
        one
        for one in found
        if not words or any(word in one.name.lower() for word in words)
    ]


def run(
    name: str,
    size: int,
    wanted: list[Measure],
    say: Callable[[str], None],
    requests: int = REQUESTS,
) -> list[Result]:
    """Start the server and measure one thing after the other."""
    results: list[Result] = []
    with Server(name) as server:
        bench = Bench(size, server, requests)
        for measure in wanted:
            say(f"measuring: {measure.name}")
            now = pace()
            try:
                found = measure.run(bench)
                for one in found:
                    one.more["pace_ms"] = now
                results += found
            except (RuntimeError, OSError, HTTPException) as error:
                failed = Result(measure.name, ok=False, value=f"failed: {error}")
                results.append(failed)
                bench.clients.clear()
    return results


def table(results: list[Result]) -> str:
    """Return the results as a table that is Markdown as well."""
    rows = [
        (
            "what",
            "median ms",
            "p95 ms",
            "SQL ms",
            "CPU ms",
            "queries",
            "kB",
            "pace",
            "measured",
            "budget",
            "",
        )
    ]
    rows += [
        (
            one.name,
            "" if one.median is None else f"{one.median:.1f}",
            "" if one.p95 is None else f"{one.p95:.1f}",
            "" if one.median is None else f"{one.more['sql_ms']:.1f}",
            "" if one.median is None else f"{one.more['cpu_ms']:.1f}",
            "" if one.queries is None else str(one.queries),
            "" if one.bytes is None else f"{one.bytes / 1000:,.1f}",
            f"{one.more['pace_ms']:.0f}" if "pace_ms" in one.more else "",
            one.value,
            one.budget,
            "ok" if one.ok else "OVER",
        )
        for one in results
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "| "
        + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def write_json(
    path: str, size: int, fill_seconds: float, results: list[Result]
) -> None:
    """Write the figures with what they were measured on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, rows, seconds FROM bench.step")
        steps = cursor.fetchall()
    found: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "size": size,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "fill_seconds": round(fill_seconds, 1),
        "filled": {name: rows for name, rows, _seconds in steps},
        "results": [asdict(one) for one in results],
        "over": [one.name for one in results if not one.ok],
    }
    Path(path).write_text(json.dumps(found, indent=1, ensure_ascii=False))
