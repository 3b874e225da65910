"""What can be measured; the apps declare objects of these kinds."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings

from crm.bench.weight import first_visit
from crm.generic.once import NAME, new_number

if TYPE_CHECKING:
    from crm.bench.client import Answer, Client
    from crm.bench.runner import Bench

KB = 1000
Address = str | Callable[["Bench"], str]


@dataclass(frozen=True)
class Budget:
    """The most that a page may need: ms at the median and the 95th, queries."""

    median: float
    p95: float = 0
    queries: int = 0

    def __str__(self) -> str:
        parts = [f"{self.median:g} ms"]
        parts += [f"p95 {self.p95:g}"] if self.p95 else []
        parts += [f"{self.queries} q"] if self.queries else []
        return ", ".join(parts)


LIST = Budget(40, 100, 12)
DETAIL = Budget(50, 120, 20)
BOARD = Budget(60)
REPORT = Budget(80)


@dataclass
class Result:
    """One line of the table."""

    name: str
    budget: str = ""
    ok: bool = True
    median: float | None = None
    p95: float | None = None
    queries: int | None = None
    bytes: int | None = None
    value: str = ""
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Measure:
    """One thing to measure."""

    name: str

    def run(self, bench: Bench) -> list[Result]:
        """Measure and return one or more lines."""
        raise NotImplementedError


@dataclass(frozen=True)
class Visit(Measure):
    """A page, asked for again and again by one person."""

    address: Address
    budget: Budget
    role: str = "executive"
    part: bool = False

    def run(self, bench: Bench) -> list[Result]:
        """Fetch the page until the figures hold."""
        path = bench.path(self.address)
        client = bench.client(self.role)
        headers = {"HX-Request": "true"} if self.part else {}
        client.get(path, **headers)
        return [
            line(
                self.name,
                self.budget,
                [
                    checked(client.get(path, **headers), 200, path)
                    for _ in range(bench.requests)
                ],
            )
        ]


@dataclass(frozen=True)
class Submit(Measure):
    """A form that is sent; each time with other values."""

    address: Address
    data: Callable[[Bench, int], dict[str, str]]
    budget: Budget
    role: str = "sales_manager"

    def run(self, bench: Bench) -> list[Result]:
        """Send the form; a redirect says that it was taken."""
        path = bench.path(self.address)
        client = bench.client(self.role)
        client.prepare(path)
        start = time.time_ns()
        answers = [
            checked(client.post(path, self.sent(bench, start + number)), 302, path)
            for number in range(bench.requests)
        ]
        return [line(self.name, self.budget, answers)]

    def sent(self, bench: Bench, number: int) -> dict[str, str]:
        """Return the values with the number that each form carries."""
        return self.data(bench, number) | {NAME: new_number()}


def checked(answer: Answer, status: int, path: str) -> Answer:
    """Return the answer; one that is not as expected must not be measured."""
    if answer.status != status:
        msg = f"{path} answered {answer.status} instead of {status}."
        raise RuntimeError(msg)
    return answer


def line(name: str, budget: Budget, answers: list[Answer]) -> Result:
    """Return the line of a page from its answers."""
    times = [answer.ms for answer in answers]
    costs = [answer.cost() for answer in answers]
    median = statistics.median(times)
    p95 = statistics.quantiles(times, n=20, method="inclusive")[-1]
    queries = max(cost.queries for cost in costs)
    ok = (
        median <= budget.median
        and p95 <= (budget.p95 or p95)
        and queries <= (budget.queries or queries)
    )
    last = answers[-1]
    more = {
        "sql_ms": round(statistics.median(cost.sql for cost in costs), 2),
        "server_ms": round(statistics.median(cost.whole for cost in costs), 2),
        "cpu_ms": round(statistics.median(cost.cpu for cost in costs), 2),
        "uncompressed": len(last.body),
    }
    return Result(
        name, str(budget), ok, median, p95, queries, len(last.sent), more=more
    )


@dataclass(frozen=True)
class Throughput(Measure):
    """Many people at once on one page."""

    address: Address
    least: float
    clients: int = 8
    role: str = "executive"

    def run(self, bench: Bench) -> list[Result]:
        """Let the clients ask as fast as they are answered."""
        path = bench.path(self.address)
        people = [bench.client(self.role, fresh=True) for _ in range(self.clients)]
        for client in people:
            client.get(path)
        counts = [0] * self.clients
        failed: list[int] = []
        seconds = bench.requests / 6
        end = time.monotonic() + seconds

        def ask(place: int, client: Client) -> None:
            while time.monotonic() < end:
                if client.get(path).status != 200:
                    failed.append(place)
                    return
                counts[place] += 1

        threads = [threading.Thread(target=ask, args=one) for one in enumerate(people)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            msg = f"{path} failed under load."
            raise RuntimeError(msg)
        rate = sum(counts) / seconds
        return [
            Result(
                self.name,
                f"≥ {self.least:g}/s",
                rate >= self.least,
                value=f"{rate:.0f}/s",
                more={"per_second": rate},
            )
        ]


@dataclass(frozen=True)
class Weight(Measure):
    """Bytes of a page: the first visit with all files, and after it."""

    address: Address
    first: int = 250 * KB
    after: int = 30 * KB
    role: str = "executive"

    def run(self, bench: Bench) -> list[Result]:
        """Add up what a browser fetches, compressed."""
        client = bench.client(self.role)
        path = bench.path(self.address)
        answer = checked(client.get(path), 200, path)
        files = first_visit(client, path, answer.text)
        page = len(answer.sent)
        total = page + sum(files.values())
        return [
            Result(
                f"{self.name}, first visit",
                f"≤ {self.first // KB} kB",
                total <= self.first,
                bytes=total,
                more={"files": dict(sorted(files.items(), key=lambda one: -one[1]))},
            ),
            Result(
                f"{self.name}, after",
                f"≤ {self.after // KB} kB",
                page <= self.after,
                bytes=page,
                more={"uncompressed": len(answer.body)},
            ),
        ]


@dataclass(frozen=True)
class Program(Measure):
    """Work of a process of its own: its rate or time, and its peak of memory.

    ``function`` is "module:name"; it is called with the size and returns rows done.
    """

    function: str
    least_rate: float = 0
    most_seconds: float = 0
    most_memory: float = 0
    most_per_row: float = 0

    def run(self, bench: Bench) -> list[Result]:
        """Run it in a child and read what it says of itself."""
        done = subprocess.run(  # noqa: S603  (our own program)
            [sys.executable, "-m", "crm.bench.child", self.function, str(bench.size)],
            cwd=settings.BASE_DIR,
            env=bench.server.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-2000:])
        found = json.loads(done.stdout.splitlines()[-1])
        rows, seconds, memory = found["rows"], found["seconds"], found["peak_mb"]
        if not rows:
            msg = "there was nothing to do: is there a current model?"
            raise RuntimeError(msg)
        rate = rows / seconds
        ok = (
            rate >= self.least_rate
            and seconds <= (self.most_seconds or seconds)
            and memory <= (self.most_memory or memory)
            and 1000 / rate <= (self.most_per_row or 1000 / rate)
        )
        return [
            Result(self.name, self._budget(), ok, value=self._value(found), more=found)
        ]

    def _budget(self) -> str:
        parts = [f"≥ {self.least_rate:,.0f} rows/s"] if self.least_rate else []
        parts += [f"≤ {self.most_seconds:g} s"] if self.most_seconds else []
        parts += [f"≤ {self.most_per_row:g} ms each"] if self.most_per_row else []
        parts += [f"≤ {self.most_memory:g} MB"] if self.most_memory else []
        return ", ".join(parts)

    def _value(self, found: dict[str, Any]) -> str:
        rate = found["rows"] / found["seconds"]
        speed = f"{found['seconds']:.1f} s"
        if self.least_rate:
            speed = f"{rate:,.0f} rows/s"
        elif self.most_per_row:
            speed = f"{1000 / rate:.2f} ms each"
        return f"{speed}, {found['peak_mb']:.0f} MB"


@dataclass(frozen=True)
class Process(Measure):
    """The web process itself: start, memory, and what it must not load."""

    most_seconds: float = 2
    most_memory: float = 150

    def run(self, bench: Bench) -> list[Result]:
        """Look at the server that answered all the rest."""
        seconds, memory = bench.server.start_seconds, bench.server.memory()
        heavy = bench.server.heavy_libraries()
        return [
            Result(
                f"{self.name}, start",
                f"≤ {self.most_seconds:g} s",
                seconds <= self.most_seconds,
                value=f"{seconds:.2f} s",
            ),
            Result(
                f"{self.name}, memory",
                f"≤ {self.most_memory:g} MB",
                memory <= self.most_memory,
                value=f"{memory:.0f} MB",
            ),
            Result(
                f"{self.name}, libraries of the analyses",
                "none",
                not heavy,
                value=", ".join(heavy) or "none",
            ),
        ]
